import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { encodeText } from '../../src/base/bytes.ts'
import { nodeFileSystem } from '../../src/base/file-system.ts'
import { readJournals } from '../../src/job/journal.ts'
import type { JobStatus } from '../../src/job/status.ts'
import { RecordBatchBuilder } from '../../src/log/record-batch-builder.ts'
import { logEpochs, readOutputLog } from '../../src/sinks/output-log.ts'
import type { BenchResult } from '../support/bench.ts'
import { inWorld, runCommand, start, type World, withPostgres } from './world.ts'

const EVENTS_PER_SECOND = 10_000
const SECONDS = 30
/** The first seconds, in which code is compiled and tables are made, are not counted. */
const WARM_UP_SECONDS = 5
const TURN_MS = 10
const PARTITIONS = 4
const LOOK_MS = 5
const PAGES = 500

/** A batch, and when it was handed to the log. */
interface Sent {
  readonly partition: number
  readonly offset: number
  readonly events: number
  readonly atMs: number
}

/** From when an event is handed to the log until whoever looks into a store finds its epoch there; one job writes all three. */
export function measureLatency(): Promise<readonly BenchResult[]> {
  return inWorld((world) =>
    withPostgres(world, async ({ url }) => {
      await world.log.createTopic('events', { partitions: PARTITIONS })
      const args = ['--checkpoint', 'checkpoint', '--snapshot-interval', '1h', '--serve', '--port', '0']
      const child = start(runCommand(world, 'live', ...args), world.folder, { MILLRACE_POSTGRES_URL: url })
      let said = ''
      child.stderr?.on('data', (text: Buffer) => (said += text.toString()))
      try {
        const page = await untilSaid(
          () => /page +(http\S+)/.exec(said)?.[1],
          () => said,
        )
        const looking = new AbortController()
        const seen = look(world, url, page, looking.signal)
        const sent = await feed(world)
        await untilDone(page, EVENTS_PER_SECOND * SECONDS)
        looking.abort()
        const stores = await seen
        process.stderr.write(`load ${loadavg()[0]?.toFixed(1)}\n`)
        child.kill('SIGTERM')
        const [code] = (await once(child, 'close')) as [number | null]
        assert.equal(code, 0, said)
        await assertTotals(world, url)
        return await resultsOf(world, sent, stores)
      } finally {
        child.kill('SIGKILL')
      }
    }),
  )
}

/** Events at an even pace: what falls due is sent every few milliseconds. */
async function feed({ log }: World): Promise<Sent[]> {
  const sent: Sent[] = []
  const startMs = performance.now()
  const appends: Promise<void>[] = []
  for (let count = 0; count < EVENTS_PER_SECOND * SECONDS; ) {
    const due = Math.min(
      EVENTS_PER_SECOND * SECONDS,
      Math.floor(((performance.now() - startMs) * EVENTS_PER_SECOND) / 1_000),
    )
    const partition = sent.length % PARTITIONS
    if (due > count) {
      const builder = new RecordBatchBuilder()
      for (let index = count; index < due; index++) {
        const event = `{"at":${Date.now()},"page":"/page/${(index * 7919) % PAGES}","user":"user-${index % 1_000}"}`
        builder.add(null, encodeText(event), Date.now())
      }
      const [atMs, events] = [performance.now(), due - count]
      const place = sent.push({ partition, offset: -1, events, atMs }) - 1
      const append = log.append('events', partition, builder.finish())
      appends.push(
        append.then(({ baseOffset }) => {
          sent[place] = { partition, offset: baseOffset, events, atMs }
        }),
      )
      count = due
    }
    await sleep(TURN_MS)
  }
  await Promise.all(appends)
  return sent
}

/** When which epoch was first seen, by store, until the signal comes. */
async function look(
  { folder }: World,
  url: string,
  page: string,
  signal: AbortSignal,
): Promise<Map<string, [number, number][]>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const stores: [string, () => Promise<number>][] = [
    [
      'postgres',
      async () =>
        Number(
          (
            await client
              .query<{ epoch: string }>("select epoch from millrace_progress where sink = 'pages.postgres'")
              .catch(() => undefined)
          )?.rows[0]?.epoch ?? 0,
        ),
    ],
    ['duckdb', async () => (await status(page)).sinks.find(({ kind }) => kind === 'duckdb')?.committedEpoch ?? 0],
    ['files', async () => (await logEpochs(join(folder, 'raw'), nodeFileSystem)).at(-1) ?? 0],
  ]
  const seen = new Map<string, [number, number][]>(stores.map(([name]) => [name, []]))
  const watch = async (name: string, newest: () => Promise<number>): Promise<void> => {
    for (let last = 0; !signal.aborted; await sleep(LOOK_MS)) {
      const epoch = await newest()
      if (epoch > last) seen.get(name)?.push([epoch, performance.now()])
      last = epoch
    }
  }
  await Promise.all(stores.map(([name, newest]) => watch(name, newest)))
  await client.end()
  return seen
}

