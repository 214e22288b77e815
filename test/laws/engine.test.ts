import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  count,
  defineSchema,
  logSource,
  type Pipeline,
  pipeline,
  stream,
  text,
  timestamp,
  tumbling,
} from '../../src/index.ts'
import { EngineRun } from '../support/events.ts'

const WINDOW_MS = 60_000
const START_MS = Date.UTC(2026, 0, 1)

const schema = defineSchema({ ts: timestamp({ format: 'epoch-ms', required: true }), page: text() })

const plan: Pipeline = pipeline('laws').query(
  'q',
  stream(logSource('t'), schema)
    .withWatermark('ts', '30s', { maxClockSkew: null })
    .groupBy('page')
    .window(tumbling('1 minute'))
    .aggregate({ rows: count() }),
)

test('each row has one fate, and a row behind the watermark is late with the window it missed', () => {
  const run = new EngineRun(plan, 1)
  const first = run.epoch([['nonsense', { ts: 'x' }, { page: '/a' }, { ts: START_MS + 200_000, page: '/a' }]])
  const fates = Object.fromEntries(first.ledger.map(({ fate, rule, rows }) => [`${fate} ${rule}`.trim(), rows]))
  assert.deepEqual(fates, { 'malformed not JSON': 1, 'invalid ts-type': 1, 'invalid ts-required': 1, accepted: 1 })
  const second = run.epoch([[{ ts: START_MS, page: '/a' }]])
  assert.equal(second.deadLetters[0]?.fate, 'late')
  assert.deepEqual(second.deadLetters[0]?.windowsMissed, [
    { query: 'q', startMs: START_MS, endMs: START_MS + WINDOW_MS },
  ])
})
