import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Cluster, startCluster, stopBroker } from '../../scripts/kafka-cluster.ts'
import type { KafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { openTestLog } from '../support/kafka.ts'
import { KafkaRelay } from '../support/kafka-relay.ts'
import { draftOf } from '../support/log-records.ts'
import { requirement } from '../support/requirement.ts'

/** A description takes some thousand bytes of questions and answers. */
const CUT_BYTES_MAX = 6_000
const CUT_BYTES_STEP = 211

describe('connections to Kafka that break', requirement('kafka'), () => {
  let folder: string
  let relay: KafkaRelay
  let cluster: Cluster
  let log: KafkaLog
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-kafka-cuts-'))
    relay = await KafkaRelay.start()
    cluster = await startCluster({ folder, brokers: 1, relayPort: relay.port, shortLived: true })
    relay.target = cluster.behindRelay
    log = await openTestLog(`127.0.0.1:${relay.port}`)
  })
  after(async () => {
    await log?.close()
    await Promise.all((cluster?.brokers ?? []).map((broker) => stopBroker(broker, 'SIGKILL')))
    relay?.close()
    await rm(folder, { recursive: true, force: true })
  })

  test('a topic is described, wherever in a question or an answer it happens', async () => {
    await log.createTopic('events', { partitions: 2 })
    await log.append('events', 1, draftOf('one', 'two'))
    const whole = await log.describeTopic('events')
    assert.deepEqual(
      whole?.offsets.map(({ end }) => end),
      [0, 2],
    )
    for (let bytes = 1; bytes < CUT_BYTES_MAX; bytes += CUT_BYTES_STEP) {
      for (const ask of [() => log.describeTopic('events'), async () => (await log.listTopics())[0]]) {
        relay.cutAfter(bytes)
        assert.deepEqual(await ask(), whole, `cut after ${bytes} bytes`)
      }
    }
    assert.ok(relay.cuts > 10, `${relay.cuts} connections were cut`)
  })
})
