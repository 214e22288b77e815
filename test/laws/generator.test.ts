import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RowStatus } from '../../src/batch/batch.ts'
import { createScalarDecoder } from '../../src/batch/scalar-decoder.ts'
import { Validator } from '../../src/engine/validation/validator.ts'
import { clickEvent, clickEventRules } from '../../src/event/click-event.ts'
import { generateInto } from '../../src/generator/load.ts'
import { generatorSettings } from '../../src/generator/settings.ts'
import { truth } from '../../src/generator/truth.ts'
import { MemoryLog } from '../../src/log/memory-log.ts'
import { asRecount, copyCut, readValues, recount, VALID } from '../support/generated-topic.ts'

const START_MS = Date.UTC(2026, 10, 24)
const ROWS = 1_500

const fraction = fc.constantFrom(0, 0.01, 0.2)

const anySettings = fc
  .record({
    seed: fc.nat(),
    partitions: fc.integer({ min: 1, max: 6 }),
    eventsPerSecond: fc.constantFrom(0.5, 30, 1_000, 1e6),
    diurnalStrength: fc.constantFrom(0, 0, 0.5, 1),
    users: fc.integer({ min: 2, max: 3_000 }),
    activeSessionsMax: fc.integer({ min: 1, max: 300 }),
    newSessionProbability: fc.constantFrom(0, 0.05, 1),
    purchaseProbabilityScaling: fc.constantFrom(0, 0.01, 1),
    productsPerCategory: fc.integer({ min: 1, max: 20 }),
    lateFraction: fraction,
    outOfOrderFraction: fraction,
    duplicateFraction: fraction,
    malformedFraction: fraction,
    invalidFraction: fraction,
    producers: fc.constantFrom(1, 3, 16),
    fastClockMs: fc.constantFrom(0, 600_000),
  })
  .map((given) => generatorSettings(given))

test('a run that is cut at any offsets and goes on leaves the bytes of a straight one', async () => {
  const cut = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 6, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(anySettings, cut, fc.integer({ min: 400, max: 50_000 }), async (settings, shares, batchBytes) => {
      const straight = new MemoryLog()
      const options = { pace: 'flat-out', startTimeMs: START_MS } as const
      await generateInto(straight, 'clicks', settings, { ...options, rows: ROWS })
      const whole = await readValues(straight, 'clicks')
      const ends = whole.map((values, partition) => Math.round(values.length * shares[partition]))
      const log = new MemoryLog()
      await copyCut(straight, 'clicks', ends, log)
      const left = ROWS - ends.reduce((sum, end) => sum + end, 0)
      if (left > 0) await generateInto(log, 'clicks', settings, { ...options, rows: left, batchBytes })
      assert.deepEqual(await readValues(log, 'clicks'), whole)
    }),
    { numRuns: 30 },
  )
})

test('the truth is what counting the bytes gives', async () => {
  await fc.assert(
    fc.asyncProperty(anySettings, fc.constantFrom(1_000, 60_000, 86_400_000), async (settings, windowSizeMs) => {
      const log = new MemoryLog()
      const { origin } = await generateInto(log, 'clicks', settings, {
        pace: 'flat-out',
        rows: ROWS,
        startTimeMs: START_MS,
      })
      const values = await readValues(log, 'clicks')
      const counted = recount(values.flat(), windowSizeMs)
      const told = truth(
        origin,
        values.map(({ length }) => length),
        { windowSizeMs, counted: VALID },
      )
      assert.equal(told.rows, ROWS)
      assert.deepEqual(asRecount(told), counted)
    }),
    { numRuns: 30 },
  )
})

test('the decoder and the rules of the canonical event refuse exactly what was spoiled', async () => {
  const { fields } = clickEvent
  const knownMembers = new Set(fields.filter((field) => !field.rest).map(({ name }) => name))
  const validator = new Validator(fields, clickEventRules)
  const origin = {
    settings: generatorSettings({ malformedFraction: 0.2, invalidFraction: 0.2 }),
    startTimeMs: START_MS,
  }
  const log = new MemoryLog()
  await generateInto(log, 'clicks', origin.settings, { pace: 'flat-out', rows: 5_000, startTimeMs: START_MS })
  const ends: number[] = []
  let malformed = 0
  let invalid = 0
  for (const [partition, values] of (await readValues(log, 'clicks')).entries()) {
    const decoder = createScalarDecoder({ fields, knownMembers, hashSeed: 1, dictionaryEntriesMax: 100_000 })
    for (const records of await log.read('clicks', partition, 0, 1 << 30)) {
      const batch = decoder.decode(records)
      const broken = validator.check(batch)
      for (let row = 0; row < batch.rowCount; row++) {
        if (batch.status[row] === RowStatus.malformed) malformed++
        else if (batch.status[row] !== RowStatus.fine || broken[row] > 0) invalid++
      }
    }
    ends.push(values.length)
  }
  const { rowsByPlant } = truth(origin, ends, { windowSizeMs: 60_000 })
  assert.deepEqual([malformed, invalid], [rowsByPlant.malformed, rowsByPlant.invalid])
  assert.ok(malformed > 900 && invalid > 900)
})
