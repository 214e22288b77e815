import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MillraceError } from '../base/error.ts'
import { clickEvent } from '../event/click-event.ts'
import { approxCountDistinct, avg, count, max, min, sum } from './aggregate.ts'
import { assertPlan, checkPlan } from './check.ts'
import {
  consoleSink,
  csv,
  day,
  jsonLines,
  kafka,
  logSource,
  memorySink,
  parquet,
  type SinkSpec,
  value,
} from './connectors.ts'
import { col, eq } from './expression.ts'
import type { PipelinePlan } from './node.ts'
import { pipeline } from './pipeline.ts'
import { type Query, stream } from './stream.ts'
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
    assert.deepEqual(problemsOf({ root: source }), [
      'queries.q: the query ends neither in an aggregate nor in a select',
    ])
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

  test('have filters that are checked like any other', () => {
    const query = events.window(minute).aggregate({ n: count().where(eq(col('countri'), 'DE')) })
    assert.deepEqual(problemsOf(query), ['queries.q.aggregates.n.where: there is no column "countri"'])
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
  test('of Kafka name a topic that can be, and a column that is there', () => {
    const topicHint = 'use 1 to 200 letters, digits, dots, underscores and hyphens'
    assert.deepEqual(problemsOf(views, [kafka('page-views', { key: 'page_url' })]), [])
    assert.deepEqual(problemsOf(views, [kafka('page views')]), ['queries.q.sinks[0]: "page views" is not a topic name'])
    assert.ok(checkPlan(pipeline('p').query('q', views, [kafka('..')])).some(({ hint }) => hint === topicHint))
    assert.deepEqual(problemsOf(views, [kafka('x', { key: 'page' })]), [
      'queries.q.sinks[0].key: there is no column "page"',
    ])
  })

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

test('a pipeline has 1 to 64 queries', () => {
  assert.deepEqual(texts(pipeline('p')), ['queries: the pipeline has no query'])
  let plan = pipeline('p')
  for (let index = 0; index < 65; index++) plan = plan.query(`q${index}`, views)
  assert.deepEqual(texts(plan), ['queries: the pipeline has 65 queries'])
})
