import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { decimal, defineSchema, float64, int32, json, text, timestamp } from '../batch/schema.ts'
import { clickEvent } from '../event/click-event.ts'
import {
  approxCountDistinct,
  avg,
  count,
  countDistinct,
  elapsed,
  first,
  last,
  max,
  quantile,
  sum,
  topK,
} from './aggregate.ts'
import { checkPlan } from './check.ts'
import { consoleSink, csv, day, fileSource, logSource, memorySink, parquet } from './connectors.ts'
import { explainPlan } from './explain.ts'
import { and, col, eq, ge, gt, isIn, isNull, not, or } from './expression.ts'
import { expressionText } from './expression-text.ts'
import { add, coalesce, cond, div, hourOf, lower, mul, neg, rowProperty, sub, urlHost } from './functions.ts'
import { pipeline } from './pipeline.ts'
import { lengthMax, oneOf, range, required } from './rule.ts'
import { stream } from './stream.ts'
import { global, session, sliding, tumbling } from './window.ts'

const golden = (name: string): string => readFileSync(join(import.meta.dirname, '../../test/golden/plan', name), 'utf8')

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
  assert.equal(explainPlan(plan), golden('explain.txt'))
})

test('every kind of step, window and aggregate has its words', () => {
  const rows = stream(logSource('events'), clickEvent, { keyed: true })
    .derive({ host: urlHost(col('page_url')), net: div(col('amount'), 1.19) })
    .withWatermark('event_time', '2 minutes')
    .dedupe('event_id', { within: '10 minutes', scope: 'partition' })
    .where(not(isNull(col('host'))))
  const plain = stream(logSource('events'), clickEvent, { keyed: true }).withWatermark('event_time', '1 minute')
  const sessions = rows
    .groupBy('user_id')
    .window(session('30 minutes', { maxEvents: 10_000, endWhen: eq(col('event_type'), 'session_end') }))
    .aggregate({ entry: first('page_url'), exit: last('page_url'), net: sum('net') })
  const months = plain
    .groupBy('country')
    .window(tumbling('1 month', { timeZone: 'Europe/Berlin' }))
    .aggregate({ top: topK('page_url', 3), p95: quantile('duration_seconds', 0.95) })
  const features = plain
    .withSessionFeatures({
      by: 'session_id',
      window: tumbling('5 minutes'),
      features: { clicks_in_session: count(), time_on_page: elapsed() },
    })
    .select({ user_id: 'user_id', clicks_in_session: 'clicks_in_session', slow: gt(col('time_on_page'), 60) })
  const raw = plain.select({
    url: 'page_url',
    size: cond([gt(col('amount'), 100), 'large'], coalesce(col('category'), 'none')),
    late: rowProperty('late'),
  })
  const plan = pipeline('all-of-it')
    .query('sessions', sessions, [memorySink({ mode: 'update' })], { meta: true })
    .query('months', months)
    .query('busy', plain.window(sliding('5 minutes', '1 minute')).aggregate({ n: count() }))
    .query('weeks', plain.window(tumbling('1 week', { calendar: true })).aggregate({ n: count() }))
    .query('ever', plain.groupBy('user_id').window(global()).aggregate({ n: count() }), [
      consoleSink({ mode: 'update' }),
    ])
    .query('features', features)
    .query('raw', raw, [parquet('out/raw')])
  assert.deepEqual(checkPlan(plan), [])
  // The columns of the source are in the other golden file.
  const [head = '', ...queries] = explainPlan(plan).split(/^(?=[├└]─ query)/m)
  assert.equal([head.split('\n').slice(0, 2).join('\n'), '\n', ...queries].join(''), golden('explain-kinds.txt'))
})

describe('an expression reads like SQL', () => {
  const cases = [
    [eq(col('country'), "Côte d'Ivoire"), "country = 'Côte d''Ivoire'"],
    [and(gt(col('amount'), 12.5), not(isNull(col('os')))), 'amount > 12.5 and not (os is null)'],
    [and(or(col('a'), col('b')), isIn(col('c'), [1, true, 'x'])), "(a or b) and c in (1, true, 'x')"],
    [not(and(col('a'), not(col('b')))), 'not (a and not b)'],
    [eq(isNull(col('a')), eq(col('b'), 1)), '(a is null) = (b = 1)'],
    [mul(add(col('a'), col('b')), neg(sub(col('c'), -1))), '(a + b) * (-(c - (-1)))'],
    [gt(hourOf(col('t'), 'UTC'), -1), "hour(t, 'UTC') > -1"],
    [cond([col('a'), 1], [isNull(col('b')), 2], 3), 'case when a then 1 when b is null then 2 else 3 end'],
    [eq(cond([col('a'), lower(col('b'))]), 'x'), "case when a then lower(b) end = 'x'"],
    [rowProperty('late'), 'row.late'],
  ] as const
  for (const [expression, text] of cases) test(text, () => assert.equal(expressionText(expression), text))
})
