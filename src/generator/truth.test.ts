import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asRecount, readValues, recount, VALID } from '../../test/support/generated-topic.ts'
import { MemoryLog } from '../log/memory-log.ts'
import { PLANTS } from './generated-event.ts'
import { generateInto } from './load.ts'
import { generatorSettings } from './settings.ts'
import { truth } from './truth.ts'

const START_MS = Date.UTC(2026, 10, 24)
const WINDOW_MS = 10_000

const settings = generatorSettings({
  eventsPerSecond: 200,
  activeSessionsMax: 100,
  lateFraction: 0.02,
  outOfOrderFraction: 0.05,
  duplicateFraction: 0.02,
  malformedFraction: 0.02,
  invalidFraction: 0.02,
  silentPartition: 3,
  silentAfterMs: 15_000,
  fastClockMs: 400_000,
})

test('the truth is what counting the bytes gives, up to any end offsets', async () => {
  const log = new MemoryLog()
  const { origin } = await generateInto(log, 'clicks', settings, {
    pace: 'flat-out',
    rows: 8_000,
    startTimeMs: START_MS,
  })
  const values = await readValues(log, 'clicks')
  const lengths = values.map((partition) => partition.length)
  for (const ends of [lengths, lengths.map((length) => length >> 1), [0, 700, 3, lengths[3]], [0, 0, 0, 0]]) {
    const told = truth(origin, ends, { windowSizeMs: WINDOW_MS, counted: VALID })
    const counted = recount(
      values.flatMap((partition, index) => partition.slice(0, ends[index])),
      WINDOW_MS,
    )
    assert.equal(
      told.rows,
      ends.reduce((sum, end) => sum + end, 0),
    )
    assert.deepEqual(asRecount(told), counted)
  }
})

test('plants are told per partition, and what is not counted leaves no trace in the totals', async () => {
  const log = new MemoryLog()
  const { origin } = await generateInto(log, 'clicks', settings, {
    pace: 'flat-out',
    rows: 5_000,
    startTimeMs: START_MS,
  })
  const ends = (await readValues(log, 'clicks')).map((partition) => partition.length)
  const all = truth(origin, ends, { windowSizeMs: WINDOW_MS })
  assert.deepEqual(
    all.partitions.map((plants) => Object.values(plants).reduce((sum, rows) => sum + rows, 0)),
    ends,
  )
  for (const plant of PLANTS) {
    assert.ok(all.rowsByPlant[plant] > 0, plant)
    assert.equal(
      all.partitions.reduce((sum, plants) => sum + plants[plant], 0),
      all.rowsByPlant[plant],
    )
  }
  assert.equal(all.counted, all.rowsByPlant.clean + all.rowsByPlant['out-of-order'] + all.rowsByPlant.duplicate)
  const damaged = Object.values(all.damaged).reduce((sum, rows) => sum + rows, 0)
  assert.equal(damaged, all.rowsByPlant.malformed + all.rowsByPlant.invalid)
  const deduped = truth(origin, ends, { windowSizeMs: WINDOW_MS, counted: ['clean', 'out-of-order'] })
  assert.equal(all.counted - deduped.counted, all.rowsByPlant.duplicate)
})

test('end offsets beyond what a silent partition was sent are refused instead of searched for ever', async () => {
  const origin = { settings, startTimeMs: START_MS }
  assert.throws(() => truth(origin, [0, 0, 0, 1_000_000], { windowSizeMs: WINDOW_MS }), /fell silent has no more rows/)
})
