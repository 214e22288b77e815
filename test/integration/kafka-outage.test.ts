import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Broker, type Cluster, restartBroker, startCluster, stopBroker } from '../../scripts/kafka-cluster.ts'
import { MillraceError } from '../../src/base/error.ts'
import type { KafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { freshTopic, openTestLog } from '../support/kafka.ts'
import { draftOf, valuesIn } from '../support/log-records.ts'
import { requirement } from '../support/requirement.ts'

/** One broker is enough to see a restart; leaders move among three, which take their time to start. */
const FULL = process.env['MILLRACE_TEST_SCALE'] === 'full'
const NEEDS_THREE = { skip: FULL ? false : 'three brokers are started by npm run test:full only' }

/** Brokers of this file's own, since they are killed here. */
describe('a cluster that loses brokers', requirement('kafka'), () => {
  let folder: string
  let cluster: Cluster
  let log: KafkaLog
  const running = new Map<number, Broker>()
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-kafka-cluster-'))
    cluster = await startCluster({ folder, brokers: FULL ? 3 : 1, shortLived: true })
    for (const broker of cluster.brokers) running.set(broker.id, broker)
    log = await openTestLog(cluster.bootstrap)
  })
  after(async () => {
    await log?.close()
    await Promise.all([...running.values()].map((broker) => stopBroker(broker, 'SIGKILL')))
    if (folder) rmSync(folder, { recursive: true, force: true })
  })

  const leader = async (topic: string): Promise<Broker> => {
    const found = running.get((await log.topics.refresh(topic))?.partitions[0].leader ?? 0)
    assert.ok(found)
    return found
  }

  test('reading and writing follow the leaders, in order, each record once', NEEDS_THREE, async () => {
    const topic = freshTopic('moving')
    await log.createTopic(topic, { partitions: 1 })
    const seen: string[] = []
    const abort = new AbortController()
    const fetcher = log.fetcher(await log.topics.get(topic))
    const reading = (async () => {
      for await (const piece of fetcher.read(0, 0, Number.POSITIVE_INFINITY, abort.signal)) {
        if (piece.recordCount > 0) seen.push(...valuesIn(piece))
        if (seen.length === 600) abort.abort()
      }
    })()
    const values = Array.from({ length: 600 }, (_, index) => `value ${index}`)
    const append = (from: number, to: number) =>
      Promise.all(values.slice(from, to).map((value) => log.append(topic, 0, draftOf(value))))
    await append(0, 200)
    const first = await leader(topic)
    const during = append(200, 400)
    await stopBroker(first, 'SIGKILL')
    await during
    assert.notEqual((await leader(topic)).id, first.id)
    running.set(first.id, await restartBroker(first))
    const second = await leader(topic)
    const more = append(400, 600)
    await stopBroker(second)
    await more
    running.set(second.id, await restartBroker(second))
    await reading
    fetcher.close()
    assert.deepEqual(seen, values)
  })

  test('a transaction is decided, whichever broker goes', NEEDS_THREE, async () => {
    const topic = freshTopic('transactions')
    await log.createTopic(topic, { partitions: 2 })
    const producer = log.transactionalProducer(freshTopic('id'))
    await producer.takeOver()
    const expected: string[] = []
    for (let number = 0; number < 12; number++) {
      const stopped = number % 6 === 3 ? await leader(topic) : undefined
      const stopping = stopped && stopBroker(stopped, number === 3 ? 'SIGKILL' : 'SIGTERM')
      const value = `value ${number}`
      try {
        if (!producer.ready) await producer.takeOver()
        await producer.commit([0, 1].map((partition) => ({ topic, partition, draft: draftOf(value) })))
        expected.push(value)
      } catch (error) {
        assert.ok(
          error instanceof MillraceError && ['unavailable', 'incompatible-state'].includes(error.code),
          String(error),
        )
      }
      await stopping
      if (stopped) running.set(stopped.id, await restartBroker(stopped))
    }
    // An outcome that was not known may be either; what was acknowledged is there, once, and both partitions hold the same.
    const read = async (partition: number): Promise<string[]> => {
      const found: string[] = []
      const fetcher = log.fetcher(await log.topics.get(topic))
      const end = (await log.findOffsets(topic, 'written-end'))[partition]
      for await (const piece of fetcher.read(partition, 0, end, AbortSignal.timeout(60_000))) {
        if (piece.recordCount > 0) found.push(...valuesIn(piece))
      }
      fetcher.close()
      return found
    }
    const [left, right] = [await read(0), await read(1)]
    assert.deepEqual(left, right)
    assert.deepEqual(
      left.filter((value) => expected.includes(value)),
      expected,
    )
    assert.equal(new Set(left).size, left.length)
  })

  test('with every broker gone, asking fails with advice; reading goes on when they are back', async () => {
    const topic = freshTopic('dark')
    await log.createTopic(topic, { partitions: 1 })
    await log.append(topic, 0, draftOf('before'))
    const fetcher = log.fetcher(await log.topics.get(topic))
    const seen: string[] = []
    const abort = new AbortController()
    const reading = (async () => {
      for await (const piece of fetcher.read(0, 0, Number.POSITIVE_INFINITY, abort.signal)) {
        if (piece.recordCount > 0) seen.push(...valuesIn(piece))
        if (seen.length === 2) abort.abort()
      }
    })()
    await Promise.all([...running.values()].map((broker) => stopBroker(broker, 'SIGKILL')))
    await assert.rejects(log.topicOffsets(topic, 300), (error) => {
      assert.ok(error instanceof MillraceError && error.code === 'unavailable', String(error))
      return /there is no broker|has closed/.test(error.message)
    })
    const appending = log.append(topic, 0, draftOf('after'))
    for (const broker of await Promise.all([...running.values()].map(restartBroker))) running.set(broker.id, broker)
    await appending
    await reading
    fetcher.close()
    assert.deepEqual(seen, ['before', 'after'])
  })
})
