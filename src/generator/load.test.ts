import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copyCut, readValues } from '../../test/support/generated-topic.ts'
import { VirtualClock } from '../base/clock.ts'
import { MillraceError } from '../base/error.ts'
import type { AppendResult, RecordBatchDraft } from '../log/log.ts'
import { MemoryLog } from '../log/memory-log.ts'
import { RecordBatchBuilder } from '../log/record-batch-builder.ts'
import { generateInto, type LoadOptions, type LoadProgress } from './load.ts'
import { originOf } from './origin.ts'
import { generatorSettings } from './settings.ts'

const FULL = process.env['MILLRACE_TEST_SCALE'] === 'full'
const START_MS = Date.UTC(2026, 10, 24)
const settings = generatorSettings({
  seed: 3,
  eventsPerSecond: 1_000,
  duplicateFraction: 0.05,
  malformedFraction: 0.02,
})

async function generated(log: MemoryLog, options: LoadOptions): Promise<Uint8Array[][]> {
  await generateInto(log, 'clicks', settings, { pace: 'flat-out', startTimeMs: START_MS, ...options })
  return readValues(log, 'clicks')
}

test('a topic is made with its origin in the labels, and rows by the user key in every partition', async () => {
  const log = new MemoryLog()
  const result = await generateInto(log, 'clicks', settings, { rows: 5_000, pace: 'flat-out', startTimeMs: START_MS })
  assert.deepEqual(result.origin, { settings, startTimeMs: START_MS })
  assert.deepEqual([result.rows, result.endedBy], [5_000, 'rows'])
  const description = await log.describeTopic('clicks')
  assert.ok(description)
  assert.deepEqual(originOf(description), result.origin)
  const values = await readValues(log, 'clicks')
  assert.equal(values.flat().length, 5_000)
  assert.equal(
    values.flat().reduce((sum, value) => sum + value.length, 0),
    result.bytes,
  )
})

test('the bytes do not depend on how they are cut into batches', async () => {
  const whole = await generated(new MemoryLog(), { rows: 3_000 })
  assert.deepEqual(await generated(new MemoryLog(), { rows: 3_000, batchBytes: 1_000 }), whole)
})

test('after a stop or a crash that left the partitions uneven, each row is in the log once', async () => {
  const straight = new MemoryLog()
  const whole = await generated(straight, { rows: 3_000 })
  const lengths = whole.map((values) => values.length)
  const cuts = [lengths.map(() => 0), lengths, lengths.map((n) => n - 1), [5, 0, lengths[2], 300], [0, 0, 0, 1]]
  for (const ends of cuts) {
    const log = new MemoryLog()
    await copyCut(straight, 'clicks', ends, log)
    const left = 3_000 - ends.reduce((sum, end) => sum + end, 0)
    if (left > 0) await generated(log, { rows: left })
    assert.deepEqual(await readValues(log, 'clicks'), whole, `cut at ${ends}`)
  }
})

test('without settings, a topic goes on with its own; with others, it is refused', async () => {
  const log = new MemoryLog()
  await generated(log, { rows: 1_000 })
  await generateInto(log, 'clicks', undefined, { pace: 'flat-out', rows: 500 })
  assert.deepEqual(await readValues(log, 'clicks'), await generated(new MemoryLog(), { rows: 1_500 }))
  const other = { ...settings, seed: 4, users: 50 }
  await assert.rejects(generateInto(log, 'clicks', other, { rows: 1 }), {
    code: 'incompatible-state',
    message: 'topic "clicks" was generated with seed 3, not 4; users 100000, not 50',
  })
})

