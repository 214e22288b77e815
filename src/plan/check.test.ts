import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MillraceError } from '../base/error.ts'
import { boolean, defineSchema, json, text, timestamp, uuid } from '../batch/schema.ts'
import { clickEvent } from '../event/click-event.ts'
import { approxCountDistinct, avg, count, max, min, sum } from './aggregate.ts'
import { assertPlan, checkPlan } from './check.ts'
import { consoleSink, csv, day, jsonLines, logSource, memorySink, parquet, type SinkSpec, value } from './connectors.ts'
import { and, col, type Expression, eq, gt, isIn, isNull, lt, ne, not, or } from './expression.ts'
import type { PipelinePlan, QueryNode } from './node.ts'
import { lengthMax, oneOf, type Rule, range, required } from './rule.ts'
import { pipeline, type Query, stream } from './stream.ts'
import { tumbling } from './window.ts'

const events = stream(logSource('events'), clickEvent).withWatermark('event_time', '2 minutes')
const minute = tumbling('1 minute')
const views = events.groupBy('page_url').window(minute).aggregate({ views: count() })

/** `path: message` of everything wrong with a pipeline of one query. */
function problemsOf(query: Query, sinks: readonly SinkSpec[] = []): string[] {
  return texts(pipeline('p').query('q', query, sinks))
}

function texts(plan: PipelinePlan): string[] {
  return checkPlan(plan).map(({ path, message }) => `${path}: ${message}`)
}

function problemsOfFilter(predicate: Expression): string[] {
  return problemsOf(events.where(predicate).window(minute).aggregate({ n: count() }))
}

test('a plan without mistakes has no problems', () => {
  const sinks = [parquet('out/a', { partitionBy: day('window_start').as('dt') }), csv('out/b'), memorySink()]
  assert.deepEqual(checkPlan(pipeline('page-metrics').query('page_views', views, sinks)), [])
})

describe('all problems come at once', () => {
  const query = events
    .where(eq(col('contry'), 'DE'))
    .groupBy('props')
    .window(minute)
    .aggregate({ 'bad name': count(), revenue: sum('event_type') })
  const plan = pipeline('1st').query('q', query).query('Q', views)

  test('each with its path', () => {
    assert.deepEqual(texts(plan), [
      'name: "1st" is not a name',
      'queries.q.where[0]: there is no column "contry"',
      'queries.q.groupBy.props: grouped by "props", which is json',
      'queries.q.aggregates.bad name: "bad name" is not a name',
      'queries.q.aggregates.revenue: sum of "event_type", which is string',
      'queries.Q: there is another query "Q"',
    ])
  })

  test('each with what to do about it', () => {
    const [, filter, , name, sumOfText] = checkPlan(plan).map(({ hint }) => hint)
    assert.equal(filter, 'did you mean "country"?')
    assert.equal(name, 'use a letter or underscore first, then letters, digits and underscores, 63 characters at most')
    assert.equal(
      sumOfText,
      'it takes a column of type decimal, float64, int64, int32; here: amount, price, quantity, results_count, duration_seconds',
    )
  })

  test('in one error', () => {
    assert.throws(
      () => assertPlan(plan),
      (error) => {
        assert.ok(error instanceof MillraceError)
        assert.equal(error.code, 'invalid-plan')
        assert.equal(error.hint, 'correct all 6 and start again')
        const lines = error.message.split('\n')
        assert.equal(lines.length, 7)
        assert.equal(lines[0], 'the pipeline "1st" cannot run:')
        assert.equal(lines[2], '  queries.q.where[0]: there is no column "contry" (did you mean "country"?)')
        return true
      },
    )
  })
})

