import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MillraceError } from '../base/error.ts'
import { defineSchema, int32, int64, text, timestamp } from '../batch/schema.ts'
import { clickEvent, clickEventRules } from '../event/click-event.ts'
import { approxCountDistinct, count, countDistinct, sum } from './aggregate.ts'
import { checkPlan } from './check.ts'
import { consoleSink, day, fileSource, logSource, parquet } from './connectors.ts'
import { col, eq, ge } from './expression.ts'
import { urlHost } from './functions.ts'
import { pipeline } from './pipeline.ts'
import { stream } from './stream.ts'
import { tumbling } from './window.ts'

const events = stream(logSource('events'), clickEvent, { rules: clickEventRules }).withWatermark(
  'event_time',
  '2 minutes',
)

const pageViews = events.groupBy('page_url').window(tumbling('1 minute')).aggregate({ views: count() })

describe('a pipeline', () => {
  test('takes one sink as it takes a list of one', () => {
    const one = pipeline('p').query('page_views', pageViews, parquet('out'))
    assert.deepEqual(one.queries, pipeline('p').query('page_views', pageViews, [parquet('out')]).queries)
    assert.equal(one.queries[0]?.sinks.length, 1)
  })

  test('is its plan, as plain data', () => {
    const plan = pipeline('page-metrics').query('page_views', pageViews, [
      parquet('out/page_views', { partitionBy: day('window_start').as('dt') }),
    ])
    assert.deepEqual(JSON.parse(JSON.stringify(plan)), {
      millracePlan: 1,
      name: 'page-metrics',
      queries: [
        {
          name: 'page_views',
          root: {
            kind: 'aggregate',
            input: {
              kind: 'watermark',
              input: {
                kind: 'source',
                source: { kind: 'log', topic: 'events', from: 'earliest' },
                schema: { fields: clickEvent.fields },
                rules: clickEventRules,
              },
              column: 'event_time',
              delayMs: 120_000,
              policy: 'per-partition',
              idleTimeoutMs: 30_000,
              clockSkewMaxMs: 300_000,
              ageMaxMs: null,
            },
            window: { kind: 'tumbling', sizeMs: 60_000 },
            keys: ['page_url'],
            aggregates: [{ name: 'views', spec: { kind: 'count' } }],
          },
          sinks: [
            {
              kind: 'parquet',
              path: 'out/page_views',
              partitionBy: { name: 'dt', column: 'window_start', transform: 'day' },
            },
          ],
        },
      ],
    })
  })

  test('grows by a query at a time and never changes', () => {
    const empty = pipeline('two')
    const one = empty.query('first', pageViews)
    const two = one.query('second', pageViews, [consoleSink()])
    assert.deepEqual(
      [empty, one, two].map(({ queries }) => queries.map(({ name }) => name)),
      [[], ['first'], ['first', 'second']],
    )
    assert.ok(everythingFrozen(two))
  })

  test('keeps every filter of an aggregate in the plan', () => {
    const purchases = eq(col('event_type'), 'purchase')
    const query = events.window(tumbling('1h')).aggregate({
      purchases: count().where(purchases),
      revenue: sum('amount').where(purchases),
    })
    assert.equal(query.root.kind, 'aggregate')
    assert.deepEqual(query.root.kind === 'aggregate' && query.root.aggregates, [
      { name: 'purchases', spec: { kind: 'count', where: purchases } },
      { name: 'revenue', spec: { kind: 'sum', column: 'amount', where: purchases } },
    ])
  })
})

