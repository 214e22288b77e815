/** Keys that never come again: what is held and the memory for it stay at what two minutes need. MILLRACE_TEST_SCALE=full takes ten million. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  count,
  countDistinct,
  defineSchema,
  logSource,
  pipeline,
  session,
  stream,
  text,
  timestamp,
  tumbling,
} from '../../src/index.ts'
import { EngineBench } from '../support/timeline/engine-bench.ts'

const MINUTES = process.env['MILLRACE_TEST_SCALE'] === 'full' ? 100 : 16
/** Half of the run is more than tables keep before they let go of anything. */
const KEYS_PER_MINUTE = 100_000
const EPOCHS_PER_MINUTE = 4
const START_MS = Date.UTC(2026, 0, 1)

const visits = stream(
  logSource('visits'),
  defineSchema({ at: timestamp({ format: 'epoch-ms' }), room: text(), user: text({ cardinality: 'high' }) }),
).withWatermark('at', '10s', { maxClockSkew: null })

for (const [name, query] of [
  [
    'windows',
    visits
      .groupBy('user')
      .window(tumbling('1 minute'))
      .aggregate({ visits: count(), users: countDistinct('user') }),
  ],
  ['sessions', visits.groupBy('user').window(session('30s')).aggregate({ visits: count() })],
  [
    'features',
    visits
      .withSessionFeatures({ by: 'room', window: tumbling('1 minute'), features: { users: countDistinct('user') } })
      .select({ at: 'at', users: 'users' }),
  ],
] as const) {
  test(`${name} of keys that never come again are held for a minute or two, and so is their memory`, async () => {
    const plan = pipeline('crowds').query('q', query)
    const options = { partitions: 1, modes: ['append'], parallelism: 1, rowByRow: false } as const
    const bench = new EngineBench(plan, { ...options, groupsMax: 3 * KEYS_PER_MINUTE })
    const memory: number[] = []
    let rows = 0
    const run = async (lines: readonly string[], flush: boolean): Promise<void> => {
      const results = await bench.run({ lines: [lines], clockMs: START_MS, idle: [], ended: [], flush })
      rows += results.queries[0]?.append?.rowCount ?? 0
    }
    for (let minute = 0; minute < MINUTES; minute++) {
      for (let epoch = 0; epoch < EPOCHS_PER_MINUTE; epoch++) await run(crowd(minute, epoch), false)
      const held = bench.engine.status().queries[0]?.stateRows as number
      assert.ok(held <= 2 * KEYS_PER_MINUTE, `${held} groups are held`)
      memory.push(await heldBytes())
    }
    await run([], true)
    assert.equal(rows, MINUTES * KEYS_PER_MINUTE)
    assert.equal(bench.engine.status().queries[0]?.stateRows, 0)
    const half = MINUTES / 2
    const [before, after] = [Math.max(...memory.slice(0, half)), Math.max(...memory.slice(half))]
    assert.ok(after < 1.25 * before, `${after} bytes in the second half, ${before} in the first`)
  })
}

function crowd(minute: number, epoch: number): string[] {
  const size = KEYS_PER_MINUTE / EPOCHS_PER_MINUTE
  return Array.from({ length: size }, (_, index) => {
    const number = epoch * size + index
    const at = START_MS + minute * 60_000 + Math.floor((number / KEYS_PER_MINUTE) * 60_000)
    return `{"at":${at},"room":"room-${number % 100}","user":"user-${minute * KEYS_PER_MINUTE + number}"}`
  })
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** On the heap and in typed arrays, after all garbage is gone. */
async function heldBytes(): Promise<number> {
  collect()
  // What typed arrays held is given back by then.
  await new Promise((resolve) => setImmediate(resolve))
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