describe('names', () => {
  test('of result columns are unique, whatever their case', () => {
    const query = events
      .groupBy('country', 'country')
      .window(minute)
      .aggregate({ Country: count(), window_end: count(), N: count(), n: count() })
    assert.deepEqual(problemsOf(query), [
      'queries.q.groupBy.country: there is another result column "country"',
      'queries.q.aggregates.Country: there is another result column "Country"',
      'queries.q.aggregates.window_end: there is another result column "window_end"',
      'queries.q.aggregates.n: there is another result column "n"',
    ])
  })

  test('of two sinks of one kind have to be given', () => {
    assert.deepEqual(problemsOf(views, [memorySink(), memorySink()]), [
      'queries.q.sinks[1]: there is another sink "q.memory"',
    ])
    assert.deepEqual(problemsOf(views, [memorySink(), memorySink({ name: 'second' })]), [])
    assert.deepEqual(problemsOf(views, [memorySink({ name: 'a/b' })]), [
      'queries.q.sinks[0]: "a/b" is not a name for a sink',
    ])
  })

  test('from anywhere are shown short and on one line', () => {
    const [problem] = texts(pipeline(`\n\u001b[31m${'x'.repeat(200)}`).query('q', views))
    assert.equal(problem, `name: "  [31m${'x'.repeat(71)}..." is not a name`)
  })
})

describe('filters', () => {
  test('compare values of one kind', () => {
    assert.deepEqual(problemsOfFilter(eq(col('event_type'), 1)), [
      'queries.q.where[0]: column "event_type" (text) = 1 (number) cannot be compared',
    ])
    assert.deepEqual(problemsOfFilter(lt('a', col('amount'))), [
      'queries.q.where[0]: "a" (text) < column "amount" (number) cannot be compared',
    ])
    assert.deepEqual(problemsOfFilter(isIn(col('country'), ['DE', true, 3])), [
      'queries.q.where[0]: column "country" (text) in true (boolean) cannot be compared',
    ])
    assert.deepEqual(problemsOfFilter(eq(col('amount'), col('price'))), [])
  })

  test('take a time as ISO text or milliseconds, and nothing else', () => {
    for (const fine of [
      '2026-11-24T07:30:00Z',
      '2026-11-24 07:30:00.5+01:00',
      '2026-11-24T07:30:00',
      1_764_000_000_000,
    ]) {
      assert.deepEqual(problemsOfFilter(gt(col('event_time'), fine)), [], String(fine))
    }
    for (const wrong of ['yesterday', '2026-02-30T00:00:00Z', '2026-11-24', -1, 1.5, 1e15, true, col('page_url')]) {
      assert.equal(problemsOfFilter(gt(col('event_time'), wrong)).length, 1, JSON.stringify(wrong))
    }
  })

  test('ask for an order only where there is one', () => {
    const rows = stream(logSource('t'), defineSchema({ at: timestamp(), id: uuid(), bot: boolean(), more: json() }))
    const of = (predicate: Expression) =>
      problemsOf(rows.where(predicate).withWatermark('at', '1s').window(minute).aggregate({ n: count() }))
    const id = '123e4567-e89b-12d3-a456-426614174000'
    assert.deepEqual(of(and(eq(col('id'), id), ne(col('bot'), true), col('bot'), not(isNull(col('more'))))), [])
    assert.deepEqual(of(lt(col('id'), id)), ['queries.q.where[0]: uuid values have no order, so "<" says nothing'])
    assert.deepEqual(of(gt(col('bot'), false)), [
      'queries.q.where[0]: boolean values have no order, so ">" says nothing',
    ])
    assert.deepEqual(of(eq(col('id'), 'x')), ['queries.q.where[0]: column "id" (uuid) = "x" (text) cannot be compared'])
    assert.deepEqual(of(eq(col('more'), col('more'))), [
      'queries.q.where[0]: column "more" (json) = column "more" (json) cannot be compared',
    ])
  })

  test('are true or false', () => {
    assert.deepEqual(problemsOfFilter(col('country')), [
      'queries.q.where[0]: a condition is true or false, this is a text value',
    ])
    assert.deepEqual(problemsOfFilter(or(not(col('amount')), eq(col('country'), 'DE'))), [
      'queries.q.where[0]: a condition is true or false, this is a number value',
    ])
  })

  test('say something', () => {
    assert.deepEqual(problemsOfFilter(and()), ['queries.q.where[0]: and() of nothing'])
    assert.deepEqual(problemsOfFilter(isIn(col('country'), [])), [
      'queries.q.where[0]: isIn() with an empty list is never true',
    ])
    assert.deepEqual(problemsOfFilter(gt(col('amount'), Number.NaN)), [
      'queries.q.where[0]: NaN is no value of any column',
    ])
  })

  test('nest to a limit, and deeper ones do not exhaust the stack', () => {
    let predicate: Expression = eq(col('country'), 'DE')
    for (let depth = 0; depth < 100_000; depth++) predicate = { kind: 'not', operand: predicate }
    const root: QueryNode = { ...(views.root as QueryNode & { kind: 'aggregate' }) }
    assert.equal(root.kind, 'aggregate')
    const filtered: QueryNode = { ...root, input: { kind: 'filter', input: root.input, predicate } }
    assert.deepEqual(problemsOf({ root: filtered }), ['queries.q.where[0]: the condition nests deeper than 24 levels'])
  })

  test('of an aggregate are checked like any other', () => {
    const query = events.window(minute).aggregate({ n: count().where(eq(col('countri'), 'DE')) })
    assert.deepEqual(problemsOf(query), ['queries.q.aggregates.n.where: there is no column "countri"'])
  })
})

