import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { decimal, defineSchema, text, timestamp, uuid } from '../batch/schema.ts'
import { approxCountDistinct, count, quantile, sum } from '../plan/aggregate.ts'
import { fileSource, kafka, logSource, parquet, postgres } from '../plan/connectors.ts'
import { and, col, eq, gt, not } from '../plan/expression.ts'
import { add, coalesce, lower, urlPath } from '../plan/functions.ts'
import type { PipelinePlan } from '../plan/node.ts'
import { pipeline } from '../plan/pipeline.ts'
import { range, required } from '../plan/rule.ts'
import { stream } from '../plan/stream.ts'
import { tumbling } from '../plan/window.ts'
import { sparkPlan } from './capability.ts'
import { describeSpark } from './describe.ts'
import { loadProtocol } from './protocol.ts'
import { sparkQueries } from './write-stream.ts'

const FILE = resolve('test/golden/plan/spark.txt')

const visit = defineSchema({
  at: timestamp({ required: true }),
  id: uuid(),
  user: text({ cardinality: 'high' }),
  url: text(),
  amount: decimal(2),
})

function shop(source: Parameters<typeof stream>[0]): PipelinePlan {
  const visits = stream(source, visit, { rules: [required('user'), range('amount', { min: 0 })] })
    .derive({ page: coalesce(lower(urlPath(col('url'))), "it's none"), gross: add(col('amount'), 0.5) })
    .withWatermark('at', '2 minutes')
    .dedupe('id', { within: '10 minutes', scope: 'partition' })
  const pages = visits
    .where(and(gt(col('gross'), 1), not(eq(col('page'), '/health'))))
    .groupBy('page')
    .window(tumbling('1 minute'))
    .aggregate({ views: count(), users: approxCountDistinct('user'), gross: sum('gross') })
  const slow = visits.window(tumbling('1 hour')).aggregate({ median: quantile('amount', 0.5) })
  return pipeline('shop')
    .query('pages', pages, [
      parquet('/lake/pages'),
      kafka('pages', { key: 'page' }),
      postgres('pages', { mode: 'update' }),
    ])
    .query('slow', slow, [parquet('/lake/slow')])
}

const SETTINGS = { checkpointRoot: '/checkpoints', relayRoot: '/relay', bootstrapServers: 'one:9092' }

test('what Spark is sent is what was reviewed (MILLRACE_UPDATE_GOLDEN=1 takes it as it is)', () => {
  const spark = sparkPlan(shop(logSource('visits')))
  const shown = describeSpark(spark, sparkQueries(spark.plan, SETTINGS))
  if (process.env['MILLRACE_UPDATE_GOLDEN']) writeFileSync(FILE, shown)
  assert.equal(shown, readFileSync(FILE, 'utf8'))
})

test('messages hold all of it: decoded, they are what was encoded', async () => {
  const protocol = await loadProtocol()
  for (const source of [logSource('visits'), fileSource('/in/*.ndjson')]) {
    for (const { stream: sent } of sparkQueries(sparkPlan(shop(source)).plan, SETTINGS)) {
      const decoded = protocol.decode<object>('WriteStream', protocol.encode('WriteStream', sent))
      assert.deepEqual(withoutEmpty(decoded), withoutEmpty(sent))
    }
  }
})

test('a plan with another key, window or source has a checkpoint of its own; one with another sink or trigger has not', () => {
  const folderOf = (plan: PipelinePlan, trigger?: number): string | undefined =>
    sparkQueries(sparkPlan(plan).plan, { ...SETTINGS, ...(trigger !== undefined && { triggerMs: trigger }) }).find(
      ({ name }) => name === 'pages.parquet',
    )?.checkpoint.folder
  const visits = stream(logSource('visits'), visit).withWatermark('at', '2 minutes')
  const pages = (key: 'url' | 'user', size: number, sink = '/lake/pages'): PipelinePlan =>
    pipeline('shop').query(
      'pages',
      visits
        .groupBy(key)
        .window(tumbling(`${size} minutes`))
        .aggregate({ views: count() }),
      [parquet(sink)],
    )
  const folder = folderOf(pages('url', 1))
  assert.equal(folder, folderOf(pages('url', 1, '/lake/elsewhere'), 500))
  assert.equal(new Set([pages('url', 1), pages('user', 1), pages('url', 2)].map((one) => folderOf(one))).size, 3)
  assert.notEqual(folderOf(shop(logSource('visits'))), folderOf(shop(logSource('others'))))
})

/** Lists and maps that are empty, and members that are not there, are the same on the wire. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(
    ([, one]) => typeof one !== 'object' || one === null || Object.keys(one).length > 0,
  )
  return Object.fromEntries(entries.map(([name, one]) => [name, withoutEmpty(one)]))
}
