import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { decimal, defineSchema, float64, int32, json, text, timestamp } from '../batch/schema.ts'
import { approxCountDistinct, avg, count, countDistinct, max, sum } from './aggregate.ts'
import { consoleSink, csv, day, fileSource, memorySink, parquet } from './connectors.ts'
import { explainPlan } from './explain.ts'
import { and, col, eq, ge, gt, isIn, isNull, not, or } from './expression.ts'
import { expressionText } from './expression-text.ts'
import { pipeline } from './pipeline.ts'
import { lengthMax, oneOf, range, required } from './rule.ts'
import { stream } from './stream.ts'
import { tumbling } from './window.ts'

const GOLDEN = join(import.meta.dirname, '../../test/golden/plan/explain.txt')

test('a plan is explained in the order in which rows pass it', () => {
  const schema = defineSchema({
    event_time: timestamp({ from: 'ts', format: 'epoch-ms', required: true, orRecordTime: true }),
    user_id: text({ required: true, cardinality: 'high' }),
    event_type: text({ required: true }),
    page_url: text(),
    status: int32(),
    seconds: float64(),
    amount: decimal(2, { from: 'revenue' }),
    opened_at: timestamp({ timeZone: 'Europe/Paris' }),
    props: json({ rest: true }),
  })
  const rules = [
    oneOf('event_type', ['page_view', 'purchase']),
    required('amount', { when: { column: 'event_type', values: ['purchase'] }, name: 'purchase-has-amount' }),
    range('amount', { min: 0 }),
    lengthMax('page_url', 8192),
  ]
  const purchase = eq(col('event_type'), 'purchase')
  const rows = stream(fileSource('-', 'logs/*.ndjson.gz'), schema, { rules }).where(not(isNull(col('page_url'))))
  const pages = rows
    .withWatermark('event_time', '2 minutes', { maxAge: '7 days', advanceWhenIdle: false })
    .where(ge(col('status'), 200))
    .groupBy('page_url', 'status')
    .window(tumbling('90s'))
    .aggregate({
      views: count(),
      users: approxCountDistinct('user_id', 0.01),
      visitors: countDistinct('user_id'),
      revenue: sum('amount').where(purchase),
      mean_seconds: avg('seconds'),
      last_page: max('page_url'),
    })
  const total = rows
    .withWatermark('event_time', '0s', { policy: 'global-max', maxClockSkew: null })
    .window(tumbling('1 day'))
    .aggregate({ n: count() })
  const plan = pipeline('shop')
    .query('page_metrics', pages, [
      parquet('out/pages', { partitionBy: day('window_start').as('dt'), compression: 'zstd' }),
      csv('out/pages-csv', { recordsPerFileMax: 50_000, name: 'for-people' }),
      consoleSink({ mode: 'update' }),
      memorySink(),
    ])
    .query('total', total)
  assert.equal(explainPlan(plan), readFileSync(GOLDEN, 'utf8'))
})

describe('an expression reads like SQL', () => {
  const cases = [
    [eq(col('country'), "Côte d'Ivoire"), "country = 'Côte d''Ivoire'"],
    [and(gt(col('amount'), 12.5), not(isNull(col('os')))), 'amount > 12.5 and not (os is null)'],
    [and(or(col('a'), col('b')), isIn(col('c'), [1, true, 'x'])), "(a or b) and c in (1, true, 'x')"],
    [not(and(col('a'), not(col('b')))), 'not (a and not b)'],
    [eq(isNull(col('a')), eq(col('b'), 1)), '(a is null) = (b = 1)'],
  ] as const
  for (const [expression, text] of cases) test(text, () => assert.equal(expressionText(expression), text))
})
