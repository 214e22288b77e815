import { counter, gauge, sample } from '../../metrics/family.ts'
import type { MetricFamily } from '../../metrics/registry.ts'
import type { QueryState } from '../../spark/run.ts'
import type { RelayState } from './relay.ts'

const LABELS = ['query']

/** Progress of queries on Spark, and of their relays, as it was when they were looked at last. What is not known yet has no sample. */
export function sparkMetrics(states: readonly QueryState[], relays: readonly RelayState[]): MetricFamily[] {
  const of = (value: (state: QueryState) => number | undefined) =>
    states.flatMap((state) => {
      const known = value(state)
      return known === undefined ? [] : [sample([state.name], known)]
    })
  return [
    gauge('millrace_spark_query_running', '1 while Spark runs the query.', LABELS, of(running)),
    counter('millrace_spark_query_restarts_total', 'Times that a query was started again.', LABELS, of(restarts)),
    counter(
      'millrace_spark_batches_total',
      'Micro-batches of the query since its checkpoint began.',
      LABELS,
      of(({ progress }) => progress && progress.batchId + 1),
    ),
    gauge(
      'millrace_spark_batch_rows',
      'Rows that the last micro-batch read.',
      LABELS,
      of(({ progress }) => progress?.inputRows),
    ),
    gauge(
      'millrace_spark_batch_late_rows',
      'Rows of the last micro-batch that came behind the watermark.',
      LABELS,
      of(({ progress }) => progress?.lateRows),
    ),
    gauge(
      'millrace_spark_batch_duration_seconds',
      'How long the last micro-batch took.',
      LABELS,
      of(({ progress }) => progress && progress.durationMs / 1_000),
    ),
    gauge(
      'millrace_spark_state_rows',
      'Rows of state.',
      LABELS,
      of(({ progress }) => progress?.stateRows),
    ),
    gauge(
      'millrace_spark_watermark_seconds',
      'Watermark, in seconds since 1970.',
      LABELS,
      of(({ progress }) => (progress?.watermarkMs === undefined ? undefined : progress.watermarkMs / 1_000)),
    ),
    counter(
      'millrace_spark_relayed_rows_total',
      'Rows that came from Spark into a table since this process began.',
      LABELS,
      relays.map(({ name, rows }) => sample([name], rows)),
    ),
  ]
}

function running({ state }: QueryState): number {
  return state === 'running' ? 1 : 0
}

function restarts(state: QueryState): number {
  return state.restarts
}
