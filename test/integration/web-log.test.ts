import assert from 'node:assert/strict'
import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { Random } from '../../src/base/random.ts'
import { required, requirement } from '../support/requirement.ts'
import { runMillrace, temporaryFolder } from '../support/run-millrace.ts'

const data = requirement('data')
const pipeline = resolve('examples/web-log.ts')

type Row = Readonly<Record<string, string | number>>

/** Each query of the example as SQL over `requests`, in the order of the rows. */
const SQL: Readonly<Record<string, string>> = {
  page_views: `
    select ${hour('event_time')} as window_start, ${hour('event_time + interval 1 hour')} as window_end, page_url,
           count(*)::int as pageviews, count(distinct user_id)::int as visitors
    from requests group by all order by window_start, page_url`,
  hourly_visitors: `
    select ${hour('event_time')} as window_start, ${hour('event_time + interval 1 hour')} as window_end,
           count(*)::int as pageviews, count(distinct user_id)::int as visitors
    from requests group by all order by window_start`,
  sessions: `
    with begins as (
      select *, coalesce(event_time - lag(event_time) over own > interval 30 minute, true)::int as begins
      from requests window own as (partition by user_id order by event_time)
    ), numbered as (
      select *, sum(begins) over (partition by user_id order by event_time rows unbounded preceding) as number from begins
    )
    select ${iso('min(event_time)')} as session_start, ${iso('max(event_time)')} as session_end,
           date_diff('millisecond', min(event_time), max(event_time))::int as duration_ms, user_id, count(*)::int as events
    from numbered group by user_id, number order by session_start, user_id`,
}

test('a file gives every row as DuckDB does', { skip: data.skip }, async (t) => {
  const { folder, log } = await setUp(t)
  const run = await runMillrace(
    ['run', pipeline, '--input', log, '--once', '--json', '--print', 'page_views', '--output', 'out'],
    { cwd: folder },
  )
  assert.equal(run.code, 0, run.stderr)
  const summary = JSON.parse(run.stderr) as { rowsRead: number; fates: Record<string, number> }
  assert.equal(summary.rowsRead, 10_000)
  assert.equal(summary.fates['accepted'], 10_000)
  const rows = await writtenRows(folder)
  assert.deepEqual(sorted(parse(run.stdout)), rows['page_views'])
  assert.deepEqual(rows, await expectedRows(log))
  assertFacts(rows, JSON.parse(await readFile(join(required('data'), 'web-log', 'facts.json'), 'utf8')) as Facts)
})

test('the same through standard input', { skip: data.skip }, async (t) => {
  const { folder, log, text } = await setUp(t)
  const run = await runMillrace(['run', pipeline, '--input', '-', '--once', '--output', 'out'], {
    cwd: folder,
    input: text,
  })
  assert.equal(run.code, 0, run.stderr)
  assert.deepEqual(await writtenRows(folder), await expectedRows(log))
})

for (const partitions of [1, 4]) {
  test(`the same through the log, shuffled within the delay, over ${partitions} partitions`, {
    skip: data.skip,
  }, async (t) => {
    const { folder, log, text } = await setUp(t)
    await writeFile(join(folder, 'shuffled.ndjson'), shuffledWithinDelay(text, 20261124))
    const produced = await runMillrace(
      ['produce', 'shuffled.ndjson', '--topic', 'web-log', '--partitions', String(partitions)],
      { cwd: folder },
    )
    assert.equal(produced.code, 0, produced.stderr)
    const run = await runMillrace(['run', pipeline, '--once', '--output', 'out'], { cwd: folder })
    assert.equal(run.code, 0, run.stderr)
    assert.deepEqual(await writtenRows(folder), await expectedRows(log))
  })
}

async function setUp(t: TestContext): Promise<{ folder: string; log: string; text: string }> {
  const folder = await temporaryFolder(t)
  const log = join(folder, 'access.ndjson.gz')
  await copyFile(join(required('data'), 'web-log', 'access.ndjson.gz'), log)
  return { folder, log, text: gunzipSync(await readFile(log)).toString('utf8') }
}

/** By query. */
async function expectedRows(log: string): Promise<Record<string, Row[]>> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(
    `create table requests as select event_time, page_url, user_id
     from read_json('${log}', columns = { event_time: 'timestamp', page_url: 'varchar', user_id: 'varchar' }, format = 'newline_delimited')`,
  )
  const rows: Record<string, Row[]> = {}
  for (const [name, sql] of Object.entries(SQL)) {
    rows[name] = sorted((await connection.runAndReadAll(sql)).getRowObjectsJson() as unknown as Row[])
  }
  connection.closeSync()
  instance.closeSync()
  return rows
}

/** What the sinks hold, by query. */
async function writtenRows(folder: string): Promise<Record<string, Row[]>> {
  const rows: Record<string, Row[]> = {}
  for (const name of Object.keys(SQL)) {
    const parts = (await readdir(join(folder, 'out', name))).filter((file) => file.endsWith('.ndjson'))
    const texts = await Promise.all(parts.map((file) => readFile(join(folder, 'out', name, file), 'utf8')))
    rows[name] = sorted(texts.flatMap(parse))
  }
  return rows
}

interface Facts {
  readonly hourly_windows: number
  readonly hourly_window_page_groups: number
  readonly busiest_hour: readonly [number, number]
  readonly distinct_users_in_busiest_hour: number
  readonly sessions_gap_30_minutes: number
  readonly total_session_duration_ms: number
  readonly largest_session_events: readonly [number, string]
}

/** What somebody else has counted. */
function assertFacts(rows: Readonly<Record<string, readonly Row[]>>, facts: Facts): void {
  const { page_views = [], hourly_visitors = [], sessions = [] } = rows
  assert.equal(page_views.length, facts.hourly_window_page_groups)
  assert.equal(hourly_visitors.length, facts.hourly_windows)
  const [hourMs, pageviews] = facts.busiest_hour
  const busiest = hourly_visitors.find((row) => Date.parse(String(row['window_start'])) === hourMs)
  assert.deepEqual([busiest?.['pageviews'], busiest?.['visitors']], [pageviews, facts.distinct_users_in_busiest_hour])
  assert.equal(sessions.length, facts.sessions_gap_30_minutes)
  assert.equal(
    sessions.reduce((sum, row) => sum + Number(row['duration_ms']), 0),
    facts.total_session_duration_ms,
  )
  const [events, user] = facts.largest_session_events
  assert.ok(sessions.some((row) => row['events'] === events && row['user_id'] === user))
  assert.equal(Math.max(...sessions.map((row) => Number(row['events']))), events)
}

function hour(time: string): string {
  return iso(`date_trunc('hour', ${time})`)
}

function iso(time: string): string {
  return `strftime(${time}, '%Y-%m-%dT%H:%M:%S.000Z')`
}

function parse(ndjson: string): Row[] {
  return ndjson
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row)
}

/** By the first column, then by the key, as bytes. */
function sorted(rows: readonly Row[]): Row[] {
  const order = (row: Row): string =>
    [row['window_start'] ?? row['session_start'], row['page_url'] ?? row['user_id'] ?? ''].join(' ')
  return rows.toSorted((left, right) => compare(order(left), order(right)))
}

function compare(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right))
}

/** Another order in which every row is less than two minutes behind the largest time before it. */
function shuffledWithinDelay(text: string, seed: number): string {
  const random = new Random(seed)
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const timeMs = Date.parse((JSON.parse(line) as { event_time: string }).event_time)
      return { line, key: timeMs + random.below(119_000) }
    })
  return rows
    .sort((left, right) => left.key - right.key)
    .map(({ line }) => `${line}\n`)
    .join('')
}
