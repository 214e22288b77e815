import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCluster, stopBroker } from '../scripts/kafka-cluster.ts'
import type { EncodedRecords } from '../src/batch/encoded-records.ts'
import { LoadTally, LoadTarget } from '../src/cli/load-target.ts'
import { clickEvent } from '../src/event/click-event.ts'
import { generateInto } from '../src/generator/load.ts'
import { generatorSettings } from '../src/generator/settings.ts'
import { createDecoder } from '../src/job/create-decoder.ts'
import { loadDecoderModule } from '../src/job/decoder-module.ts'
import { FramePool } from '../src/log/frame-pool.ts'
import { fetchRecords } from '../src/log/kafka/fetch.ts'
import { type KafkaLog, openKafkaLog } from '../src/log/kafka/kafka-log.ts'
import { kafkaOptions } from '../src/log/kafka/kafka-options.ts'
import { decodeBatchHeader } from '../src/log/record-batch.ts'
import type { Bench, BenchOptions, BenchResult } from './support/bench.ts'
import { type Contender, measure, resultOf } from './support/measure.ts'

const ROWS = 1_000_000
const PARTITIONS = 4
const TOPIC = 'events'

/** What the topic is compressed with, by the name that `--data` has for it. */
const DATA: Readonly<Record<string, string>> = { plain: 'uncompressed', lz4: 'lz4', snappy: 'snappy', zstd: 'zstd' }

/** The way of events from a real broker on this machine, step by step; the broker shares the cores. */
export const bench: Bench = {
  name: 'kafka',
  summary: 'reading a topic of 4 partitions: received / verified and unpacked / decoded to 10 columns',
  run,
}

async function run({ data = 'plain' }: BenchOptions): Promise<readonly BenchResult[]> {
  const compression = Object.hasOwn(DATA, data) ? DATA[data] : undefined
  assert.ok(compression !== undefined, `no data is called ${data}: ${Object.keys(DATA).join(', ')}`)
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-kafka-'))
  const { bootstrap, brokers } = await startCluster({ folder, brokers: 1 })
  const log = await openKafkaLog(kafkaOptions(bootstrap, {}))
  try {
    // The broker compresses what it is sent.
    await log.createInternalTopic(TOPIC, PARTITIONS, { 'compression.type': compression })
    await fill(log)
    const contenders = [received(log), unpacked(log), decoded(log)].map(withCpu)
    const [receive, unpack, decode] = await measure(contenders, { warmUps: 2, runs: 7 })
    for (const { name, cpuNsPerEvent } of contenders) {
      process.stderr.write(`${name.padEnd(8)} ${cpuNsPerEvent().toFixed(0)} ns of this process' CPU an event, median\n`)
    }
    return [
      resultOf({ name: 'kafka/receive', data }, receive),
      resultOf({ name: 'kafka/unpack', data }, unpack),
      resultOf({ name: 'kafka', data }, decode),
    ]
  } finally {
    await log.close()
    await Promise.all(brokers.map((broker) => stopBroker(broker)))
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The generator wants a topic that it has made itself; to it, this one looks so. */
async function fill(log: KafkaLog): Promise<void> {
  const settings = generatorSettings({ partitions: PARTITIONS })
  const target = new LoadTarget(log, new LoadTally())
  await generateInto(target, TOPIC, settings, { pace: 'flat-out', rows: ROWS, batchBytes: 200 << 10 })
  const offsets = await log.topicOffsets(TOPIC)
  assert.equal(
    offsets.reduce((sum, { end }) => sum + end, 0),
    ROWS,
  )
}

/** Only the bytes, as the socket gives them: what nothing can be faster than. */
function received(log: KafkaLog): Contender {
  return {
    name: 'receive',
    async run() {
      const topic = await log.topics.get(TOPIC)
      const ends = (await log.topicOffsets(TOPIC)).map(({ end }) => end)
      const positions = ends.map(() => 0)
      const frames = new FramePool()
      const lane = log.cluster.newReadLane()
      const connection = await log.cluster.connection(topic.partitions[0].leader, lane, frames)
      while (positions.some((position, partition) => position < ends[partition])) {
        const wishes = positions.flatMap((offset, partition) =>
          offset < ends[partition] ? [{ partition, offset, leaderEpoch: -1, bytesMax: 4 << 20 }] : [],
        )
        const limits = { waitMsMax: 500, bytesMin: 1, bytesMax: 16 << 20 }
        const { partitions } = await fetchRecords(connection, topic.id, wishes, limits)
        for (const { partition, bytes } of partitions) positions[partition] = endOf(bytes) ?? positions[partition]
        frames.release(partitions[0].bytes)
      }
      log.cluster.closeLane(lane)
      return positions.reduce((sum, position) => sum + position, 0)
    },
  }
}

function unpacked(log: KafkaLog): Contender {
  return {
    name: 'unpack',
    run: () =>
      readAll(log, ({ recordCount, release }) => {
        release?.()
        return recordCount
      }),
  }
}

function decoded(log: KafkaLog): Contender {
  const fields = clickEvent.fields.slice(0, 10)
  const module = loadDecoderModule((problem) => assert.fail(problem))
  const limits = { hashSeed: 1, dictionaryEntriesMax: 1 << 20 }
  const decoder = createDecoder({ fields, knownMembers: new Set(), ...limits }, module)
  return {
    name: 'decode',
    run: () =>
      readAll(log, (records) => {
        const { rowCount } = decoder.decode(records)
        records.release?.()
        return rowCount
      }),
  }
}

async function readAll(log: KafkaLog, take: (records: EncodedRecords) => number): Promise<number> {
  const ends = (await log.topicOffsets(TOPIC)).map(({ end }) => end)
  const fetcher = log.fetcher(await log.topics.get(TOPIC))
  const counts = await Promise.all(
    ends.map(async (end, partition) => {
      let rows = 0
      for await (const records of fetcher.read(partition, 0, end, new AbortController().signal)) rows += take(records)
      return rows
    }),
  )
  fetcher.close()
  const rows = counts.reduce((sum, count) => sum + count, 0)
  assert.equal(rows, ROWS)
  return rows
}

interface WithCpu extends Contender {
  /** The median of all runs, the first two included. */
  cpuNsPerEvent(): number
}

/** Time on the wall depends on who else uses the machine, so the CPU that was used is told too. */
function withCpu(contender: Contender): WithCpu {
  const used: number[] = []
  return {
    name: contender.name,
    async run() {
      const before = process.cpuUsage()
      const events = await contender.run()
      const { user, system } = process.cpuUsage(before)
      used.push(((user + system) * 1000) / events)
      return events
    },
    cpuNsPerEvent: () => used.toSorted((left, right) => left - right)[used.length >> 1] ?? Number.NaN,
  }
}

function endOf(bytes: Uint8Array): number | undefined {
  let end: number | undefined
  for (let at = 0; ; ) {
    const header = decodeBatchHeader(bytes, at, TOPIC)
    if (!header || header.sizeBytes > bytes.length - at) return end
    end = header.endOffset
    at += header.sizeBytes
  }
}
