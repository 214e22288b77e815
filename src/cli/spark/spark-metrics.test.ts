import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeFamilies } from '../../metrics/prometheus.ts'
import { parseProgress } from '../../spark/progress.ts'
import { sparkMetrics } from './spark-metrics.ts'

/** As a Spark 4.2 tells it, without what is not read. */
const ENTRY = JSON.stringify({
  batchId: 7,
  batchDuration: 412,
  eventTime: { watermark: '2026-11-26T10:00:00.500Z' },
  stateOperators: [{ numRowsTotal: 40, numRowsDroppedByWatermark: 2 }, { numRowsTotal: 2 }],
  sources: [{ startOffset: '{"logOffset":6}', endOffset: { logOffset: 7 }, numInputRows: 600 }],
})

test('progress of queries on Spark is in the metrics, and what is not known is not', async () => {
  const text = await writeFamilies(
    sparkMetrics(
      [
        { name: 'pages.parquet', state: 'running', restarts: 1, progress: parseProgress(ENTRY) },
        { name: 'users.postgres', state: 'lost', restarts: 0, progress: undefined },
      ],
      [{ name: 'users.postgres', rows: 12 }],
    ),
  )
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  assert.deepEqual(samples, [
    'millrace_spark_query_running{query="pages.parquet"} 1',
    'millrace_spark_query_running{query="users.postgres"} 0',
    'millrace_spark_query_restarts_total{query="pages.parquet"} 1',
    'millrace_spark_query_restarts_total{query="users.postgres"} 0',
    'millrace_spark_batches_total{query="pages.parquet"} 8',
    'millrace_spark_batch_rows{query="pages.parquet"} 600',
    'millrace_spark_batch_late_rows{query="pages.parquet"} 2',
    'millrace_spark_batch_duration_seconds{query="pages.parquet"} 0.412',
    'millrace_spark_state_rows{query="pages.parquet"} 42',
    'millrace_spark_watermark_seconds{query="pages.parquet"} 1795687200.5',
    'millrace_spark_relayed_rows_total{query="users.postgres"} 12',
  ])
})
