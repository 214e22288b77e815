import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeText } from '../../src/base/bytes.ts'
import type { ResultBatch } from '../../src/batch/result-batch.ts'
import type { KafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { Partitioner } from '../../src/log/partitioner.ts'
import { kafka } from '../../src/plan/connectors.ts'
import { createSink } from '../../src/sinks/index.ts'
import { KafkaProgress } from '../../src/sinks/kafka-progress.ts'
import { resetKafkaSink } from '../../src/sinks/kafka-sink.ts'
import type { PreparedOutput, Sink, SinkEpoch } from '../../src/sinks/sink.ts'
import { freshTopic, openTestLog, testKafka } from '../support/kafka.ts'
import { openTransaction } from '../support/open-transaction.ts'
import { requirement } from '../support/requirement.ts'
import { temporaryFolder } from '../support/run-millrace.ts'

describe('the Kafka sink', requirement('kafka'), () => {
  let servers: string
  before(async () => {
    servers = (await testKafka()).bootstrap
  })

  const connect = async (t: TestContext): Promise<KafkaLog> => {
    const log = await openTestLog(servers)
    t.after(() => log.close())
    return log
  }

  test('shows an epoch whole, once it is committed, and once however often that is asked for', async (t) => {
    const { start, values } = await scene(t, connect)
    const sink = await start()
    assert.equal(await sink.progress(), undefined)
    assert.equal(await sink.open(1), undefined)
    const prepared = await sink.prepare(epoch(1), rows('a', 'b', 'c'))
    assert.deepEqual(await values(), [])
    await sink.commit(epoch(1), prepared)
    await sink.commit(epoch(2), await sink.prepare(epoch(2), rows()))
    assert.deepEqual(await values(), ['a', 'b', 'c'])
    assert.deepEqual(await sink.progress(), { epoch: 2, fence: 1, hash: 'hash 2' })
    const again = await start()
    assert.deepEqual(await again.open(2), { epoch: 2, fence: 1, hash: 'hash 2' })
    await again.commit(epoch(3, 2), await again.prepare(epoch(3, 2), rows('d')))
    assert.deepEqual(await values(), ['a', 'b', 'c', 'd'])
  })

  test('rows of one key go where Java would put them; prepared twice they are the same', async (t) => {
    const { start, log, topic, values } = await scene(t, connect)
    const sink = await start()
    await sink.open(1)
    const first = await sink.prepare(epoch(1), rows('a', 'b', 'c'))
    const second = await sink.prepare(epoch(1), rows('a', 'b', 'c'))
    assert.deepEqual(first.rows, second.rows)
    await sink.commit(epoch(1), second)
    assert.deepEqual(await values(), ['a', 'b', 'c'])
    const partitioner = new Partitioner(4)
    for (const [partition, { end }] of (await log.topicOffsets(topic)).entries()) {
      const expected = ['a', 'b', 'c'].filter((value) => partitioner.partitionOf(encodeText(value)) === partition)
      assert.equal(end, expected.length === 0 ? 0 : expected.length + 1, 'the records and a marker')
    }
  })

  test('what another process has prepared is committed from its file; a file that was changed is not', async (t) => {
    const { start, values, outbox } = await scene(t, connect)
    const first = await start()
    await first.open(1)
    const prepared = JSON.parse(JSON.stringify(await first.prepare(epoch(1), rows('a')))) as PreparedOutput
    const second = await start()
    await second.open(2)
    await second.commit(epoch(1), prepared)
    assert.deepEqual(await values(), ['a'])
    const next = await second.prepare(epoch(2, 2), rows('b'))
    await writeFile(join(outbox, next.files[0].path), 'something else')
    await assert.rejects(second.commit(epoch(2, 2), next), { code: 'corrupt-data' })
    await second.forget(1)
    assert.deepEqual(await readdir(outbox), [next.files[0].path])
    await second.forget(2)
    assert.deepEqual(await readdir(outbox), [])
    assert.deepEqual(await values(), ['a'])
  })

  test('a commit whose outcome was lost is decided by the mark, both ways', async (t) => {
    const { start, values, log, topic, id } = await scene(t, connect)
    const first = await start()
    await first.open(1)
    const prepared = await first.prepare(epoch(1), rows('a'))
    await first.commit(epoch(1), prepared)
    // It has come through: whoever comes next finds that.
    const second = await start()
    await second.open(2)
    await second.commit(epoch(1), prepared)
    // It has not: records without an end are in the log.
    const third = await start()
    await third.open(3)
    const lost = await third.prepare(epoch(2, 3), rows('b'))
    const cut = await openTransaction(log, `millrace/${id}`, topic)
    await cut.write('{"word":"b"}')
    await third.commit(epoch(2, 3), lost).catch(() => third.commit(epoch(2, 3), lost))
    assert.deepEqual(await values(), ['a', 'b'])
    await assert.rejects(cut.end(true))
  })

  test('a stale process makes nothing visible any more, and says so', async (t) => {
    const { start, values } = await scene(t, connect)
    const stale = await start()
    await stale.open(1)
    const prepared = await stale.prepare(epoch(1), rows('a'))
    const newer = await start()
    await newer.open(2)
    await newer.commit(epoch(1, 2), await newer.prepare(epoch(1, 2), rows('a')))
    await assert.rejects(stale.commit(epoch(1), prepared), {
      code: 'incompatible-state',
      message: /is written by a newer process \(fence 2, this one has 1\)/,
    })
    await assert.rejects((await start()).open(1), /newer process/)
    assert.deepEqual(await values(), ['a'])
    await newer.commit(epoch(2, 2), await newer.prepare(epoch(2, 2), rows('b')))
    assert.deepEqual(await values(), ['a', 'b'])
  })

  test('the same epoch with other rows, or another checkpoint, stops', async (t) => {
    const { start, log, values } = await scene(t, connect)
    const sink = await start()
    await sink.open(1)
    await sink.commit(epoch(1), await sink.prepare(epoch(1), rows('a')))
    const changed = await start()
    await changed.open(2)
    const other = { ...epoch(1, 2), hash: 'of other rows' }
    const restarted = await start()
    await restarted.open(3)
    await assert.rejects(changed.commit(other, await changed.prepare(other, rows('b'))), { code: 'incompatible-state' })
    const foreign = await start('another checkpoint')
    await assert.rejects(foreign.progress(), /holds what "pipeline-.*" has written from this checkpoint/)
    await resetKafkaSink(log, changed.name.split('.')[0], changed.name)
    assert.equal(await foreign.progress(), undefined)
    await foreign.open(1)
    await foreign.commit(epoch(1), await foreign.prepare(epoch(1), rows('c')))
    await assert.rejects(restarted.commit(epoch(2, 3), await restarted.prepare(epoch(2, 3), rows('d'))), {
      code: 'incompatible-state',
    })
    assert.deepEqual(await values(), ['a', 'c'])
  })

  test('transactions that others have open hold no mark back', async (t) => {
    const { start, log } = await scene(t, connect)
    const sink = await start()
    await sink.open(1)
    const partitions = (await log.topics.get('_millrace_progress')).partitions.keys()
    const others = await Promise.all(
      [...partitions].map(async (partition) => {
        const other = await openTransaction(log, freshTopic('other'), '_millrace_progress', partition)
        await other.write('{"key":"nobody"}')
        return other
      }),
    )
    await sink.commit(epoch(1), await sink.prepare(epoch(1), rows('a')))
    const next = await start()
    assert.deepEqual(await next.progress(), { epoch: 1, fence: 1, hash: 'hash 1' })
    assert.deepEqual(await next.open(2), { epoch: 1, fence: 1, hash: 'hash 1' })
    for (const other of others) await other.end(false)
    assert.deepEqual(await (await start()).progress(), { epoch: 1, fence: 2, hash: 'hash 1' })
  })

  test('a process that hangs in its transaction holds up nobody who replaces it, and its mark does not count', async (t) => {
    const { start, log, id, values } = await scene(t, connect)
    const sink = await start()
    await sink.open(1)
    await sink.commit(epoch(1), await sink.prepare(epoch(1), rows('a')))
    const progress = new KafkaProgress(log, id)
    const hanging = await openTransaction(log, `millrace/${id}`, progress.topic, progress.partition)
    await hanging.write(JSON.stringify({ key: id, epoch: 2, fence: 1, hash: 'hash 2', owner: 'this checkpoint' }))
    const next = await start()
    assert.deepEqual(await next.progress(), { epoch: 1, fence: 1, hash: 'hash 1' })
    assert.deepEqual(await next.open(2), { epoch: 1, fence: 1, hash: 'hash 1' })
    await assert.rejects(hanging.end(true))
    await next.commit(epoch(2, 2), await next.prepare(epoch(2, 2), rows('b')))
    assert.deepEqual(await values(), ['a', 'b'])
  })

  test('a transaction that is just about to end is seen as it ends', async (t) => {
    const { start, log, id } = await scene(t, connect)
    const sink = await start()
    await sink.open(1)
    await sink.commit(epoch(1), await sink.prepare(epoch(1), rows('a')))
    const progress = new KafkaProgress(log, id)
    const ending = await openTransaction(log, `millrace/${id}`, progress.topic, progress.partition)
    await ending.write(JSON.stringify({ key: id, epoch: 2, fence: 1, hash: 'hash 2', owner: 'this checkpoint' }))
    const looking = (await start()).progress()
    // By then all that is written has been read.
    await sleep(200)
    await ending.end(true)
    assert.deepEqual(await looking, { epoch: 2, fence: 1, hash: 'hash 2' })
  })

  test('connections that break while it commits lose nothing and double nothing', async (t) => {
    const { start, values, log } = await scene(t, connect)
    const sink = await start()
    await sink.open(1)
    const expected: string[] = []
    for (let number = 1; number <= 30; number++) {
      const words = [`${number} x`, `${number} y`, `${number} z`]
      expected.push(...words)
      const prepared = await sink.prepare(epoch(number), rows(...words))
      const committing = (async () => {
        for (;;) {
          try {
            return await sink.commit(epoch(number), prepared)
          } catch (error) {
            assert.equal((error as { code?: string }).code, 'unavailable', String(error))
          }
        }
      })()
      for (let tick = 0; tick < number; tick++) await new Promise((resolve) => setImmediate(resolve))
      log.cluster.closeLane(number % 2 === 0 ? 'produce' : 'control')
      await committing
    }
    assert.deepEqual(await values(), expected.sort())
  })

  test('at least once: every record is numbered, the mark follows', async (t) => {
    const { start, values, log, topic } = await scene(t, connect)
    const sink = await start(undefined, 'at-least-once')
    await sink.open(1)
    await sink.commit(epoch(1), await sink.prepare(epoch(1), rows('a', 'b')))
    await sink.commit(epoch(1), await sink.prepare(epoch(1), rows('a', 'b')))
    assert.deepEqual(await values(), ['a', 'b'])
    assert.deepEqual(await sink.progress(), { epoch: 1, fence: 1, hash: 'hash 1' })
    const pieces = await Promise.all([0, 1, 2, 3].map((partition) => log.read(topic, partition, 0, 1e6)))
    const text = Buffer.concat(pieces.flat().map(({ bytes }) => bytes)).toString('latin1')
    assert.match(text, /millrace-epoch\x021\x18millrace-seq\x02[01]/)
    assert.equal(text.match(/millrace-seq/g)?.length, 2)
  })
})

interface Scene {
  readonly log: KafkaLog
  readonly topic: string
  readonly id: string
  readonly outbox: string
  /** A sink as a new process makes it. */
  start(owner?: string, delivery?: 'at-least-once'): Promise<Sink>
  /** What a reader of committed records sees, sorted. */
  values(): Promise<string[]>
}

async function scene(t: TestContext, connect: (t: TestContext) => Promise<KafkaLog>): Promise<Scene> {
  const log = await connect(t)
  const topic = freshTopic('results')
  const pipeline = freshTopic('pipeline')
  const outbox = await temporaryFolder(t)
  const name = `${pipeline}.kafka`
  return {
    log,
    topic,
    id: `${pipeline}/${name}`,
    outbox,
    start: (owner = 'this checkpoint', delivery) =>
      createSink(kafka(topic, { key: 'word', ...(delivery && { delivery }) }), {
        pipeline,
        query: 'words',
        name,
        fields: rows().fields,
        keyColumns: [],
        workingFolder: '/',
        owner,
        outboxFolder: outbox,
        openKafka: async () => log,
        print: () => {},
      }),
    async values() {
      const found: string[] = []
      const fetcher = log.fetcher(await log.topics.get(topic))
      for (const [partition, end] of (await log.findOffsets(topic, 'written-end')).entries()) {
        for await (const { bytes, recordCount } of fetcher.read(partition, 0, end, AbortSignal.timeout(20_000))) {
          if (recordCount === 0) continue
          for (const [, word] of Buffer.from(bytes)
            .toString()
            .matchAll(/\{"word":"([^"]*)"\}/g))
            found.push(word)
        }
      }
      fetcher.close()
      return found.sort()
    },
  }
}

function epoch(number: number, fence = 1): SinkEpoch {
  return { epoch: number, previous: number - 1, fence, hash: `hash ${number}` }
}

/** Rows of one column of text. */
function rows(...words: readonly string[]): ResultBatch {
  const texts = words.map(encodeText)
  const lengths = Int32Array.from(texts, (text) => text.length)
  const starts = Int32Array.from(texts, (_, index) => texts.slice(0, index).reduce((sum, text) => sum + text.length, 0))
  const data = new Uint8Array(Buffer.concat(texts))
  return {
    fields: [{ name: 'word', type: 'string', required: true }],
    columns: [{ kind: 'string', data, starts, lengths }],
    rowCount: words.length,
  }
}
