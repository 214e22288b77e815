import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FaultyFiles } from '../../test/support/faulty-files.ts'
import { draftOf, noLock, readValues, StandingClock } from '../../test/support/log-records.ts'
import { MillraceError } from '../base/error.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import { openEmbeddedLog } from './embedded-log.ts'
import type { Log, RecordBatchDraft, TopicSettings } from './log.ts'
import { MemoryLog } from './memory-log.ts'

interface KeepingLog extends Log {
  keepFrom(topic: string, partition: number, offset: number): void
}

const LOGS: Record<string, (clock: StandingClock) => Promise<KeepingLog>> = {
  memory: async (clock) => new MemoryLog('memory', clock),
  'embedded, fsync always': (clock) => openEmbedded(clock, 'always'),
  'embedded, fsync interval': (clock) => openEmbedded(clock, 'interval'),
  'embedded, fsync never': (clock) => openEmbedded(clock, 'never'),
}

for (const [name, open] of Object.entries(LOGS)) {
  const check = (what: string, run: (log: KeepingLog, clock: StandingClock) => Promise<void>): void => {
    test(`${name}: ${what}`, async () => {
      const clock = new StandingClock(1_000)
      const log = await open(clock)
      await log.createTopic('events', { partitions: 2 })
      await run(log, clock).finally(() => log.close())
    })
  }

  check('appends get offsets in order and the time of arrival', async (log, clock) => {
    assert.deepEqual(await log.append('events', 0, draftOf('a', 'b')), { baseOffset: 0, appendTimestamp: 1_000 })
    clock.advance(5)
    const both = await Promise.all([log.append('events', 0, draftOf('c')), log.append('events', 0, draftOf('d', 'e'))])
    assert.deepEqual(both, [
      { baseOffset: 2, appendTimestamp: 1_005 },
      { baseOffset: 3, appendTimestamp: 1_005 },
    ])
    assert.deepEqual(await log.append('events', 1, draftOf('z')), { baseOffset: 0, appendTimestamp: 1_005 })
    assert.deepEqual(await log.offsets('events', 0), { start: 0, end: 5 })
    assert.deepEqual(await log.offsets('events', 1), { start: 0, end: 1 })
  })

  check('a batch that says where it must begin is appended there or not at all', async (log) => {
    const at = (baseOffset: number, ...values: string[]): RecordBatchDraft => ({ ...draftOf(...values), baseOffset })
    const answers = await Promise.allSettled([
      log.append('events', 0, at(0, 'a', 'b')),
      log.append('events', 0, at(1, 'too early')),
      log.append('events', 0, at(3, 'too late')),
      log.append('events', 0, at(2, 'c')),
      log.append('events', 0, draftOf('d')),
    ])
    assert.deepEqual(
      answers.map((answer) => (answer.status === 'fulfilled' ? answer.value.baseOffset : answer.reason.message)),
      [
        0,
        'events-0 ends at offset 2, a batch for offset 1 does not fit there',
        'events-0 ends at offset 2, a batch for offset 3 does not fit there',
        2,
        3,
      ],
    )
    assert.deepEqual([...(await readValues(log, 'events', 0)).values()], ['a', 'b', 'c', 'd'])
  })

  check('a read begins with the batch that holds the offset and takes about as much as asked for', async (log) => {
    for (const text of ['a', 'b', 'c', 'd']) await log.append('events', 0, draftOf(text, text))
    const batchBytes = 61 + draftOf('a', 'a').records.length
    const ranges = async (from: number, bytesMax: number): Promise<number[][]> =>
      (await log.read('events', 0, from, bytesMax)).map(({ baseOffset, endOffset }) => [baseOffset, endOffset])
    assert.deepEqual(await ranges(3, 1), [[2, 4]])
    assert.deepEqual(await ranges(2, 2 * batchBytes), [
      [2, 4],
      [4, 6],
    ])
    assert.deepEqual(await ranges(2, 3 * batchBytes - 1), [
      [2, 4],
      [4, 6],
    ])
    assert.deepEqual(await ranges(0, 1e6), [
      [0, 2],
      [2, 4],
      [4, 6],
      [6, 8],
    ])
    assert.deepEqual(await ranges(8, 1e6), [])
  })

  check('offsets that are not there are data loss, with the limits', async (log) => {
    await log.append('events', 0, draftOf('a'))
    await assert.rejects(log.read('events', 0, 2, 100), {
      code: 'data-loss',
      message: 'events-0 ends at offset 1, offset 2 was never written or was lost',
    })
    await assert.rejects(log.read('events', 0, -1, 100), {
      code: 'data-loss',
      message: 'events-0 begins at offset 0, offset -1 is gone',
    })
  })

  check('topics and partitions that are not there are named', async (log) => {
    const none = { code: 'invalid-option', message: 'there is no topic clicks in this log' }
    await assert.rejects(log.append('clicks', 0, draftOf('a')), none)
    await assert.rejects(log.read('clicks', 0, 0, 100), none)
    const noPartition = { code: 'invalid-option', message: 'there is no partition 2 of topic events in this log' }
    await assert.rejects(log.append('events', 2, draftOf('a')), noPartition)
    await assert.rejects(log.offsets('events', -1), { message: 'there is no partition -1 of topic events in this log' })
    assert.equal(await log.describeTopic('clicks'), undefined)
    assert.equal(await log.describeTopic('../events'), undefined)
  })

  check('a topic is created once; the same settings again change nothing, others are refused', async (log) => {
    const settings: TopicSettings = { partitions: 1, labels: { seed: '7', kind: 'demo' }, retentionMs: 1_000 }
    await Promise.all([log.createTopic('demo', settings), log.createTopic('demo', settings)])
    await log.createTopic('demo', { retentionMs: 1_000, labels: { kind: 'demo', seed: '7' }, partitions: 1 })
    await assert.rejects(log.createTopic('demo', { ...settings, partitions: 3 }), (error) => {
      assert.ok(error instanceof MillraceError && error.code === 'invalid-option')
      return /^topic demo exists with other settings: .*"partitions":1.*, not .*"partitions":3/.test(error.message)
    })
    await assert.rejects(log.createTopic('demo', { ...settings, labels: { seed: '8' } }), /exists with other settings/)
    const topics = await log.listTopics()
    assert.deepEqual(
      topics.map(({ topic }) => topic),
      ['demo', 'events'],
    )
    assert.deepEqual(topics[0].settings, settings)
  })

  check('names and numbers that cannot be are refused', async (log) => {
    for (const topic of ['', '.', '..', 'a/b', 'a b', 'ä', 'x'.repeat(201), 'a\0']) {
      await assert.rejects(log.createTopic(topic, { partitions: 1 }), { code: 'invalid-option' })
    }
    for (const settings of [
      { partitions: 0 },
      { partitions: 257 },
      { partitions: 1.5 },
      { partitions: 1, retentionMs: 0 },
    ]) {
      await assert.rejects(log.createTopic('other', settings), { code: 'invalid-option' })
    }
    assert.equal((await log.listTopics()).length, 1)
  })

  check('a topic whose name ends like a partition stands for itself', async (log) => {
    await log.createTopic('events-1', { partitions: 1 })
    await log.append('events', 1, draftOf('of events, 1'))
    await log.append('events-1', 0, draftOf('of events-1, 0'))
    assert.deepEqual([...(await readValues(log, 'events', 1)).values()], ['of events, 1'])
    assert.deepEqual([...(await readValues(log, 'events-1', 0)).values()], ['of events-1, 0'])
    assert.deepEqual((await log.describeTopic('events-1'))?.offsets, [{ start: 0, end: 1 }])
  })

  check('waiting ends with the next record, or with the signal', async (log) => {
    await log.append('events', 0, draftOf('a'))
    const never = new AbortController()
    await log.waitForRecords('events', 0, 0, never.signal)
    let woken = false
    const waiting = log.waitForRecords('events', 0, 2, never.signal).then(() => {
      woken = true
    })
    await log.append('events', 0, draftOf('b', 'c'))
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(woken, true, 'the end, 3, lies behind 2')
    await waiting
    const aborted = new AbortController()
    const second = log.waitForRecords('events', 0, 3, aborted.signal)
    aborted.abort()
    await second
    await log.waitForRecords('events', 0, 3, aborted.signal)
  })

  check('retention by size removes the oldest segments, but none that are to be kept', async (log) => {
    const bytes = 61 + draftOf('xxxxxxxxxx').records.length
    await log.createTopic('small', { partitions: 1, segmentBytesMax: 2 * bytes, retentionBytesMax: 4 * bytes })
    log.keepFrom('small', 0, 3)
    for (let count = 0; count < 12; count++) await log.append('small', 0, draftOf('xxxxxxxxxx'))
    assert.deepEqual(await log.offsets('small', 0), { start: 2, end: 12 })
    log.keepFrom('small', 0, 100)
    await log.append('small', 0, draftOf('xxxxxxxxxx'))
    assert.deepEqual(await log.offsets('small', 0), { start: 10, end: 13 })
    assert.equal((await log.describeTopic('small'))?.bytes, 3 * bytes)
    await assert.rejects(log.read('small', 0, 9, 100), {
      code: 'data-loss',
      message: 'small-0 begins at offset 10, offset 9 is gone',
    })
    assert.deepEqual((await log.read('small', 0, 10, 1e6)).at(-1)?.endOffset, 12, 'a read ends with its segment')
  })

  check('retention by time removes segments that were closed long enough ago', async (log, clock) => {
    await log.createTopic('brief', { partitions: 1, retentionMs: 1_000 })
    for (let count = 0; count < 10; count++) {
      await log.append('brief', 0, draftOf('x'))
      clock.advance(200)
    }
    assert.deepEqual(await log.offsets('brief', 0), { start: 2, end: 10 })
    await log.append('brief', 0, draftOf('x'))
    assert.deepEqual(await log.offsets('brief', 0), { start: 4, end: 11 })
  })
}

