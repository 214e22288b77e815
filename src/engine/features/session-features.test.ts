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
import { rowsOf } from '../../sinks/memory-sink.ts'

const schema = defineSchema({ at: timestamp({ format: 'epoch-ms', required: true }), user: text(), page: text() })

const START_MS = Date.UTC(2026, 0, 1)

const plan = planOf('past')
const batches = planOf('batch')

function planOf(mode: 'past' | 'batch'): Pipeline {
  const features = { pages: countDistinct('page') }
  const rows = stream(logSource('clicks'), schema)
    .withWatermark('at', '10s', { maxClockSkew: null })
    .withSessionFeatures({ by: 'user', window: tumbling('1 minute'), features, mode })
  return pipeline('features').query('q', rows.select({ at: 'at', pages: 'pages' }))
}

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

test('features of what an epoch has of the window know what comes after the row, and nothing of other epochs', () => {
  const run = new EngineRun(batches, 2)
  assert.deepEqual(told(run, [click(1, '/a'), click(59, '/b'), click(3, '/a', 'v')], [click(2, '/c')]), [3, 3, 1, 3])
  assert.deepEqual(told(run.restored(), [click(58, '/a'), click(61, '/a')], []), [1, 1])
})

/** Rows come out with their epoch. */
function told(run: EngineRun, ...partitions: readonly ReturnType<typeof click>[][]): unknown[] {
  const rows = run.epoch(partitions).queries[0]?.append
  return rows ? rowsOf(rows).map((row) => row.get('pages')) : []
}

function click(second: number, page: string, user = 'u') {
  return { at: START_MS + second * 1_000, user, page }
}
