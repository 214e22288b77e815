import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { clickEvent } from '../event/click-event.ts'
import { approxCountDistinct, count, elapsed, first, quantile, sum, topK } from './aggregate.ts'
import { checkPlan } from './check.ts'
import { logSource, memorySink, type SinkSpec } from './connectors.ts'
import { col, eq, gt, lit } from './expression.ts'
import { add, coalesce, div, lower, rowProperty, toTime, urlHost } from './functions.ts'
import { pipeline, type QueryOptions } from './pipeline.ts'
import { type Query, stream } from './stream.ts'
import { global, session, sliding, tumbling } from './window.ts'

const source = stream(logSource('events'), clickEvent)
const events = source.withWatermark('event_time', '2 minutes')
const minute = tumbling('1 minute')

/** `path: message` of everything wrong with a pipeline of one query. */
function problemsOf(query: Query, sinks: readonly SinkSpec[] = [], options: QueryOptions = {}): string[] {
  const plan = pipeline('p').query('q', query, sinks, options)
  return checkPlan(plan).map(({ path, message }) => `${path}: ${message}`)
}

describe('derived columns', () => {
  test('are columns for all that follows', () => {
    const query = source
      .derive({ host: urlHost(col('referrer')), net: div(col('amount'), 1.19) })
      .where(eq(col('host'), 'example.com'))
      .withWatermark('event_time', '1m')
      .derive({ large: gt(col('net'), 100) })
      .groupBy('host', 'large')
      .window(minute)
      .aggregate({ net: sum('net'), large: count().where(col('large')) })
    assert.deepEqual(problemsOf(query), ['queries.q.aggregates.large: there is another result column "large"'])
  })

  test('see the columns of the input, not each other, and have names of their own', () => {
    const query = source
      .derive({ a: lower(col('country')), b: lower(col('a')), Country: lit('x'), 'a b': lit(1) })
      .select({ b: 'b', c: lower(col('a b')) })
    assert.deepEqual(problemsOf(query), [
      'queries.q.derive[0].b: there is no column "a"',
      'queries.q.derive[0].Country: there is another column "Country"',
      'queries.q.derive[0].a b: "a b" is not a name',
    ])
  })

  test('that are wrong are reported once, wherever they are used', () => {
    const query = events
      .derive({ bad: lower(col('amount')) })
      .where(eq(col('bad'), 'x'))
      .derive({ worse: lower(col('bad')) })
      .groupBy('bad', 'worse')
      .window(minute)
      .aggregate({ n: count().where(eq(col('worse'), 1)), f: first('bad') })
    assert.deepEqual(problemsOf(query), ['queries.q.derive[0].bad: lower() of column "amount" (number)'])
  })

  test('can be event time when they are never null', () => {
    const parsed = toTime(col('search_query'))
    const bare = source.derive({ at: parsed }).withWatermark('at', '1m').window(minute).aggregate({ n: count() })
    assert.deepEqual(problemsOf(bare), ['queries.q.watermark: event time in "at", which is null for some rows'])
    const backed = source.derive({ at: coalesce(parsed, col('event_time')) }).withWatermark('at', '1m')
    assert.deepEqual(problemsOf(backed.window(minute).aggregate({ n: count() })), [])
  })

  test('are 1 to 128', () => {
    assert.deepEqual(problemsOf(source.derive({}).select()), ['queries.q.derive[0]: derive() of 0 columns'])
    const many = Object.fromEntries(Array.from({ length: 129 }, (_, index) => [`c${index}`, lit(index)]))
    assert.deepEqual(problemsOf(source.select(many)), ['queries.q.select: select() of 129 columns'])
  })
})

describe('dedupe', () => {
  test('needs a watermark before it, a column that tells rows apart, and a time', () => {
    assert.deepEqual(problemsOf(source.dedupe('event_id', { within: '1m' }).select()), [
      'queries.q.dedupe: its memory would grow for ever: no watermark comes before it',
    ])
    assert.deepEqual(problemsOf(events.dedupe('props', { within: '0s' }).select()), [
      'queries.q.dedupe: repeats by "props", which is json',
      'queries.q.dedupe: within is 0 ms',
    ])
    const twice = events.dedupe('event_id', { within: '1m' }).dedupe('user_id', { within: '1m' })
    assert.deepEqual(problemsOf(twice.select()), ['queries.q.dedupe: the query has 2 steps of dedupe'])
  })

  test('looks in one partition only where producers send a key', () => {
    const query = events.dedupe('event_id', { within: '10m', scope: 'partition' }).select()
    assert.deepEqual(problemsOf(query), [
      'queries.q.dedupe: repeats are looked for in one partition, but may come in another',
    ])
    const keyed = stream(logSource('events'), clickEvent, { keyed: true }).withWatermark('event_time', '1m')
    assert.deepEqual(problemsOf(keyed.dedupe('event_id', { within: '10m', scope: 'partition' }).select()), [])
  })
})