async function status(page: string): Promise<JobStatus> {
  return (await (await fetch(new URL('/api/status', page))).json()) as JobStatus
}

async function untilDone(page: string, events: number): Promise<void> {
  for (;;) {
    const { rowsRead, epoch, sinks } = await status(page)
    if (rowsRead === events && sinks.every(({ committedEpoch }) => committedEpoch === epoch)) break
    await sleep(100)
  }
  // Whoever looks has looked since.
  await sleep(500)
}

async function untilSaid(find: () => string | undefined, said: () => string): Promise<string> {
  for (let turn = 0; turn < 600; turn++) {
    const found = find()
    if (found !== undefined) return found
    await sleep(50)
  }
  throw new Error(`the job shows no page: ${said()}`)
}

/** Each event is in each store once. */
async function assertTotals({ folder }: World, url: string): Promise<void> {
  const events = EVENTS_PER_SECOND * SECONDS
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ events: string }>('select sum(events) as events from pages')
  await client.end()
  assert.equal(Number(rows[0]?.events), events, 'events in PostgreSQL')
  const listed = await readOutputLog(join(folder, 'raw'))
  const files = readdirSync(join(folder, 'raw')).filter((name) => name.endsWith('.ndjson'))
  const lines = files.reduce(
    (sum, name) =>
      sum +
      readFileSync(join(folder, 'raw', name), 'utf8')
        .trimEnd()
        .split('\n').length,
    0,
  )
  assert.deepEqual([lines, listed.reduce((sum, entry) => sum + entry.rows, 0)], [events, events], 'events in files')
}

async function resultsOf(
  { folder }: World,
  sent: readonly Sent[],
  stores: Map<string, [number, number][]>,
): Promise<BenchResult[]> {
  const epochs = await epochsOf(folder)
  const fromMs = (sent[0] as Sent).atMs + WARM_UP_SECONDS * 1_000
  return [...stores].map(([store, seen]) => {
    const latencies: { ms: number; events: number }[] = []
    for (const { partition, offset, events, atMs } of sent) {
      if (atMs < fromMs) continue
      const epoch = epochs(partition, offset + events - 1)
      const atLast = seen.find(([newest]) => newest >= epoch)
      assert.ok(atLast, `epoch ${epoch} was seen in ${store}`)
      latencies.push({ ms: atLast[1] - atMs, events })
    }
    latencies.sort((left, right) => left.ms - right.ms)
    const total = latencies.reduce((sum, { events }) => sum + events, 0)
    return {
      name: `durability/latency-${store}`,
      data: 'latency',
      events: total,
      nsPerEvent: spreadOfRate(),
      ratio: {},
      p50Ms: quantile(latencies, total * 0.5),
      p99Ms: quantile(latencies, total * 0.99),
    }
  })
}

function quantile(latencies: readonly { ms: number; events: number }[], rank: number): number {
  let events = 0
  for (const latency of latencies) {
    events += latency.events
    if (events >= rank) return latency.ms
  }
  return Number.NaN
}

/** Which epoch holds an offset, as the job has planned it. */
async function epochsOf(folder: string): Promise<(partition: number, offset: number) => number> {
  const { records } = await readJournals(join(folder, 'checkpoint'), nodeFileSystem)
  const ranges = records.flatMap((record) => {
    if (record.type !== 'plan') return []
    const { plan, partitionIds } = record
    return plan.ranges.map(({ partition, from, to }) => {
      return { id: partitionIds[partition], from, to, epoch: plan.epoch }
    })
  })
  return (partition, offset) => {
    const id = `events-${partition}`
    const range = ranges.find((one) => one.id === id && one.from <= offset && offset < one.to)
    assert.ok(range, `offset ${offset} of ${id} was planned`)
    return range.epoch
  }
}

function spreadOfRate(): BenchResult['nsPerEvent'] {
  const ns = 1e9 / EVENTS_PER_SECOND
  return { median: ns, min: ns, max: ns, runs: 1 }
}