describe('windows', () => {
  test('need a watermark', () => {
    const query = stream(logSource('events'), clickEvent).window(minute).aggregate({ n: count() })
    assert.deepEqual(problemsOf(query), ['queries.q: no window would ever close: the query has no watermark'])
  })

  test('need event time to be a timestamp', () => {
    const query = stream(logSource('events'), clickEvent)
      .withWatermark('user_id', '1m')
      .window(minute)
      .aggregate({ n: count() })
    assert.deepEqual(problemsOf(query), ['queries.q.watermark: event time in "user_id", which is string'])
  })

  test('are from 1 ms to 366 days long, and so are delays', () => {
    const ofSize = (size: string) => problemsOf(events.window(tumbling(size)).aggregate({ n: count() }))
    assert.deepEqual(ofSize('1ms'), [])
    assert.deepEqual(ofSize('366 days'), [])
    assert.deepEqual(ofSize('0s'), ['queries.q.window: size is 0 ms'])
    assert.deepEqual(ofSize('367 days'), ['queries.q.window: size is 31708800000 ms'])
    const late = stream(logSource('events'), clickEvent).withWatermark('event_time', '367d', { idleTimeout: '0s' })
    assert.deepEqual(problemsOf(late.window(minute).aggregate({ n: count() })), [
      'queries.q.watermark: delay is 31708800000 ms',
      'queries.q.watermark: idleTimeout is 0 ms',
    ])
  })

  test('close once: a query has one watermark, and ends in its only aggregate', () => {
    const twice = events.withWatermark('event_time', '5m').window(minute).aggregate({ n: count() })
    assert.deepEqual(problemsOf(twice), ['queries.q.watermark: the query has 2 watermarks'])
    const predicate = eq(col('country'), 'DE')
    assert.deepEqual(problemsOf({ root: { kind: 'filter', input: views.root, predicate } }), [
      'queries.q: something follows an aggregate',
    ])
    const source = views.root.kind === 'aggregate' ? views.root.input : views.root
    assert.deepEqual(problemsOf({ root: source }), ['queries.q: the query does not end in an aggregate'])
  })
})