describe('session features', () => {
  const features = { clicks_in_session: count(), time_on_page: elapsed() }
  const options = { by: 'session_id', window: tumbling('5 minutes'), features } as const

  test('are columns for what follows, which ends in a select', () => {
    const rows = events.withSessionFeatures(options).where(gt(col('clicks_in_session'), 1))
    assert.deepEqual(problemsOf(rows.select({ x: add(col('clicks_in_session'), 1), t: 'time_on_page' })), [])
    assert.deepEqual(problemsOf(rows.window(minute).aggregate({ n: count() })), [
      'queries.q: a window follows session features',
    ])
    assert.deepEqual(problemsOf(source.withSessionFeatures(options).select()), [
      'queries.q.withSessionFeatures: its memory would grow for ever: no watermark comes before it',
    ])
  })

  test('take columns that they can compute with, under names of their own', () => {
    const query = events.withSessionFeatures({
      by: 'props',
      window: tumbling('1 day', { timeZone: 'Mars/Olympus' }),
      features: { amount: count(), total: sum('page_url'), some: count().where(eq(col('contry'), 'DE')) },
    })
    assert.deepEqual(problemsOf(query.select({ x: add(col('total'), 1) })), [
      'queries.q.withSessionFeatures: sessions by "props", which is json',
      'queries.q.withSessionFeatures.window: "Mars/Olympus" is not a time zone',
      'queries.q.withSessionFeatures.amount: there is another column "amount"',
      'queries.q.withSessionFeatures.total: sum of "page_url", which is string',
      'queries.q.withSessionFeatures.some.where: there is no column "contry"',
    ])
  })
})

describe('windows', () => {
  const of = (window: Parameters<typeof events.window>[0], sinks: readonly SinkSpec[] = []): string[] =>
    problemsOf(events.window(window).aggregate({ n: count() }), sinks)

  test('slide by no more than their size, and a row is in 10000 of them at most', () => {
    assert.deepEqual(of(sliding('5m', '5m')), [])
    assert.deepEqual(of(sliding('5m', '6m')), [
      'queries.q.window: a slide of 360000 ms leaves out rows between windows of 300000 ms',
    ])
    assert.deepEqual(of(sliding('5m', '0s')), ['queries.q.window: slide is 0 ms'])
    assert.deepEqual(of(sliding('10s', '1ms')), [])
    assert.deepEqual(of(sliding('10001ms', '1ms')), ['queries.q.window: each row would be in 10001 windows'])
  })

  test('of sessions have a gap and limits above 0, and an end that is a condition', () => {
    const wrong = session('0s', { maxDuration: '367 days', maxEvents: 0.5, endWhen: col('country') })
    assert.deepEqual(of(wrong), [
      'queries.q.window: gap is 0 ms',
      'queries.q.window: maxDuration is 31708800000 ms',
      'queries.q.window: maxEvents is 0.5',
      'queries.q.window.endWhen: a condition is true or false, this is a text value',
    ])
    assert.deepEqual(of(session('30m', { maxDuration: null })), [])
  })

  test('keep their columns from being taken', () => {
    const names = { session_start: count(), window_end: count(), duration_ms: count() }
    assert.deepEqual(problemsOf(events.window(session('1m')).aggregate(names)), [
      'queries.q.aggregates.session_start: there is another result column "session_start"',
      'queries.q.aggregates.duration_ms: there is another result column "duration_ms"',
    ])
    assert.deepEqual(problemsOf(events.window(global()).aggregate(names)), [])
    const final = events.window(minute).aggregate({ final: count() })
    assert.deepEqual(problemsOf(final), [])
    assert.deepEqual(problemsOf(final, [], { meta: true }), [
      'queries.q.aggregates.final: there is another result column "final"',
    ])
    assert.deepEqual(problemsOf(source.select({ version: 'country' }), [], { meta: true }), [
      'queries.q.select.version: there is another result column "version"',
    ])
  })

  test('that never close are not for sinks that wait for it', () => {
    assert.deepEqual(of(global(), [memorySink({ mode: 'update' })]), [])
    assert.deepEqual(of(global(), [memorySink()]), [
      'queries.q.sinks[0]: memory waits for windows to close, and global() never does',
    ])
  })
})

test('aggregates have options within limits', () => {
  const query = events.window(minute).aggregate({
    a: quantile('amount', 1.5),
    b: quantile('page_url', 0.5),
    c: topK('page_url', 0),
    d: topK('props', 10),
    e: first('props'),
    f: approxCountDistinct('user_id', 1),
  })
  assert.deepEqual(problemsOf(query), [
    'queries.q.aggregates.a: a quantile of 1.5',
    'queries.q.aggregates.b: quantile of "page_url", which is string',
    'queries.q.aggregates.c: the top 0',
    'queries.q.aggregates.d: topK of "props", which is json',
    'queries.q.aggregates.e: first of "props", which is json',
    'queries.q.aggregates.f: a relative standard deviation of 1',
  ])
})

describe('a select', () => {
  test('needs no watermark, and may ask for properties of rows, which nothing else may', () => {
    const late = rowProperty('late')
    assert.deepEqual(problemsOf(source.select({ late, at: rowProperty('processing_time'), page: 'page_url' })), [])
    assert.deepEqual(problemsOf(source.where(late).select()), ['queries.q.where[0]: the property "late" of a row'])
    assert.deepEqual(problemsOf(source.derive({ late }).select()), [
      'queries.q.derive[0].late: the property "late" of a row',
    ])
  })

  test('gives rows that never change, so only append mode says something', () => {
    assert.deepEqual(problemsOf(source.select(), [memorySink()]), [])
    assert.deepEqual(problemsOf(source.select(), [memorySink({ mode: 'complete' })]), [
      'queries.q.sinks[0]: rows as they are never change, so mode complete says nothing',
    ])
  })
})

test('a query has 64 steps at most', () => {
  let rows = events
  for (let step = 0; step < 62; step++) rows = rows.where(eq(col('country'), 'DE'))
  assert.deepEqual(problemsOf(rows.select()), [])
  assert.deepEqual(problemsOf(rows.where(eq(col('country'), 'DE')).select()), ['queries.q: the query has 65 steps'])
})
