import assert from 'node:assert/strict'
import type { EncodedRecords } from '../src/batch/encoded-records.ts'
import type { WasmModule } from '../src/batch/wasm-module.ts'
import { LoadTally, LoadTarget } from '../src/cli/load-target.ts'
import { generateInto } from '../src/generator/load.ts'
import { generatorSettings } from '../src/generator/settings.ts'
import { clickEvent, col, eq, logSource, pipeline, type Schema, stream } from '../src/index.ts'
import { createDecoder } from '../src/job/create-decoder.ts'
import { loadDecoderModule } from '../src/job/decoder-module.ts'
import { ParallelRunner } from '../src/job/parallel-runner.ts'
import { FramePool } from '../src/log/frame-pool.ts'
import { fetchRecords } from '../src/log/kafka/fetch.ts'
import { type KafkaLog, openKafkaLog } from '../src/log/kafka/kafka-log.ts'
import { kafkaOptions } from '../src/log/kafka/kafka-options.ts'
import { decodeBatchHeader } from '../src/log/record-batch.ts'
import type { Bench, BenchOptions, BenchResult } from './support/bench.ts'
import { withBroker } from './support/broker.ts'
import { type Contender, measure, resultOf } from './support/measure.ts'

const ROWS = 1_000_000
const PARTITIONS = 4
const TOPIC = 'events'
const WORKERS = 2
const FIELDS = clickEvent.fields.slice(0, 10)
const LIMITS = { hashSeed: 1, dictionaryEntriesMax: 1 << 20 }

/** What the topic is compressed with, by the name that `--data` has for it. */
const DATA: Readonly<Record<string, string>> = { plain: 'uncompressed', lz4: 'lz4', snappy: 'snappy', zstd: 'zstd' }

/** The way of events from a real broker on this machine, step by step; the broker shares the cores. */
export const bench: Bench = {
  name: 'kafka',
  summary: 'reading a topic of 4 partitions: received / verified and unpacked / decoded to 10 columns / by two workers',
  run,
}

async function run({ data = 'plain' }: BenchOptions): Promise<readonly BenchResult[]> {
  const compression = Object.hasOwn(DATA, data) ? DATA[data] : undefined
  assert.ok(compression !== undefined, `no data is called ${data}: ${Object.keys(DATA).join(', ')}`)
  return withBroker(({ bootstrap }) => compare(bootstrap, data, compression))
}

async function compare(bootstrap: string, data: string, compression: string): Promise<readonly BenchResult[]> {
  const log = await openKafkaLog(kafkaOptions(bootstrap, {}))
  const workers = startWorkers()
  try {
    // The broker compresses what it is sent.
    await log.createInternalTopic(TOPIC, PARTITIONS, { 'compression.type': compression })
    await fill(log)
    const contenders = [received(log), unpacked(log), decoded(log), decodedByWorkers(log, workers)].map(withCpu)
    const [receive, unpack, decode, spread] = await measure(contenders, { warmUps: 2, runs: 7 })
    for (const { name, cpuNsPerEvent } of contenders) {
      process.stderr.write(`${name.padEnd(8)} ${cpuNsPerEvent().toFixed(0)} ns of this process' CPU an event, median\n`)
    }
    return [
      resultOf({ name: 'kafka/receive', data }, receive),
      resultOf({ name: 'kafka/unpack', data }, unpack),
      resultOf({ name: 'kafka', data }, decode),
      resultOf({ name: 'kafka/workers', data }, spread),
    ]
  } finally {
    await workers.close()
    await log.close()
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

function decoderModule(): WasmModule | undefined {
  return loadDecoderModule((problem) => assert.fail(problem))
}

function decoded(log: KafkaLog): Contender {
  const decoder = createDecoder({ fields: FIELDS, knownMembers: new Set(), ...LIMITS }, decoderModule())
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

/** As a job spreads them that does nothing else: it wants ten columns, and throws every row away. */
function startWorkers(): ParallelRunner {
  const schema = { ...clickEvent, fields: FIELDS } as Schema
  const nothing = stream(logSource(TOPIC), schema)
    .where(eq(col('event_type'), 'of no event'))
    .select()
  const options = { hashKey: [1, 2], advanceWhenIdle: false, extraModes: [], groupsMax: 1 } as const
  const decoder = { module: decoderModule(), knownMembers: [], ...LIMITS }
  const workers = new ParallelRunner(pipeline('nothing').query('nothing', nothing), options, decoder, WORKERS)
  workers.addPartitions(Array.from({ length: PARTITIONS }, (_, partition) => `${TOPIC}-${partition}`))
  return workers
}

function decodedByWorkers(log: KafkaLog, workers: ParallelRunner): Contender {
  let epoch = 0
  return {
    name: 'workers',
    async run() {
      const ends = (await log.topicOffsets(TOPIC)).map(({ end }) => end)
      const fetcher = log.fetcher(await log.topics.get(TOPIC))
      const ranges = ends.map((to, partition) => ({ partition, from: 0, to }))
      const never = new AbortController().signal
      const plan = {
        epoch: ++epoch,
        previous: epoch - 1,
        clockMs: Date.now(),
        ranges,
        idle: [],
        ended: [],
        flush: false,
      }
      const records = ranges.map(({ partition, from, to }) => fetcher.read(partition, from, to, never))
      const { rowsRead } = await workers.compute(plan, records)
      fetcher.close()
      assert.equal(rowsRead, ROWS)
      return rowsRead
    },
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
