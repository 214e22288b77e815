/**
 * Generated events, partly late and out of order, over four partitions: tumbling, sliding and session results equal SQL over the same
 * lines, which another JSON parser has read. MILLRACE_TEST_SCALE=full takes five million events.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { after, before, type TestContext, test } from 'node:test'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { EncodedRecords } from '../../src/batch/encoded-records.ts'
import type { EpochResults } from '../../src/engine/epoch.ts'
import { createEngine } from '../../src/engine/pipeline.ts'
import { generateInto } from '../../src/generator/load.ts'
import { generatorSettings } from '../../src/generator/settings.ts'
import {
  clickEvent,
  count,
  countDistinct,
  logSource,
  type Pipeline,
  pipeline,
  session,
  sliding,
  stream,
  sum,
  tumbling,
} from '../../src/index.ts'
import { createDecoder } from '../../src/job/create-decoder.ts'
import { loadDecoderModule } from '../../src/job/decoder-module.ts'
import type { EpochRunner } from '../../src/job/epoch-runner.ts'
import { LocalRunner } from '../../src/job/local-runner.ts'
import { ParallelRunner } from '../../src/job/parallel-runner.ts'
import { MemoryLog } from '../../src/log/memory-log.ts'
import { rowsOf } from '../../src/sinks/memory-sink.ts'
import { parsed, readValues } from '../support/generated-topic.ts'
import { temporaryFolder } from '../support/run-millrace.ts'

const FULL = process.env['MILLRACE_TEST_SCALE'] === 'full'
const EVENTS = FULL ? 5_000_000 : 200_000
const PARTITIONS = 4
const TOPIC = 'events'
/** Bytes of each partition in an epoch. */
const EPOCH_BYTES = FULL ? 8 << 20 : 1 << 20

const events = stream(logSource(TOPIC), clickEvent).withWatermark('event_time', '2 minutes', { maxClockSkew: null })
const plan: Pipeline = pipeline('oracle')
  .query(
    'pages',
    events
      .groupBy('page_url')
      .window(tumbling('1 minute'))
      .aggregate({ events: count(), revenue: sum('amount'), users: countDistinct('user_id') }),
  )
  .query(
    'devices',
    events
      .groupBy('device')
      .window(sliding('5 minutes', '1 minute'))
      .aggregate({ events: count(), revenue: sum('amount'), users: countDistinct('user_id') }),
  )
  .query(
    'sessions',
    events
      .groupBy('user_id')
      .window(session('90s'))
      .aggregate({ events: count(), revenue: sum('amount') }),
  )

/** Each query over `events`, with times in ms. */
const SQL: Readonly<Record<string, string>> = {
  pages: `
    select ts // 60000 * 60000 as window_start, ts // 60000 * 60000 + 60000 as window_end, page_url,
           count(*) as events, sum(amount) as revenue, count(distinct user_id) as users
    from events group by all`,
  devices: `
    select (ts // 60000 - back) * 60000 as window_start, (ts // 60000 - back + 5) * 60000 as window_end, device,
           count(*) as events, sum(amount) as revenue, count(distinct user_id) as users
    from events, range(5) as shifts(back) group by all`,
  sessions: `
    with begins as (
      select *, coalesce(ts - lag(ts) over own > 90000, true)::int as begins
      from events window own as (partition by user_id order by ts)
    ), numbered as (
      select *, sum(begins) over (partition by user_id order by ts rows unbounded preceding) as number from begins
    )
    select min(ts) as session_start, max(ts) as session_end, max(ts) - min(ts) as duration_ms, user_id,
           count(*) as events, sum(amount) as revenue
    from numbered group by user_id, number`,
}

const TYPES: Readonly<Record<string, string>> = { page_url: 'varchar', device: 'varchar', user_id: 'varchar' }

const log = new MemoryLog()
const module = loadDecoderModule((problem) => assert.fail(problem))
let duckdb: DuckDBInstance
let connection: DuckDBConnection
let malformed = 0

before(async () => {
  duckdb = await DuckDBInstance.create(':memory:')
  connection = await duckdb.connect()
  const settings = generatorSettings({
    seed: 20_261_125,
    partitions: PARTITIONS,
    eventsPerSecond: FULL ? 500 : 50,
    users: FULL ? 200_000 : 5_000,
    lateFraction: 0.05,
    lateMinMs: 1_000,
    lateMaxMs: 60_000,
    outOfOrderFraction: 0.2,
    duplicateFraction: 0.01,
    malformedFraction: 0.001,
  })
  await generateInto(log, TOPIC, settings, { pace: 'flat-out', rows: EVENTS, startTimeMs: Date.UTC(2026, 0, 1) })
})

after(() => {
  connection.closeSync()
  duckdb.closeSync()
})

test('the events are read by another parser', async (t) => {
  const file = join(await temporaryFolder(t), 'events.ndjson')
  malformed = await writeEvents(file)
  await loadLines(file, 'events', ['ts', 'page_url', 'device', 'user_id', 'amount'])
  assert.ok(malformed > 0)
})

for (const parallelism of [1, 2]) {
  test(`every row is the row of DuckDB, with parallelism ${parallelism}`, async (t) => {
    const runner = newRunner(parallelism)
    try {
      const files = await computeInto(runner, t)
      for (const [name, { file, columns }] of files) {
        await loadLines(file, `${name}_seen`, columns)
        await assertSame(name)
      }
    } finally {
      await runner.close()
    }
  })
}