test('memory and embedded log give the same answers to the same questions, whatever is done to them', async () => {
  await fc.assert(
    fc.asyncProperty(settingsOfTopics, fc.array(operation, { maxLength: 60 }), async (settings, operations) => {
      const clock = new StandingClock(1_000)
      const logs = [new MemoryLog('memory', clock), await openEmbedded(clock, 'interval')]
      for (const log of logs) await log.createTopic('events', settings)
      for (const each of operations) {
        if (each.kind === 'advance') clock.advance(each.durationMs)
        else {
          const [expected, actual] = await Promise.all(logs.map((log) => answer(() => apply(log, each))))
          assert.deepEqual(actual, expected, JSON.stringify(each))
        }
      }
      for (const log of logs) await log.close()
    }),
    { numRuns: 150 },
  )
})

type Operation =
  | { readonly kind: 'append'; readonly partition: number; readonly sizes: readonly number[] }
  | { readonly kind: 'read'; readonly partition: number; readonly fromOffset: number; readonly bytesMax: number }
  | { readonly kind: 'describe' }
  | { readonly kind: 'keep'; readonly partition: number; readonly offset: number }
  | { readonly kind: 'advance'; readonly durationMs: number }

const partition = fc.integer({ min: 0, max: 2 })

const settingsOfTopics: fc.Arbitrary<TopicSettings> = fc.record(
  {
    partitions: fc.constant(2),
    segmentBytesMax: fc.integer({ min: 1, max: 1_000 }),
    retentionBytesMax: fc.integer({ min: 100, max: 3_000 }),
    retentionMs: fc.integer({ min: 100, max: 1_000 }),
  },
  { requiredKeys: ['partitions'] },
)

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      partition,
      sizes: fc.array(fc.nat(120), { minLength: 1, maxLength: 5 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      partition,
      fromOffset: fc.nat(60),
      bytesMax: fc.nat(2_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('describe' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('keep' as const), partition: fc.nat(1), offset: fc.nat(60) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), durationMs: fc.nat(200) }) },
)

async function apply(log: KeepingLog, each: Exclude<Operation, { kind: 'advance' }>): Promise<unknown> {
  switch (each.kind) {
    case 'append':
      return log.append('events', each.partition, draftOf(...each.sizes.map((size) => 'x'.repeat(size))))
    case 'read':
      return (await log.read('events', each.partition, each.fromOffset, each.bytesMax)).map(plain)
    case 'describe':
      return log.listTopics()
    case 'keep':
      return log.keepFrom('events', each.partition, each.offset)
  }
}

async function answer(ask: () => Promise<unknown>): Promise<unknown> {
  try {
    return await ask()
  } catch (error) {
    assert.ok(error instanceof MillraceError)
    return { code: error.code, message: error.message, hint: error.hint }
  }
}

function openEmbedded(clock: StandingClock, fsync: 'always' | 'interval' | 'never'): Promise<KeepingLog> {
  return openEmbeddedLog('/data/log', { mode: 'write', fsync, clock, fileSystem: new FaultyFiles(), lock: noLock })
}

function plain(records: EncodedRecords): unknown {
  return { ...records, bytes: Buffer.from(records.bytes).toString('latin1') }
}
