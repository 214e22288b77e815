import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { parsed } from '../../test/support/generated-topic.ts'
import { DAMAGE_KINDS } from './damage.ts'
import { EventWriter } from './event-writer.ts'
import { GeneratedEvent, PLANTS } from './generated-event.ts'
import { RowSequence } from './row-sequence.ts'
import { type GeneratorSettings, generatorSettings } from './settings.ts'
import { Traffic } from './traffic.ts'

const START_MS = Date.UTC(2026, 10, 24)

interface Row {
  readonly event: GeneratedEvent
  readonly plant: string
  readonly dueMs: number
  readonly value: Buffer
}

function rowsOf(settings: GeneratorSettings, count: number, startTimeMs = START_MS): Row[] {
  const sequence = new RowSequence(settings, startTimeMs)
  const writer = new EventWriter(settings)
  return Array.from({ length: count }, () => {
    const row = sequence.next()
    const event = new GeneratedEvent()
    event.copyFrom(row)
    const dueMs = sequence.dueMs(sequence.nextIndex - 1)
    return { event, plant: PLANTS[row.plant], dueMs, value: Buffer.from(writer.write(row)) }
  })
}

const EVERYTHING = generatorSettings({
  seed: 5,
  lateFraction: 0.02,
  outOfOrderFraction: 0.1,
  duplicateFraction: 0.03,
  malformedFraction: 0.01,
  invalidFraction: 0.01,
  fastClockMs: 600_000,
})

test('the same seed gives the same bytes, another seed others', () => {
  const bytes = (seed: number): Buffer =>
    Buffer.concat(rowsOf({ ...EVERYTHING, seed }, 5_000).map(({ value }) => value))
  assert.ok(bytes(5).equals(bytes(5)))
  assert.ok(!bytes(5).equals(bytes(6)))
})

test('the sequence is that of its version: whoever changes it raises the version in the origin', () => {
  const hash = createHash('sha256')
  for (const { event, value } of rowsOf(EVERYTHING, 5_000)) hash.update(`${event.partition}`).update(value)
  assert.equal(hash.digest('hex').slice(0, 16), '7cee1d61c2dfb4ce')
})

test('with nothing planted, the rows are the visitors events', () => {
  const settings = generatorSettings()
  const traffic = new Traffic(settings, START_MS)
  const event = new GeneratedEvent()
  for (const row of rowsOf(settings, 2_000)) {
    traffic.next(event)
    assert.deepEqual({ ...row.event }, { ...event })
  }
})

test('what is planted leaves the visitors as they are', () => {
  const byIndex = new Map(rowsOf(EVERYTHING, 5_000).map(({ event }) => [event.index, event]))
  for (const { event } of rowsOf(generatorSettings({ seed: 5 }), 4_000)) {
    const planted = byIndex.get(event.index)
    assert.ok(planted)
    assert.deepEqual(
      [planted.user, planted.session, planted.type, planted.page],
      [event.user, event.session, event.type, event.page],
    )
  }
})

test('each kind of plant has its share of the events', () => {
  const rows = rowsOf(EVERYTHING, 200_000)
  const share = (plant: string): number => rows.filter((row) => row.plant === plant).length / rows.length
  const near = (plant: string, expected: number): void =>
    assert.ok(Math.abs(share(plant) / expected - 1) < 0.1, `${plant}: ${share(plant)} of ${expected}`)
  const repeats = 0.03 * 0.92 // Late, fast and spoiled events are never sent twice.
  near('late', 0.02 / (1 + repeats))
  near('out-of-order', 0.1 / (1 + repeats))
  near('malformed', 0.01 / (1 + repeats))
  near('invalid', 0.01 / (1 + repeats))
  near('duplicate', repeats / (1 + repeats))
  assert.ok(share('fast-clock') > 0.03 && share('fast-clock') < 0.09, `${share('fast-clock')}`)
})

test('times lie off schedule by what the plant says, and by nothing else', () => {
  const bounds: Record<string, readonly [number, number]> = {
    clean: [0, 0],
    'out-of-order': [0, 5_000],
    late: [600_000, 1_200_000],
    'fast-clock': [-600_000, -600_000],
    malformed: [0, 0],
    invalid: [0, 0],
  }
  const rows = rowsOf(EVERYTHING, 50_000).filter(({ plant }) => plant !== 'duplicate')
  for (const { plant, dueMs, event } of rows) {
    const [min, max] = bounds[plant]
    assert.ok(dueMs - event.timeMs >= min && dueMs - event.timeMs <= max, `${plant} ${dueMs - event.timeMs}`)
  }
})

test('a duplicate has the bytes and partition of an event before it, not long before', () => {
  const originals = new Map<string, Row>()
  let duplicates = 0
  for (const row of rowsOf(
    { ...EVERYTHING, malformedFraction: 0, duplicateFraction: 0.5, duplicateWithinMs: 500 },
    20_000,
  )) {
    const key = row.value.toString('latin1')
    const original = originals.get(key)
    assert.equal(original !== undefined, row.plant === 'duplicate')
    if (original === undefined) originals.set(key, row)
    else {
      duplicates++
      assert.equal(row.event.partition, original.event.partition)
      const delayMs = row.dueMs - original.dueMs
      assert.ok(delayMs >= 0 && delayMs < 1_500, `${delayMs} ms`)
    }
  }
  assert.ok(duplicates > 5_000, `${duplicates} duplicates`)
})

test('each kind of damage occurs, and is what it says: no JSON object, or one that breaks a rule', () => {
  const rows = rowsOf({ ...EVERYTHING, malformedFraction: 0.3, invalidFraction: 0.3 }, 3_000)
  const kinds = new Set<string>()
  for (const { plant, event, value } of rows) {
    const fields = parsed(value)
    assert.equal(fields === undefined, plant === 'malformed', value.toString())
    if (plant === 'malformed') kinds.add(DAMAGE_KINDS.malformed[event.damage])
    if (plant === 'invalid') kinds.add(DAMAGE_KINDS.invalid[event.damage])
  }
  assert.deepEqual([...kinds].sort(), [...DAMAGE_KINDS.malformed, ...DAMAGE_KINDS.invalid].sort())
})

test('a partition falls silent: nothing of it is sent any more, everything of the others is', () => {
  const settings = generatorSettings({ silentPartition: 2, silentAfterMs: 1_000, duplicateFraction: 0.2 })
  for (const { event, dueMs } of rowsOf(settings, 6_000)) {
    if (dueMs - START_MS >= 1_000) assert.notEqual(event.partition, 2)
  }
  const rows = rowsOf(settings, 6_000)
  assert.ok(rows.some(({ event, dueMs }) => event.partition === 2 && dueMs - START_MS < 1_000))
  assert.ok(rows.some(({ event }) => event.partition === -1))
  const loud = rowsOf(generatorSettings({ duplicateFraction: 0.2 }), 6_000)
  for (const [index, { event, value }] of rows.entries()) {
    if (event.partition >= 0) assert.ok(value.equals(loud[index].value))
    else assert.equal(loud[index].event.partition, 2)
  }
})
