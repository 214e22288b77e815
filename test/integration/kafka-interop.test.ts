import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { kafkaTool } from '../../scripts/kafka-cluster.ts'
import { encodeText } from '../../src/base/bytes.ts'
import { openEmbeddedLog } from '../../src/log/embedded-log.ts'
import type { KafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { Partitioner } from '../../src/log/partitioner.ts'
import { encodeHeaders, RecordBatchBuilder } from '../../src/log/record-batch-builder.ts'
import { kcat, kcatConsumer } from '../support/committed-reader.ts'
import { freshTopic, openTestLog, testKafka } from '../support/kafka.ts'
import { draftOf, valuesIn } from '../support/log-records.ts'
import { openTransaction } from '../support/open-transaction.ts'
import { requirement } from '../support/requirement.ts'
import { temporaryFolder } from '../support/run-millrace.ts'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

describe("Kafka's own tools", requirement('kafka'), () => {
  let servers: string
  let log: KafkaLog
  before(async () => {
    servers = (await testKafka()).bootstrap
    log = await openTestLog(servers)
  })
  after(() => log?.close())

  test('what the console producer writes, with any codec, is read', async () => {
    const lines = Array.from({ length: 300 }, (_, row) => `{"row":${row},"text":"${'läßt grüßen '.repeat(row % 9)}"}`)
    await Promise.all(
      CODECS.map(async (codec) => {
        const topic = freshTopic(codec)
        await log.createTopic(topic, { partitions: 1 })
        const args = ['--bootstrap-server', servers, '--topic', topic, '--compression-codec', codec]
        await kafkaTool('org.apache.kafka.tools.ConsoleProducer', args, `${lines.join('\n')}\n`)
        assert.deepEqual(await readByUs(log, topic), lines, codec)
      }),
    )
  })

  test('what ProducerPerformance writes, with any codec, is read', async () => {
    await Promise.all(
      CODECS.map(async (codec) => {
        const topic = freshTopic(`performance-${codec}`)
        await log.createTopic(topic, { partitions: 1 })
        await kafkaTool('org.apache.kafka.tools.ProducerPerformance', [
          ...['--topic', topic, '--num-records', '5000', '--record-size', '300', '--throughput', '-1'],
          ...['--producer-props', `bootstrap.servers=${servers}`, `compression.type=${codec}`, 'linger.ms=20'],
        ])
        const found = await readByUs(log, topic)
        assert.equal(found.length, 5_000, codec)
        assert.ok(
          found.every((value) => /^[A-Z]{300}$/.test(value)),
          codec,
        )
      }),
    )
  })

  test('kcat reads what we have committed, and we what it writes with any codec', requirement('kcat'), async () => {
    const lines = Array.from({ length: 2_000 }, (_, row) => `{"row":${row},"text":"${'läßt grüßen '.repeat(row % 9)}"}`)
    for (const codec of CODECS) {
      const topic = freshTopic(`kcat-${codec}`)
      await log.createTopic(topic, { partitions: 1 })
      kcat(['-P', '-b', servers, '-t', topic, '-z', codec, '-X', 'linger.ms=50'], `${lines.join('\n')}\n`)
      assert.deepEqual(await readByUs(log, topic), lines, codec)
    }
    const topic = freshTopic('for-kcat')
    await log.createTopic(topic, { partitions: 1 })
    for (const line of lines.slice(0, 100)) await log.append(topic, 0, draftOf(line))
    const aborted = await openTransaction(log, freshTopic('aborted'), topic)
    await aborted.write('void')
    await aborted.end(false)
    const producer = log.transactionalProducer(freshTopic('committed'))
    await producer.takeOver()
    await producer.commit([{ topic, partition: 0, draft: draftOf(...lines.slice(100)) }])
    assert.deepEqual(kcatConsumer(servers, topic), lines)
  })

  test('the console consumer reads what we have committed, keys and headers too, and nothing else', async () => {
    const topic = freshTopic('ours')
    await log.createTopic(topic, { partitions: 1 })
    const builder = new RecordBatchBuilder()
    builder.add(encodeText('key'), encodeText('grüßen'), Date.now(), encodeHeaders({ a: '1', b: 'zwei' }))
    builder.add(null, encodeText('no key'), Date.now())
    await log.append(topic, 0, builder.finish())
    const aborted = await openTransaction(log, freshTopic('aborted'), topic)
    await aborted.write('void')
    await aborted.end(false)
    const producer = log.transactionalProducer(freshTopic('committed'))
    await producer.takeOver()
    await producer.commit([{ topic, partition: 0, draft: draftOf('in a transaction') }])
    const output = await kafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
      ...['--bootstrap-server', servers, '--topic', topic, '--from-beginning', '--max-messages', '3'],
      ...['--isolation-level', 'read_committed', '--timeout-ms', '30000'],
      ...['--property', 'print.key=true', '--property', 'print.headers=true'],
    ])
    assert.deepEqual(output.trimEnd().split('\n'), [
      'a:1,b:zwei\tkey\tgrüßen',
      'NO_HEADERS\tnull\tno key',
      'NO_HEADERS\tnull\tin a transaction',
    ])
  })

  test('records with keys go to the partitions that Java chooses', async () => {
    const topic = freshTopic('keys')
    await log.createTopic(topic, { partitions: 7 })
    const keys = Array.from({ length: 60 }, (_, index) => 'k'.repeat(index % 6) + index * 7919)
    await kafkaTool(
      'org.apache.kafka.tools.ConsoleProducer',
      ['--bootstrap-server', servers, '--topic', topic, '--property', 'parse.key=true'],
      keys.map((key) => `${key}\t${key}\n`).join(''),
    )
    const partitioner = new Partitioner(7)
    for (const [partition, { end }] of (await log.topicOffsets(topic)).entries()) {
      const pieces = end === 0 ? [] : await log.read(topic, partition, 0, 1e6)
      assert.deepEqual(
        pieces.flatMap(valuesIn).sort(),
        keys.filter((key) => partitioner.partitionOf(encodeText(key)) === partition).sort(),
      )
    }
  })

  test('the dump tool prints the segments of the embedded log', async (t) => {
    const folder = await temporaryFolder(t)
    const embedded = await openEmbeddedLog(folder, { mode: 'write' })
    await embedded.createTopic('events', { partitions: 1, segmentBytesMax: 400 })
    for (let number = 0; number < 8; number++)
      await embedded.append('events', 0, draftOf(`first ${number}`, `second ${number}`))
    await embedded.close()
    const partition = join(folder, 'events-0')
    const segments = (await readdir(partition)).filter((name) => /^\d{20}\.log$/.test(name)).sort()
    assert.ok(segments.length > 1, 'several segments')
    const output = await kafkaTool('kafka.tools.DumpLogSegments', [
      ...['--files', segments.map((name) => join(partition, name)).join(',')],
      ...['--print-data-log', '--deep-iteration'],
    ])
    const payloads = [...output.matchAll(/offset: (\d+) .*payload: (.*)$/gm)].map(([, offset, payload]) => [
      Number(offset),
      payload,
    ])
    const expected = Array.from({ length: 16 }, (_, offset) => [
      offset,
      `${offset % 2 === 0 ? 'first' : 'second'} ${offset >> 1}`,
    ])
    assert.deepEqual(payloads, expected)
    assert.equal(output.match(/isvalid: true/g)?.length, 8, output)
    assert.doesNotMatch(output, /isvalid: false|invalid bytes/)
  })
})

async function readByUs(log: KafkaLog, topic: string): Promise<string[]> {
  const found: string[] = []
  const fetcher = log.fetcher(await log.topics.get(topic))
  const [end] = await log.findOffsets(topic, 'end')
  for await (const piece of fetcher.read(0, 0, end, AbortSignal.timeout(60_000))) found.push(...valuesIn(piece))
  fetcher.close()
  return found
}