function newRunner(parallelism: number): EpochRunner {
  const options = {
    hashKey: [3, 4],
    advanceWhenIdle: false,
    extraModes: ['append'],
    groupsMax: 10_000_000,
  } as const
  const knownMembers = clickEvent.fields.map((field) => field.from ?? field.name)
  const limits = { hashSeed: 5, dictionaryEntriesMax: 1 << 20 }
  if (parallelism > 1) return new ParallelRunner(plan, options, { module, knownMembers, ...limits }, parallelism)
  const engine = createEngine(plan, options)
  const decoder = createDecoder({ fields: engine.fields, knownMembers: new Set(knownMembers), ...limits }, module)
  return new LocalRunner(engine, decoder)
}

/** Runs the topic through, and writes the rows of each query to a file. */
async function computeInto(
  runner: EpochRunner,
  t: TestContext,
): Promise<Map<string, { file: string; columns: readonly string[] }>> {
  const folder = await temporaryFolder(t)
  const files = new Map(
    runner.queries.map(({ name, fields }) => [
      name,
      { file: join(folder, name), columns: fields.map((field) => field.name) },
    ]),
  )
  const streams = runner.queries.map(({ name }) => createWriteStream(join(folder, name)))
  runner.addPartitions(Array.from({ length: PARTITIONS }, (_, partition) => `p${partition}`))
  const fates = new Map<string, number>()
  for await (const results of epochsOf(runner)) {
    for (const { fate, rows } of results.ledger) fates.set(fate, (fates.get(fate) ?? 0) + rows)
    for (const [index, { append }] of results.queries.entries()) {
      assert.ok(append)
      const lines = rowsOf(append).map((row) => `${JSON.stringify(Object.fromEntries(row))}\n`)
      if (!streams[index]?.write(lines.join(''))) await once(streams[index] as WriteStream, 'drain')
    }
  }
  for (const one of streams) await finished(one.end())
  assert.deepEqual(Object.fromEntries(fates), { accepted: EVENTS - malformed, malformed })
  return files
}

async function* epochsOf(runner: EpochRunner): AsyncGenerator<EpochResults> {
  const positions = new Array<number>(PARTITIONS).fill(0)
  for (let epoch = 1; ; epoch++) {
    const pieces = await Promise.all(positions.map((from, partition) => readFrom(partition, from)))
    const ranges = pieces.flatMap((records, partition) => {
      const from = positions[partition] as number
      const to = records.at(-1)?.endOffset ?? from
      positions[partition] = to
      return to > from ? [{ partition, from, to }] : []
    })
    const flush = ranges.length === 0
    const common = { epoch, previous: epoch - 1, clockMs: Date.UTC(2030, 0, 1), idle: [], ended: [] }
    yield await runner.compute(
      { ...common, ranges, flush },
      ranges.map(({ partition }) => pieces[partition] ?? []),
    )
    if (flush) return
  }
}

async function readFrom(partition: number, from: number): Promise<readonly EncodedRecords[]> {
  const end = (await log.describeTopic(TOPIC))?.offsets[partition]?.end ?? 0
  return from < end ? log.read(TOPIC, partition, from, EPOCH_BYTES) : []
}

/** What `JSON.parse` makes of the lines; gives how many it can make nothing of. */
async function writeEvents(file: string): Promise<number> {
  const to = createWriteStream(file)
  let unreadable = 0
  for (const values of await readValues(log, TOPIC)) {
    for (let from = 0; from < values.length; from += 10_000) {
      const lines = values.slice(from, from + 10_000).flatMap((value) => {
        const event: Record<string, unknown> | undefined = parsed(value)
        if (!event) unreadable++
        if (!event) return []
        const { event_time, page_url, device, user_id, amount } = event
        return [JSON.stringify({ ts: Date.parse(String(event_time)), page_url, device, user_id, amount })]
      })
      if (!to.write(`${lines.join('\n')}\n`)) await once(to, 'drain')
    }
  }
  await finished(to.end())
  return unreadable
}

async function loadLines(file: string, table: string, columns: readonly string[]): Promise<void> {
  const typed = columns.map((name) => `${name}: '${TYPES[name] ?? (isMoney(name) ? 'decimal(18,2)' : 'bigint')}'`)
  await connection.run(
    `create or replace table ${table} as
     from read_json('${file}', format = 'newline_delimited', columns = { ${typed.join(', ')} })`,
  )
}

function isMoney(name: string): boolean {
  return name === 'amount' || name === 'revenue'
}

async function assertSame(query: string): Promise<void> {
  const theirs = SQL[query] as string
  const ours = `from ${query}_seen`
  const counts = await connection.runAndReadAll(
    `select (select count(*) from (${theirs})) as theirs, (select count(*) from (${ours})) as ours`,
  )
  const [[expected, seen] = []] = counts.getRows()
  assert.ok(Number(expected) > 100, `${query} has ${expected} rows`)
  assert.equal(seen, expected, `rows of ${query}`)
  const missing = await connection.runAndReadAll(`select * from ((${theirs}) except all (${ours})) limit 5`)
  assert.deepEqual(missing.getRowObjectsJson(), [], `rows of ${query} that only DuckDB has`)
}