test('a topic that somebody else made or wrote to is refused before anything is appended', async () => {
  const log = new MemoryLog()
  await log.createTopic('clicks', { partitions: 4 })
  await assert.rejects(generated(log, { rows: 1 }), {
    code: 'incompatible-state',
    message: /was not made by the generator/,
  })

  const mixed = new MemoryLog()
  await generated(mixed, { rows: 1_000 })
  const builder = new RecordBatchBuilder()
  builder.add(null, new TextEncoder().encode('{}'), 0)
  await mixed.append('clicks', 1, builder.finish())
  const before = await readValues(mixed, 'clicks')
  await assert.rejects(generated(mixed, { rows: 1_000 }), {
    code: 'incompatible-state',
    message: /record \d+ of partition 1 of topic "clicks" was not written by this generator/,
  })
  assert.deepEqual((await readValues(mixed, 'clicks'))[1], before[1])
})

test('on schedule, rows arrive when they are due, and none before', async () => {
  const clock = new VirtualClock(START_MS)
  const log = new MemoryLog('memory', clock)
  const arrivals: number[] = []
  const appended = log.append.bind(log)
  log.append = async (topic: string, partition: number, draft: RecordBatchDraft): Promise<AppendResult> => {
    for (let count = 0; count < draft.recordCount; count++) arrivals.push(clock.now())
    return appended(topic, partition, draft)
  }
  const plain = generatorSettings({ eventsPerSecond: 1_000 })
  const result = await generateInto(log, 'clicks', plain, { durationMs: 3_000, lingerMs: 50, clock })
  assert.equal(result.endedBy, 'duration')
  // The last look at the clock is one linger before the end; event i is due at i ms.
  assert.equal(result.rows, 2_951)
  for (const [index, arrival] of arrivals.entries()) {
    assert.ok(arrival - START_MS >= index - 50 && arrival - START_MS <= index + 50, `${index} at ${arrival - START_MS}`)
  }
})

test('after a pause the schedule is caught up with; after a long one it is moved', async () => {
  const plain = generatorSettings({ eventsPerSecond: 100 })
  const resumed = async (
    pauseMs: number,
  ): Promise<{ readonly rows: number; readonly last: LoadProgress | undefined }> => {
    const clock = new VirtualClock(START_MS)
    const log = new MemoryLog('memory', clock)
    await generateInto(log, 'clicks', plain, { durationMs: 1_000, clock })
    clock.advance(pauseMs)
    let last: LoadProgress | undefined
    const onProgress = (progress: LoadProgress): void => {
      last = progress
    }
    const { rows } = await generateInto(log, 'clicks', plain, {
      durationMs: 1_000,
      clock,
      catchUpMaxMs: 60_000,
      onProgress,
    })
    return { rows, last }
  }
  const short = await resumed(30_000)
  assert.ok(Math.abs(short.rows - 3_100) < 10, `${short.rows} rows`)
  assert.ok(short.last && short.last.behindMs < 100)
  const long = await resumed(90_000)
  assert.ok(Math.abs(long.rows - 100) < 10, `${long.rows} rows`)
  assert.ok(long.last && Math.abs(long.last.behindMs - 90_000) < 100, `${long.last?.behindMs}`)
})

test('a long stall of a run, or a flat-out run before it, moves the schedule; a slow schedule is no reason', async () => {
  const clock = new VirtualClock(START_MS)
  const log = new MemoryLog('memory', clock)
  const plain = generatorSettings({ eventsPerSecond: 100 })
  await generateInto(log, 'ahead', plain, { pace: 'flat-out', rows: 100_000, clock })
  const ahead = await generateInto(log, 'ahead', plain, { durationMs: 1_000, clock })
  assert.ok(Math.abs(ahead.rows - 100) < 10, `${ahead.rows} rows`)

  let stallMs = 3_600_000
  const onProgress = (): void => {
    clock.advance(stallMs)
    stallMs = 0
  }
  const stalled = await generateInto(log, 'stalled', plain, { durationMs: 3_610_000, clock, onProgress })
  assert.ok(Math.abs(stalled.rows - 1_000) < 20, `${stalled.rows} rows`)

  const slow = generatorSettings({ eventsPerSecond: 0.001, users: 10 })
  const options = { durationMs: 1_500_000, lingerMs: 1_000, clock }
  assert.equal((await generateInto(log, 'slow', slow, options)).rows, 2)
  assert.equal((await generateInto(log, 'slow', slow, { ...options, durationMs: 1_000_000 })).rows, 1)
})

