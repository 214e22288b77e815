import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { defineSchema, text, timestamp } from '../batch/schema.ts'
import { clickEvent } from '../event/click-event.ts'
import { count } from './aggregate.ts'
import { checkPlan } from './check.ts'
import { logSource } from './connectors.ts'
import type { PipelinePlan, QueryNode } from './node.ts'
import { pipeline } from './pipeline.ts'
import { lengthMax, oneOf, type Rule, range, required } from './rule.ts'
import { stream } from './stream.ts'
import { tumbling } from './window.ts'

const minute = tumbling('1 minute')
const views = stream(logSource('events'), clickEvent)
  .withWatermark('event_time', '2 minutes')
  .groupBy('page_url')
  .window(minute)
  .aggregate({ views: count() })

/** `path: message` of everything wrong with a plan. */
function texts(plan: PipelinePlan): string[] {
  return checkPlan(plan).map(({ path, message }) => `${path}: ${message}`)
}

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
    assert.deepEqual(texts(pipeline('p').query('q', { root })), [
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
    assert.deepEqual(texts(pipeline('p').query('q', query)), ['queries.q.schema: the schema has 65 columns'])
  })
})