describe('a watermark', () => {
  test('takes its durations as text', () => {
    const { root } = stream(logSource('events'), clickEvent)
      .withWatermark('event_time', '0s', {
        policy: 'global-max',
        idleTimeout: '1 minute',
        maxClockSkew: null,
        maxAge: '7 days',
        advanceWhenIdle: false,
      })
      .window(tumbling('1m'))
      .aggregate({ n: count() })
    assert.equal(root.kind, 'aggregate')
    const { input, ...watermark } = (root as { input: { input: unknown } }).input
    assert.ok(input)
    assert.deepEqual(watermark, {
      kind: 'watermark',
      column: 'event_time',
      delayMs: 0,
      policy: 'global-max',
      idleTimeoutMs: 60_000,
      clockSkewMaxMs: null,
      ageMaxMs: 604_800_000,
      advanceWhenIdle: false,
    })
  })

  test('names the duration that is none', () => {
    assert.throws(
      () => events.withWatermark('event_time', 'soon'),
      hasMessage('watermark delay is not a duration: "soon"'),
    )
    assert.throws(
      () => events.withWatermark('event_time', '1m', { idleTimeout: '30' }),
      hasMessage('idle timeout is not a duration: "30"'),
    )
    assert.throws(() => tumbling('-1 minute'), hasMessage('window size is not a duration: "-1 minute"'))
  })
})

describe('column names are checked by the compiler', () => {
  test('in every place where a stream takes one', () => {
    // @ts-expect-error no such column
    events.withWatermark('event_tme', '1m')
    // @ts-expect-error no such column
    events.groupBy('page_url', 'contry')
    // @ts-expect-error no such column
    events.window(tumbling('1m')).aggregate({ revenue: sum('amonut') })
    // @ts-expect-error no such column
    events.window(tumbling('1m')).aggregate({ users: approxCountDistinct('userid').where(eq(col('device'), 'bot')) })
    // @ts-expect-error no such column
    events.dedupe('evnt_id', { within: '1m' })
    // @ts-expect-error no such column
    events.select({ page: 'page_ulr' })
    // @ts-expect-error no such column
    events.groupBy('host')
    const options = { window: tumbling('5m'), features: { clicks: count() } }
    // @ts-expect-error no such column
    events.withSessionFeatures({ ...options, by: 'sesion_id' })
    const withHost = events.derive({ host: urlHost(col('page_url')) })
    withHost.withSessionFeatures({ ...options, by: 'host' }).select({ host: 'host', clicks: 'clicks' })
    const query = withHost
      .groupBy('country', 'host')
      .window(tumbling('1m'))
      .aggregate({ users: countDistinct('user_id'), hosts: countDistinct('host') })
    assert.deepEqual(checkPlan(pipeline('fine').query('users', query)), [])
  })

  test('and at run time in expressions, which know no schema', () => {
    const query = events
      .where(eq(col('contry'), 'DE'))
      .window(tumbling('1m'))
      .aggregate({ n: count() })
    assert.deepEqual(checkPlan(pipeline('wrong').query('n', query)), [
      { path: 'queries.n.where[0]', message: 'there is no column "contry"', hint: 'did you mean "country"?' },
    ])
  })
})

test("a schema of one's own takes a few lines", () => {
  const request = defineSchema({
    event_time: timestamp({ required: true }),
    user_id: text({ required: true, cardinality: 'high' }),
    event_type: text({ required: true }),
    page_url: text({ required: true }),
    method: text(),
    status: int32(),
    bytes: int64(),
    referrer: text(),
    user_agent: text(),
  })
  const pageViewsPerHour = stream(fileSource('access.ndjson.gz'), request)
    .withWatermark('event_time', '2 minutes')
    .groupBy('page_url')
    .window(tumbling('1 hour'))
    .aggregate({
      pageviews: count(),
      visitors: countDistinct('user_id'),
      errors: count().where(ge(col('status'), 500)),
      bytes: sum('bytes'),
    })
  assert.deepEqual(checkPlan(pipeline('web-log').query('page_views', pageViewsPerHour, [consoleSink()])), [])
})

function everythingFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  return Object.isFrozen(value) && Object.values(value).every(everythingFrozen)
}

function hasMessage(message: string): (error: unknown) => boolean {
  return (error) => error instanceof MillraceError && error.message === message
}