describe('aggregates', () => {
  test('take columns that they can compute with', () => {
    const query = events.window(minute).aggregate({
      a: avg('event_time'),
      b: min('props'),
      c: max('page_url'),
      d: approxCountDistinct('props'),
      e: min('event_time'),
    })
    assert.deepEqual(problemsOf(query), [
      'queries.q.aggregates.a: avg of "event_time", which is timestamp',
      'queries.q.aggregates.b: min of "props", which is json',
      'queries.q.aggregates.d: approxCountDistinct of "props", which is json',
    ])
  })

  test('are approximate within bounds', () => {
    const ofRsd = (rsd: number) =>
      problemsOf(events.window(minute).aggregate({ n: approxCountDistinct('user_id', rsd) }))
    assert.deepEqual(ofRsd(0.005), [])
    assert.deepEqual(ofRsd(0.39), [])
    for (const rsd of [0, -1, 0.0049, 0.4, Number.NaN]) {
      assert.deepEqual(ofRsd(rsd), [`queries.q.aggregates.n: a relative standard deviation of ${rsd}`])
    }
  })

  test('are 1 to 64', () => {
    const ofCount = (length: number) =>
      problemsOf(
        events
          .window(minute)
          .aggregate(Object.fromEntries(Array.from({ length }, (_, index) => [`n${index}`, count()]))),
      )
    assert.deepEqual(ofCount(0), ['queries.q.aggregates: there is nothing to compute'])
    assert.deepEqual(ofCount(64), [])
    assert.deepEqual(ofCount(65), ['queries.q.aggregates: there are 65 aggregates'])
  })
})

describe('sinks', () => {
  test('partition by columns of the result, day and hour by times', () => {
    const of = (sink: SinkSpec) => problemsOf(views, [sink])
    assert.deepEqual(of(parquet('out', { partitionBy: day('event_time') })), [
      'queries.q.sinks[0].partitionBy: there is no column "event_time"',
    ])
    assert.deepEqual(of(parquet('out', { partitionBy: day('page_url') })), [
      'queries.q.sinks[0].partitionBy: folders by the day of "page_url", which is string',
    ])
    assert.deepEqual(of(parquet('out', { partitionBy: value('window_start') })), [
      'queries.q.sinks[0].partitionBy: folders by the value of "window_start", which is timestamp',
    ])
    assert.deepEqual(of(parquet('out', { partitionBy: day('window_start').as('Views') })), [
      'queries.q.sinks[0].partitionBy: there is another column "Views"',
    ])
    assert.deepEqual(of(parquet('out', { partitionBy: day('window_start').as('a=b') })), [
      'queries.q.sinks[0].partitionBy: "a=b" is not a name',
    ])
    assert.deepEqual(of(parquet('out', { partitionBy: value('page_url') })), [])
  })

  test('have a folder of their own, however it is spelt', () => {
    const plan = pipeline('p')
      .query('a', views, [csv('out/x')])
      .query('b', views, [jsonLines('./out/y/../x/')])
    assert.deepEqual(texts(plan), ['queries.b.sinks[0]: it writes to "./out/y/../x/", where "a.csv" writes already'])
    assert.deepEqual(texts(pipeline('p').query('a', views, [csv('/x'), jsonLines('x'), parquet('../x')])), [])
  })

  test('have limits that are whole numbers', () => {
    assert.deepEqual(problemsOf(views, [csv('', { recordsPerFileMax: 0 }), consoleSink({ rowsMax: 2.5 })]), [
      'queries.q.sinks[0]: the path is empty',
      'queries.q.sinks[0]: recordsPerFileMax is 0',
      'queries.q.sinks[1]: rowsMax is 2.5',
    ])
  })
})

