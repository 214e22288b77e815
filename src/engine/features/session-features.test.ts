import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EngineRun } from '../../../test/support/events.ts'
import {
  countDistinct,
  defineSchema,
  logSource,
  type Pipeline,
  pipeline,
  stream,
  text,
  timestamp,
  tumbling,
} from '../../index.ts'

const schema = defineSchema({ at: timestamp({ format: 'epoch-ms', required: true }), user: text(), page: text() })

const START_MS = Date.UTC(2026, 0, 1)

const plan: Pipeline = pipeline('features').query(
  'q',
  stream(logSource('clicks'), schema)
    .withWatermark('at', '1s', { maxClockSkew: null })
    .withSessionFeatures({ by: 'user', window: tumbling('1 minute'), features: { pages: countDistinct('page') } })
    .select({ at: 'at', pages: 'pages' }),
)

test('sessions are forgotten with their window, so that the state does not grow with time', () => {
  const run = new EngineRun(plan, 1)
  const sizes = Array.from({ length: 50 }, (_, minute) => {
    run.epoch([
      Array.from({ length: 20 }, (_, index) => click(minute * 60 + index, `/${minute}`, `u${minute}-${index}`)),
    ])
    return run.engine.snapshot().length
  })
  const [before, after] = [Math.max(...sizes.slice(5, 10)), Math.max(...sizes.slice(-5))]
  assert.ok(after < 1.2 * before, `${after} bytes at the end, ${before} at the start`)
})

function click(second: number, page: string, user = 'u') {
  return { at: START_MS + second * 1_000, user, page }
}