test('a run ends at its bytes, at its duration and at the signal, and everything begun is in the log', async () => {
  const log = new MemoryLog()
  const byBytes = await generateInto(log, 'a', settings, { pace: 'flat-out', bytes: 100_000 })
  assert.equal(byBytes.endedBy, 'bytes')
  assert.ok(byBytes.bytes >= 100_000 && byBytes.bytes < 101_000)
  const nothing = await generateInto(log, 'a', settings, { pace: 'flat-out', rows: 0 })
  assert.deepEqual([nothing.rows, nothing.endedBy], [0, 'rows'])
  const controller = new AbortController()
  const bySignal = generateInto(log, 'b', settings, { signal: controller.signal, lingerMs: 60_000 })
  setImmediate(() => controller.abort())
  const { endedBy, rows } = await bySignal
  assert.equal(endedBy, 'signal')
  assert.equal((await readValues(log, 'b')).flat().length, rows)
})

// A28
test('events are made while they are sent: five gigabytes of them need no more memory than the log keeps', async () => {
  const log = new MemoryLog()
  const topicSettings = { retentionBytesMax: 8e6, segmentBytesMax: 1e6 }
  await generateInto(log, 'a', settings, { pace: 'flat-out', bytes: 5e7, topicSettings })
  const before = process.memoryUsage().rss
  const result = await generateInto(log, 'a', undefined, { pace: 'flat-out', bytes: FULL ? 5e9 : 2e8 })
  const grownBytes = process.memoryUsage().rss - before
  assert.ok(result.bytes >= 2e8)
  assert.ok(grownBytes < 1e8, `${grownBytes} bytes more`)
})

test('progress is told every two seconds and at the end, and adds up', async () => {
  const clock = new VirtualClock(START_MS)
  const reports: LoadProgress[] = []
  const options = { durationMs: 5_000, clock, onProgress: (progress: LoadProgress) => reports.push(progress) }
  const result = await generateInto(new MemoryLog('memory', clock), 'clicks', settings, options)
  assert.deepEqual(
    reports.map(({ elapsedMs }) => elapsedMs),
    [2_000, 4_000, 5_000],
  )
  assert.deepEqual([reports[2].rows, reports[2].bytes], [result.rows, result.bytes])
  const rows = reports[0].eventsPerSecond * 2 + reports[1].eventsPerSecond * 2 + reports[2].eventsPerSecond
  assert.ok(Math.abs(rows - result.rows) < 1e-6)
  assert.ok(Math.abs(reports[0].megabytesPerSecond - reports[0].bytes / 2e6) < 1e-9)
})

test('a failed append ends the run with its error, leaves no hole, and the next run goes on', async () => {
  const log = new MemoryLog()
  const appended = log.append.bind(log)
  let left = 7
  log.append = async (topic: string, partition: number, draft: RecordBatchDraft): Promise<AppendResult> => {
    await new Promise((resolve) => setImmediate(resolve))
    // Only this one append fails: those behind it would succeed.
    if (left-- === 0) throw new MillraceError('unavailable', 'the disk is full', { hint: 'free some space' })
    return appended(topic, partition, draft)
  }
  const options: LoadOptions = { rows: 3_000, batchBytes: 10_000 }
  await assert.rejects(generated(log, options), { message: 'the disk is full' })
  const held = (await readValues(log, 'clicks')).flat().length
  assert.ok(held > 0 && held < 3_000)
  await generated(log, { rows: 3_000 - held })
  assert.deepEqual(await readValues(log, 'clicks'), await generated(new MemoryLog(), { rows: 3_000 }))
})