describe('the source', () => {
  test('is one for all queries, and its mistakes are told once', () => {
    const other = stream(logSource('others'), clickEvent).withWatermark('event_time', '1s')
    const plan = pipeline('p')
      .query('a', views)
      .query('b', other.window(minute).aggregate({ n: count() }))
    assert.deepEqual(texts(plan), ['queries.b: it reads another source, schema or rules than "a"'])
    const wrong = stream(logSource('no topic'), clickEvent).withWatermark('event_time', '1s')
    const twice = wrong.window(minute).aggregate({ n: count() })
    assert.deepEqual(texts(pipeline('p').query('a', twice).query('b', twice)), [
      'queries.a.source: "no topic" is not a topic name',
    ])
  })

  test('is the same when it is declared twice with the same words', () => {
    const again = stream(logSource('events'), clickEvent).withWatermark('event_time', '5s')
    const plan = pipeline('p')
      .query('a', views)
      .query('b', again.window(minute).aggregate({ n: count() }))
    assert.deepEqual(texts(plan), [])
  })

  test('has rules about columns that they can judge', () => {
    const of = (...rules: Rule[]) =>
      texts(
        pipeline('p').query(
          'q',
          stream(logSource('events'), clickEvent, { rules })
            .withWatermark('event_time', '1s')
            .window(minute)
            .aggregate({ n: count() }),
        ),
      )
    assert.deepEqual(of(oneOf('amount', ['1']), range('device', { min: 1 }), lengthMax('props', 9), required('nme')), [
      'queries.q.rules.amount-one-of: the rule one-of of "amount", which is decimal',
      'queries.q.rules.device-range: the rule range of "device", which is string',
      'queries.q.rules.props-length: the rule length of "props", which is json',
      'queries.q.rules.nme-required: there is no column "nme"',
    ])
    assert.deepEqual(of(oneOf('device', []), range('amount', { min: 2, max: 1 }), lengthMax('os', 0)), [
      'queries.q.rules.device-one-of: the rule allows no value at all',
      'queries.q.rules.amount-range: the rule allows 2 to 1',
      'queries.q.rules.os-length: at most 0 bytes',
    ])
    assert.deepEqual(of(required('os', { when: { column: 'amount', values: [1] } })), [
      'queries.q.rules.os-required: the rule depends on "amount", which is decimal',
    ])
    assert.deepEqual(of(required('os', { when: { column: 'device', values: [1] } })), [
      'queries.q.rules.os-required: the rule depends on "device" being one of [1]',
    ])
    assert.deepEqual(of(required('os'), required('os')), [
      'queries.q.rules.os-required: there is another rule "os-required"',
    ])
    assert.deepEqual(of(range('amount', {}, 'no limits')), [
      'queries.q.rules.no limits: "no limits" is not a name for a rule',
      'queries.q.rules.no limits: the rule allows anything to anything',
    ])
  })

  test('has a schema that makes sense, even when nobody built it', () => {
    const fields = [
      { name: 'at', type: 'timestamp', required: true, timeZone: 'Mars/Olympus', scale: 2 },
      { name: 'AT', type: 'decimal', required: false },
      { name: 'a b', type: 'string', required: false },
      { name: 'c', type: 'string', required: false, from: 'at' },
      { name: 'd', type: 'json', required: false, rest: true },
      { name: 'e', type: 'json', required: false, rest: true },
    ] as const
    const root: QueryNode = {
      kind: 'aggregate',
      input: {
        kind: 'watermark',
        input: { kind: 'source', source: logSource('events'), schema: { fields }, rules: [] },
        column: 'at',
        delayMs: 0,
        policy: 'per-partition',
        idleTimeoutMs: 1,
        clockSkewMaxMs: null,
        ageMaxMs: null,
      },
      window: minute,
      keys: [],
      aggregates: [{ name: 'n', spec: { kind: 'count' } }],
    }
    assert.deepEqual(problemsOf({ root }), [
      'queries.q.schema.at: a column of type timestamp has no scale',
      'queries.q.schema.at: "Mars/Olympus" is not a time zone',
      'queries.q.schema.AT: there is another column "AT"',
      'queries.q.schema.AT: a decimal with no digits after the point',
      'queries.q.schema.a b: "a b" is not a name',
      'queries.q.schema.c: "at" and "c" both read the member "at"',
      'queries.q.schema: 2 columns collect the rest',
    ])
  })

  test('has 1 to 64 columns', () => {
    const wide = defineSchema({
      at: timestamp(),
      ...Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`c${index}`, text()])),
    })
    const query = stream(logSource('events'), wide).withWatermark('at', '1s').window(minute).aggregate({ n: count() })
    assert.deepEqual(problemsOf(query), ['queries.q.schema: the schema has 65 columns'])
  })
})

test('a pipeline has 1 to 64 queries', () => {
  assert.deepEqual(texts(pipeline('p')), ['queries: the pipeline has no query'])
  let plan = pipeline('p')
  for (let index = 0; index < 65; index++) plan = plan.query(`q${index}`, views)
  assert.deepEqual(texts(plan), ['queries: the pipeline has 65 queries'])
})
