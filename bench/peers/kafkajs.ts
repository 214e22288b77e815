// The queries as one writes them without a stream processor: a consumer, JSON.parse, maps. Windows close ten minutes behind the newest event of the
// slowest partition. Two processes read half of the partitions each; neither keeps anything for a restart.
//   kafkajs.ts FOLDER_WITH_KAFKAJS BOOTSTRAP TOPIC OUTPUT [INDEX]

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const PROCESSES = 2
const MINUTE_MS = 60_000
const DELAY_MS = 10 * MINUTE_MS
const WINDOW_MS = 5 * MINUTE_MS

const [folder = '', bootstrap = '', topic = '', output = '', index] = process.argv.slice(2)
if (index === undefined) await runAll()
else await runOne(Number(index))

async function runAll(): Promise<void> {
  const children = Array.from({ length: PROCESSES }, (_, part) =>
    fork(import.meta.filename, [folder, bootstrap, topic, output, String(part)]),
  )
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as number | null))
  process.exitCode = codes.every((code) => code === 0) ? 0 : 1
}

interface Event {
  readonly event_time: string
  readonly page_url: string
  readonly device: string
  readonly browser: string
  readonly user_id: string
}

interface Group {
  events: number
  readonly pages?: Set<string>
}

interface Query {
  readonly name: string
  readonly slideMs: number
  readonly keyOf: (event: Event) => string
  readonly keyRow: (key: string) => object
  readonly countsPages: boolean
  readonly windows: Map<number, Map<string, Group>>
}

/** What is used of kafkajs. */
interface KafkaJs {
  Kafka: new (
    options: object,
  ) => {
    admin(): {
      connect(): Promise<void>
      disconnect(): Promise<void>
      fetchTopicOffsets(topic: string): Promise<{ partition: number; high: string }[]>
    }
    consumer(options: object): {
      connect(): Promise<void>
      subscribe(options: object): Promise<void>
      run(options: { eachBatch: (payload: { batch: Batch }) => Promise<void> }): Promise<void>
    }
  }
  logLevel: { ERROR: number }
  AssignerProtocol: {
    MemberMetadata: { encode(data: object): Buffer }
    MemberAssignment: { encode(data: object): Buffer }
  }
}

interface Batch {
  readonly partition: number
  readonly messages: readonly { readonly value: Buffer; readonly offset: string }[]
}

async function runOne(part: number): Promise<void> {
  const kafkajs = createRequire(join(folder, 'package.json'))('kafkajs') as KafkaJs
  const kafka = new kafkajs.Kafka({ brokers: bootstrap.split(','), logLevel: kafkajs.logLevel.ERROR })
  const admin = kafka.admin()
  await admin.connect()
  const offsets = await admin.fetchTopicOffsets(topic)
  await admin.disconnect()
  const ends = new Map(
    offsets
      .filter(({ partition }) => partition % PROCESSES === part)
      .map(({ partition, high }) => [partition, Number(high)]),
  )
  const partitionCount = ends.size
  const queries = begin(part)
  const newest = new Map<number, number>()
  const consumer = kafka.consumer({
    groupId: `end-to-end-${process.pid}-${part}`,
    maxBytesPerPartition: 4 << 20,
    maxBytes: 16 << 20,
    partitionAssigners: [() => assigner(kafkajs, [...ends.keys()])],
  })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    eachBatch: async ({ batch: { partition, messages } }) => {
      let newestMs = newest.get(partition) ?? Number.NEGATIVE_INFINITY
      for (const { value } of messages)
        newestMs = Math.max(newestMs, count(queries, JSON.parse(value.toString()) as Event))
      newest.set(partition, newestMs)
      if (newest.size === partitionCount) close(queries, part, Math.min(...newest.values()) - DELAY_MS)
      if (Number(messages.at(-1)?.offset) + 1 >= (ends.get(partition) ?? 0)) ends.delete(partition)
      // Leaving the group in good order takes longer than the run may.
      if (ends.size === 0) process.exit(0)
    },
  })
}

/** The process has a group of its own, which gets only the process' partitions. */
function assigner({ AssignerProtocol }: KafkaJs, partitions: readonly number[]): object {
  const { MemberAssignment, MemberMetadata } = AssignerProtocol
  const userData = Buffer.alloc(0)
  return {
    name: 'half',
    version: 1,
    assign: async ({ members }: { members: readonly { memberId: string }[] }) =>
      members.map(({ memberId }) => ({
        memberId,
        memberAssignment: MemberAssignment.encode({ version: 1, assignment: { [topic]: partitions }, userData }),
      })),
    protocol: ({ topics }: { topics: readonly string[] }) => ({
      name: 'half',
      metadata: MemberMetadata.encode({ version: 1, topics, userData }),
    }),
  }
}

function begin(part: number): readonly Query[] {
  const query = (
    name: string,
    slideMs: number,
    keyOf: Query['keyOf'],
    keyRow: Query['keyRow'],
    countsPages = false,
  ): Query => {
    mkdirSync(join(output, name), { recursive: true })
    appendFileSync(join(output, name, `${part}.json`), '')
    return { name, slideMs, keyOf, keyRow, countsPages, windows: new Map() }
  }
  return [
    query(
      'page_views',
      MINUTE_MS,
      ({ page_url }) => page_url,
      (page_url) => ({ page_url }),
    ),
    query(
      'devices',
      WINDOW_MS,
      ({ device, browser }) => `${device}|${browser}`,
      (key) => ({ device: key.split('|')[0], browser: key.split('|')[1] }),
    ),
    query(
      'visitors',
      WINDOW_MS,
      ({ user_id }) => user_id,
      (user_id) => ({ user_id }),
      true,
    ),
  ]
}

/** Counts an event; returns its time. */
function count(queries: readonly Query[], event: Event): number {
  const timeMs = Date.parse(event.event_time)
  for (const { windows, slideMs, keyOf, countsPages } of queries) {
    const key = keyOf(event)
    for (let start = timeMs - (timeMs % slideMs); start > timeMs - WINDOW_MS; start -= slideMs) {
      let groups = windows.get(start)
      if (!groups) {
        groups = new Map()
        windows.set(start, groups)
      }
      let group = groups.get(key)
      if (!group) {
        group = countsPages ? { events: 0, pages: new Set() } : { events: 0 }
        groups.set(key, group)
      }
      group.events++
      group.pages?.add(event.page_url)
    }
  }
  return timeMs
}

function close(queries: readonly Query[], part: number, watermarkMs: number): void {
  for (const { name, windows, keyRow } of queries) {
    for (const [start, groups] of windows) {
      if (start + WINDOW_MS > watermarkMs) continue
      const window = {
        window_start: new Date(start).toISOString(),
        window_end: new Date(start + WINDOW_MS).toISOString(),
      }
      const lines = [...groups].map(([key, { events, pages }]) =>
        JSON.stringify({ ...window, ...keyRow(key), events, ...(pages && { pages: pages.size }) }),
      )
      appendFileSync(join(output, name, `${part}.json`), `${lines.join('\n')}\n`)
      windows.delete(start)
    }
  }
}
