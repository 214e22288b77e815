import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MillraceError } from '../base/error.ts'
import { clickEvent, clickEventRules } from '../event/click-event.ts'
import { approxCountDistinct, count, sum, topK } from './aggregate.ts'
import { consoleSink, day, kafka, logSource, parquet } from './connectors.ts'
import { and, col, eq, isNull, not } from './expression.ts'
import { urlHost } from './functions.ts'
import type { PipelinePlan, QueryPlan } from './node.ts'
import { pipeline } from './pipeline.ts'
import { planFromJson, planToJson, queryIdentity } from './plan-codec.ts'
import { stream } from './stream.ts'
import { session, sliding, tumbling } from './window.ts'

const events = stream(logSource('events'), clickEvent, { rules: clickEventRules }).withWatermark('event_time', '2m')
const purchases = and(eq(col('event_type'), 'purchase'), not(isNull(col('amount'))))
const query = events
  .groupBy('page_url')
  .window(tumbling('1m'))
  .aggregate({ users: approxCountDistinct('user_id', 0.02), revenue: sum('amount').where(purchases) })
const plan = pipeline('page-metrics').query('page_metrics', query, [
  parquet('out', { partitionBy: day('window_start').as('dt'), compression: 'zstd' }),
])

describe('a plan as JSON', () => {
  test('comes back as the same plan, frozen', () => {
    const back = planFromJson(planToJson(plan))
    assert.deepEqual(back, plan)
    assert.ok(Object.isFrozen(back.queries[0]?.sinks[0]))
    assert.deepEqual(planFromJson(JSON.parse(planToJson(plan))), plan)
    const since = stream(logSource('events', { from: new Date(5) }), clickEvent).withWatermark('event_time', '2m')
    const counts = since.groupBy('page_url').window(tumbling('1m')).aggregate({ events: count() })
    const toKafka = pipeline('k').query('q', counts, [kafka('out', { key: 'page_url' })])
    assert.deepEqual(planFromJson(planToJson(toKafka)), toKafka)
  })

  test('is the same text for the same plan, whatever the order of members', () => {
    assert.equal(planToJson(planFromJson(reversed(plan))), planToJson(plan))
    assert.match(planToJson(plan), /^\{\n {2}"millracePlan": 1,\n {2}"name": "page-metrics",\n/)
  })

  test('is not what the caller can change afterwards', () => {
    const data: { name: string } = JSON.parse(planToJson(plan))
    const read = planFromJson(data)
    data.name = 'other'
    assert.equal(read.name, 'page-metrics')
  })
})

describe('what is not a plan is refused', () => {
  test('with all that is wrong with its shape', () => {
    const wrong = {
      millracePlan: 2,
      nme: 'page-metrics',
      queries: [
        { name: 'a', root: { kind: 'agregate' }, sinks: [{ kind: 'oracle' }] },
        { name: 'b', root: { ...query.root, window: { kind: 'hopping', sizeMs: 1, slideMs: 1 } }, sinks: [] },
        null,
      ],
    }
    const shape = '`millrace plan PIPELINE --json` prints a plan that has the right shape'
    assertRefused(wrong, [
      'this is not a plan:',
      '  plan: there is no member "nme" here (did you mean "name"?)',
      '  millracePlan: unsupported plan version 2 (supported: 1)',
      `  name: it is missing (${shape})`,
      '  queries[0].root: unsupported step "agregate" (did you mean "aggregate"? supported: source, filter, derive, watermark, dedupe, session-features, predict, funnel, model-report, aggregate, select)',
      '  queries[0].sinks[0]: unsupported sink "oracle" (supported: parquet, csv, json, kafka, postgres, duckdb, redis, latest-file, console, memory)',
      '  queries[1].root.window: unsupported window "hopping" (supported: tumbling, calendar, sliding, session, global)',
      `  queries[2]: an object is expected, this is null (${shape})`,
    ])
  })

  test('with the member that a misspelt one was meant to be', () => {
    const text = planToJson(plan).replace('"idleTimeoutMs"', '"idleTimoutMs"')
    const [, unknown, missing] = refusal(text)
    assert.match(unknown ?? '', /queries\[0\]\.root\.input: there is no member "idleTimoutMs" here .*"idleTimeoutMs"\?/)
    assert.match(missing ?? '', /queries\[0\]\.root\.input\.idleTimeoutMs: it is missing/)
  })

  test('with the word that a misspelt one was meant to be', () => {
    const text = planToJson(plan).replace('"per-partition"', '"per-partion"')
    assert.match(refusal(text)[1] ?? '', /unsupported watermark policy "per-partion" \(did you mean "per-partition"\?/)
  })

  test('with the type of a value that has another one', () => {
    for (const [member, wrong, expected] of [
      ['"sizeMs": 60000', '"sizeMs": "1m"', /window\.sizeMs: a number is expected, this is 1m/],
      ['"value": "purchase"', '"value": null', /value: a text, a number, true or false is expected, this is null/],
      ['"required": true', '"required": 1', /fields\[\d+\]\.required: true or false is expected, this is 1/],
      ['"keys": [\n', '"keys": {}, "x": [\n', /keys: a list is expected, this is an object/],
      ['"path": "out"', '"path": ["out"]', /sinks\[0\]\.path: a text is expected, this is a list/],
      ['"name": "page-metrics"', `"name": "${'x'.repeat(10_001)}"`, /name: a text of 10001 characters/],
    ] as const) {
      const json = planToJson(plan)
      assert.ok(json.includes(member), member)
      assert.match(refusal(json.replace(member, wrong)).join('\n'), expected)
    }
  })

  test('with what it says, when its shape is right', () => {
    const text = planToJson(plan).replace('"column": "user_id"', '"column": "usr_id"')
    assert.deepEqual(refusal(text), [
      'the pipeline "page-metrics" cannot run:',
      '  queries.page_metrics.aggregates.users: there is no column "usr_id" (did you mean "user_id"?)',
    ])
  })

  test('when it is not JSON at all', () => {
    assert.match(refusal('{"millracePlan": 1,')[0] ?? '', /^the plan is not JSON: /)
    assert.match(refusal('null').join('\n'), /plan: an object is expected, this is null/)
    assert.match(refusal('[]').join('\n'), /plan: an object is expected, this is a list/)
  })

  test('when a member tries to be the prototype', () => {
    const text = planToJson(plan).replace('"millracePlan"', '"__proto__": {"name": "x"}, "millracePlan"')
    assert.match(refusal(text)[1] ?? '', /plan: there is no member "__proto__" here/)
  })

  test('when it nests so deep that reading it would exhaust the stack', () => {
    const depth = 5000
    const deep = `{"millracePlan":1,"name":"x","queries":${'['.repeat(depth)}${']'.repeat(depth)}}`
    assert.match(refusal(deep)[1] ?? '', /plan: it nests deeper than 256 levels/)
  })

  test('with a hundred problems at most', () => {
    const queries = Array.from({ length: 100_000 }, () => 1)
    assert.equal(refusal({ millracePlan: 1, name: 'x', queries }).length, 101)
    const members = Object.fromEntries(queries.map((_, index) => [`m${index}`, 1]))
    assert.equal(refusal({ ...members, millracePlan: 1, name: 'x', queries: [] }).length, 101)
  })
})

describe('the identity of a query', () => {
  const identity = (changed: PipelinePlan) => queryIdentity(changed.queries[0] as QueryPlan)
  const over = (input: typeof events) =>
    identity(pipeline('p').query('q', input.window(tumbling('1m')).aggregate({ n: count() })))

  test('is the same after a way through JSON, with its members in any order', () => {
    assert.equal(identity(planFromJson(reversed(plan))), identity(plan))
  })

  test('is the same for other names, sinks, topics and idle timeouts', () => {
    assert.equal(identity(pipeline('other').query('x', query, [consoleSink()])), identity(plan))
    const elsewhere = stream(logSource('elsewhere', { from: 'latest' }), clickEvent, { rules: clickEventRules })
    assert.equal(over(elsewhere.withWatermark('event_time', '2m', { idleTimeout: '1s' })), over(events))
  })

  test('is another one for everything that changes results', () => {
    const source = stream(logSource('events'), clickEvent, { rules: clickEventRules })
    const bare = stream(logSource('events'), clickEvent)
    const window = tumbling('1m')
    const n = count()
    const queries = [
      events.window(window).aggregate({ n }),
      events.window(tumbling('2m')).aggregate({ n }),
      events.window(window).aggregate({ m: n }),
      events.window(window).aggregate({ n: n.where(purchases) }),
      events.window(window).aggregate({ n: sum('amount') }),
      events.window(window).aggregate({ n: approxCountDistinct('user_id') }),
      events.window(window).aggregate({ n: approxCountDistinct('user_id', 0.01) }),
      events.groupBy('country').window(window).aggregate({ n }),
      events.where(purchases).window(window).aggregate({ n }),
      source.where(purchases).withWatermark('event_time', '2m').window(window).aggregate({ n }),
      source.withWatermark('event_time', '3m').window(window).aggregate({ n }),
      source.withWatermark('event_time', '2m', { policy: 'global-max' }).window(window).aggregate({ n }),
      source.withWatermark('event_time', '2m', { maxClockSkew: null }).window(window).aggregate({ n }),
      source.withWatermark('event_time', '2m', { maxAge: '1d' }).window(window).aggregate({ n }),
      source.withWatermark('event_time', '2m', { advanceWhenIdle: true }).window(window).aggregate({ n }),
      bare.withWatermark('event_time', '2m').window(window).aggregate({ n }),
      events.window(sliding('1m', '30s')).aggregate({ n }),
      events.window(tumbling('1 day', { calendar: true })).aggregate({ n }),
      events.window(tumbling('1 day', { timeZone: 'Europe/Paris' })).aggregate({ n }),
      events.window(session('1m')).aggregate({ n }),
      events.window(session('1m', { endWhen: purchases })).aggregate({ n }),
      events.dedupe('event_id', { within: '1m' }).window(window).aggregate({ n }),
      events
        .derive({ host: urlHost(col('page_url')) })
        .window(window)
        .aggregate({ n }),
      events.window(window).aggregate({ n: topK('page_url', 3) }),
      events.select({ page: 'page_url' }),
      events.select({ page: 'user_id' }),
    ]
    const identities = queries.map(({ root }) => queryIdentity({ name: 'q', root, sinks: [] }))
    assert.equal(new Set(identities).size, queries.length)
    const once = { name: 'q', root: events.window(window).aggregate({ n }).root, sinks: [] }
    assert.notEqual(queryIdentity({ ...once, meta: true }), queryIdentity(once))
  })
})

/** The same data with the members of each object the other way round. */
function reversed<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(reversed) as T
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  ) as T
}

/** The lines of the error that a plan is refused with. */
function refusal(json: unknown): string[] {
  try {
    planFromJson(json)
  } catch (error) {
    assert.ok(error instanceof MillraceError, String(error))
    assert.equal(error.code, 'invalid-plan')
    return error.message.split('\n')
  }
  return assert.fail('it was taken')
}

function assertRefused(json: unknown, lines: readonly string[]): void {
  assert.deepEqual(refusal(json), lines)
}
