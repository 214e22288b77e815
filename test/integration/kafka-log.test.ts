import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { EncodedRecords } from '../../src/batch/encoded-records.ts'
import { generateInto } from '../../src/generator/load.ts'
import { generatorSettings } from '../../src/generator/settings.ts'
import type { KafkaLog } from '../../src/log/kafka/kafka-log.ts'
import type { RecordBatchDraft } from '../../src/log/log.ts'
import { logSource } from '../../src/plan/connectors.ts'
import { kafkaSource } from '../../src/sources/kafka-source.ts'
import { freshTopic, openTestLog, testKafka } from '../support/kafka.ts'
import { draftOf, readValues, valuesIn } from '../support/log-records.ts'
import { openTransaction } from '../support/open-transaction.ts'
import { requirement } from '../support/requirement.ts'

/** Test records are of 1970, and a broker counts their age from there. */
const FOR_EVER_MS = 1e14

describe('a Kafka cluster as a log', requirement('kafka'), () => {
  let log: KafkaLog
  let servers: string
  before(async () => {
    servers = (await testKafka()).bootstrap
    log = await openTestLog(servers)
  })
  after(() => log?.close())

  const newTopic = async (partitions = 2): Promise<string> => {
    const topic = freshTopic('events')
    await log.createTopic(topic, { partitions, retentionMs: FOR_EVER_MS })
    return topic
  }

  test('appends get offsets in order, however many are under way', async () => {
    const topic = await newTopic()
    const results = await Promise.all([
      log.append(topic, 0, draftOf('a', 'b')),
      log.append(topic, 0, draftOf('c')),
      log.append(topic, 1, draftOf('z')),
      log.append(topic, 0, draftOf('d', 'e', 'f')),
    ])
    assert.deepEqual(
      results.map(({ baseOffset }) => baseOffset),
      [0, 2, 0, 3],
    )
    assert.deepEqual(await log.topicOffsets(topic), [
      { start: 0, end: 6 },
      { start: 0, end: 1 },
    ])
    assert.deepEqual([...(await readValues(log, topic, 0)).values()], ['a', 'b', 'c', 'd', 'e', 'f'])
  })

  test('a batch that says where it must begin is appended there or not at all', async () => {
    const topic = await newTopic()
    const at = (baseOffset: number, ...values: string[]): RecordBatchDraft => ({ ...draftOf(...values), baseOffset })
    const answers = await Promise.allSettled([
      log.append(topic, 0, at(0, 'a', 'b')),
      log.append(topic, 0, at(1, 'too early')),
      log.append(topic, 0, at(3, 'too late')),
      log.append(topic, 0, at(2, 'c')),
      log.append(topic, 0, draftOf('d')),
    ])
    const placed = answers.map((one) => (one.status === 'fulfilled' ? one.value.baseOffset : one.reason.message))
    const misplaced = (offset: number): string =>
      `${topic}-0 ends at offset 2, a batch for offset ${offset} does not fit there`
    assert.deepEqual(placed, [0, misplaced(1), misplaced(3), 2, 3])
    assert.deepEqual([...(await readValues(log, topic, 0)).values()], ['a', 'b', 'c', 'd'])
  })

  test('the place that a batch is for is gone when another producer has written meanwhile', async (t) => {
    const topic = await newTopic()
    const other = await openTestLog(servers)
    t.after(() => other.close())
    await log.append(topic, 0, draftOf('a'))
    await other.append(topic, 0, draftOf('from the other'))
    assert.equal((await log.append(topic, 0, { ...draftOf('b'), baseOffset: 2 })).baseOffset, 2)
    await other.append(topic, 0, draftOf('from the other'))
    await assert.rejects(log.append(topic, 0, { ...draftOf('c'), baseOffset: 3 }), {
      code: 'incompatible-state',
      message: `${topic}-0 ends at offset 4, a batch for offset 3 does not fit there`,
    })
    assert.equal((await log.append(topic, 0, { ...draftOf('d'), baseOffset: 5 })).baseOffset, 5)
  })

  test('a read begins with the batch that holds the offset and takes about as much as asked for', async () => {
    const topic = await newTopic()
    for (const text of ['a', 'b', 'c', 'd']) await log.append(topic, 0, draftOf(text, text))
    const batchBytes = 61 + draftOf('a', 'a').records.length
    const ranges = async (from: number, bytesMax: number): Promise<number[][]> =>
      (await log.read(topic, 0, from, bytesMax)).map(({ baseOffset, endOffset }) => [baseOffset, endOffset])
    assert.deepEqual(await ranges(3, 1), [[2, 4]])
    assert.deepEqual(await ranges(2, 3 * batchBytes - 1), [
      [2, 4],
      [4, 6],
    ])
    assert.deepEqual(await ranges(8, 1e6), [])
  })

  test('offsets that are not there are data loss, with the limits and what the topic keeps', async () => {
    const topic = await newTopic()
    await log.append(topic, 0, draftOf('a'))
    await assert.rejects(log.read(topic, 0, 2, 100), {
      code: 'data-loss',
      message: `${topic}-0 ends at offset 1, offset 2 was never written or was lost`,
    })
    await assert.rejects(log.read(topic, 0, -1, 100), {
      code: 'data-loss',
      message: `${topic}-0 begins at offset 0, offset -1 is gone (retention.ms=100000000000000, retention.bytes=-1)`,
    })
  })

  test('topics and partitions that are not there are named', async () => {
    const topic = await newTopic()
    await assert.rejects(log.read('nowhere', 0, 0, 100), { message: 'there is no topic nowhere in this log' })
    await assert.rejects(log.append('nowhere', 0, draftOf('a')), { code: 'invalid-option' })
    await assert.rejects(log.append(topic, 7, draftOf('a')), {
      message: `there is no partition 7 of topic ${topic} in this log`,
    })
    await assert.rejects(log.offsets(topic, -1), { code: 'invalid-option' })
    assert.equal(await log.describeTopic('nowhere'), undefined)
  })

  test('a topic is created once, with its settings and labels; others are refused; made anew it has none', async () => {
    const topic = freshTopic('labelled')
    const settings = {
      partitions: 1,
      labels: { seed: '7', kind: 'demo' },
      retentionMs: 3_600_000,
      retentionBytesMax: 1e9,
    }
    await Promise.all([log.createTopic(topic, settings), log.createTopic(topic, settings)]).catch(() => {})
    await log.createTopic(topic, settings)
    await assert.rejects(log.createTopic(topic, { ...settings, partitions: 3 }), /exists with other settings/)
    await assert.rejects(log.createTopic('a/b', { partitions: 1 }), { code: 'invalid-option' })
    const other = await openTestLog(servers)
    try {
      const seen = await other.describeTopic(topic)
      assert.deepEqual(seen?.settings, { ...settings, labels: { kind: 'demo', seed: '7' } })
      assert.ok((await other.listTopics()).some((one) => one.topic === topic))
      await log.deleteTopic(topic)
      await log.createTopic(topic, { partitions: 1 })
      const anew = await other.describeTopic(topic)
      assert.equal(anew?.settings.labels, undefined)
      assert.notEqual(anew?.id, seen?.id)
    } finally {
      await other.close()
    }
  })

  test('waiting ends with the next committed record, or with the signal', async () => {
    const topic = await newTopic()
    const never = new AbortController()
    const waiting = log.waitForRecords(topic, 0, 0, never.signal)
    await log.append(topic, 0, draftOf('a'))
    await waiting
    const aborted = new AbortController()
    const second = log.waitForRecords(topic, 0, 1, aborted.signal)
    aborted.abort()
    await second
  })

  test('only what is committed is read, and an open transaction holds back what comes after it', async () => {
    const topic = await newTopic(1)
    await log.append(topic, 0, draftOf('before'))
    const first = await openTransaction(log, freshTopic('first'), topic)
    await first.write('void', 'void too')
    await log.append(topic, 0, draftOf('behind'))
    const second = await openTransaction(log, freshTopic('second'), topic)
    await second.write('kept')
    await second.end(true)
    assert.deepEqual(await log.offsets(topic, 0), { start: 0, end: 1 })
    assert.deepEqual((await log.read(topic, 0, 0, 1e6)).flatMap(valuesIn), ['before'])
    const abort = new AbortController()
    const fetcher = log.fetcher(await log.topics.get(topic))
    const seen: string[] = []
    for await (const piece of fetcher.read(0, 0, Number.POSITIVE_INFINITY, abort.signal)) {
      if (piece.recordCount > 0) seen.push(...valuesIn(piece))
      if (seen.length === 1) await first.end(false)
      if (piece.endOffset === 7) abort.abort() // one record each, two void ones, and two markers
    }
    fetcher.close()
    assert.deepEqual(seen, ['before', 'behind', 'kept'])
    assert.deepEqual(await log.offsets(topic, 0), { start: 0, end: 7 })
  })

  test('a range that ends where nothing can be seen is delivered to its end', async () => {
    const topic = await newTopic(1)
    await log.append(topic, 0, draftOf('a'))
    const transaction = await openTransaction(log, freshTopic('void'), topic)
    await transaction.write('void')
    await transaction.end(false)
    await log.waitForRecords(topic, 0, 2, AbortSignal.timeout(10_000))
    await log.append(topic, 0, draftOf('b'))
    for (const to of [1, 2, 3, 4]) {
      const pieces: EncodedRecords[] = []
      const fetcher = log.fetcher(await log.topics.get(topic))
      for await (const piece of fetcher.read(0, 0, to, new AbortController().signal)) pieces.push(piece)
      fetcher.close()
      const end = pieces.at(-1)?.endOffset ?? 0
      assert.ok(end >= to && end <= 4, `up to ${to}, read to ${end}`)
      assert.deepEqual(
        pieces.filter(({ recordCount }) => recordCount > 0).flatMap(valuesIn),
        to === 4 ? ['a', 'b'] : ['a'],
      )
    }
  })

  test('a topic that is deleted, or created anew, ends reading and writing', async () => {
    for (const anew of [false, true]) {
      const topic = await newTopic(1)
      await log.append(topic, 0, draftOf('a'))
      const fetcher = log.fetcher(await log.topics.get(topic))
      const reading = (async () => {
        for await (const piece of fetcher.read(0, 0, Number.POSITIVE_INFINITY, new AbortController().signal)) {
          assert.deepEqual(valuesIn(piece), ['a'])
          const other = await openTestLog(servers)
          await other.deleteTopic(topic)
          if (anew) await other.createTopic(topic, { partitions: 1 })
          await other.close()
        }
      })()
      await assert.rejects(reading, {
        code: 'data-loss',
        message: anew ? /was deleted and created anew/ : /was deleted/,
      })
      fetcher.close()
      if (anew) await assert.rejects(log.append(topic, 0, draftOf('b')), { code: 'data-loss' })
    }
  })

  test('pieces keep their bytes until they are released, however much is received meanwhile', async () => {
    const topic = await newTopic(2)
    const value = (number: number): string => String.fromCharCode(65 + number).repeat(150_000)
    for (let number = 0; number < 20; number++)
      await log.append(topic, number % 2, draftOf(value(number), value(number)))
    const fetcher = log.fetcher(await log.topics.get(topic))
    for (const keeps of [true, false, true]) {
      const kept: EncodedRecords[][] = [[], []]
      const check = (piece: EncodedRecords, partition: number): void => {
        const expected = value(piece.baseOffset + partition)
        assert.deepEqual(valuesIn(piece), [expected, expected])
      }
      const reading = [0, 1].map(async (partition) => {
        for await (const piece of fetcher.read(partition, 0, 20, AbortSignal.timeout(30_000))) {
          if (keeps) kept[partition].push(piece)
          else check(piece, partition)
          if (!keeps) piece.release?.()
        }
      })
      await Promise.all(reading)
      for (const [partition, pieces] of kept.entries()) for (const piece of pieces) check(piece, partition)
      for (const piece of kept.flat()) piece.release?.()
    }
    fetcher.close()
  })

  test('offsets are found by time: the first record that is not older, else the end', async () => {
    const topic = await newTopic(2)
    await log.append(topic, 0, draftOf('of time 500', 'of time 500'))
    assert.deepEqual(await log.findOffsets(topic, { timeMs: 400 }), [0, 0])
    assert.deepEqual(await log.findOffsets(topic, { timeMs: 501 }), [2, 0])
    await log.append(topic, 1, draftOf('x'))
    const starts = async (from: 'earliest' | 'latest' | Date): Promise<number[]> => {
      const source = await kafkaSource(logSource(topic, { from }), log)
      const partitions = await source.partitions()
      await source.close()
      return partitions.map(({ startOffset }) => startOffset)
    }
    assert.deepEqual(await starts('earliest'), [0, 0])
    assert.deepEqual(await starts('latest'), [2, 1])
    assert.deepEqual(await starts(new Date(500)), [0, 0])
    assert.deepEqual(await starts(new Date(501)), [2, 1])
  })

  test('the generator goes on where it was stopped, and what is in the topic is what it says', async () => {
    const topic = freshTopic('generated')
    const settings = generatorSettings({ partitions: 3 })
    const options = { pace: 'flat-out', startTimeMs: 1_760_000_000_000, batchBytes: 20_000 } as const
    await generateInto(log, topic, settings, { ...options, rows: 3_000 })
    const other = await openTestLog(servers)
    try {
      const { rows } = await generateInto(other, topic, undefined, { ...options, rows: 2_000 })
      assert.equal(rows, 2_000)
    } finally {
      await other.close()
    }
    assert.equal(
      (await log.topicOffsets(topic)).reduce((sum, { end }) => sum + end, 0),
      5_000,
    )
  })

  test('what was appended is counted once, also when the producer has to say it twice', async () => {
    const topic = await newTopic(1)
    const values = Array.from({ length: 400 }, (_, index) => `value ${index}`)
    const appending = values.map((value) => log.append(topic, 0, draftOf(value)))
    // Connections break while batches are under way.
    for (let round = 0; round < 5; round++) {
      await appending[round * 60]
      for (const lane of ['produce', 'control'] as const) log.cluster.closeLane(lane)
    }
    await Promise.all(appending)
    assert.deepEqual([...(await readValues(log, topic, 0)).values()], values)
  })
})
