import assert from 'node:assert/strict'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { Random } from '../../src/base/random.ts'
import { required, requirement } from '../support/requirement.ts'
import { runMillrace, temporaryFolder } from '../support/run-millrace.ts'

const data = requirement('data')
const pipeline = resolve('examples/web-log.ts')

interface Row {
  readonly window_start: string
  readonly window_end: string
  readonly page_url: string
  readonly pageviews: number
  readonly visitors: number
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
  const rows = parse(run.stdout)
  assert.equal(rows.length, 5_648)
  assert.deepEqual(rows, await expectedRows(log))
})

test('the same through standard input', { skip: data.skip }, async (t) => {
  const { folder, log, text } = await setUp(t)
  const run = await runMillrace(
    ['run', pipeline, '--input', '-', '--once', '--print', 'page_views', '--output', 'out'],
    { cwd: folder, input: text },
  )
  assert.equal(run.code, 0, run.stderr)
  assert.deepEqual(parse(run.stdout), await expectedRows(log))
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
    const run = await runMillrace(['run', pipeline, '--once', '--print', 'page_views', '--output', 'out'], {
      cwd: folder,
    })
    assert.equal(run.code, 0, run.stderr)
    assert.deepEqual(parse(run.stdout), await expectedRows(log))
  })
}

async function setUp(t: TestContext): Promise<{ folder: string; log: string; text: string }> {
  const folder = await temporaryFolder(t)
  const log = join(folder, 'access.ndjson.gz')
  await copyFile(join(required('data'), 'web-log', 'access.ndjson.gz'), log)
  return { folder, log, text: gunzipSync(await readFile(log)).toString('utf8') }
}

async function expectedRows(log: string): Promise<Row[]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const reader = await connection.runAndReadAll(
    `select strftime(date_trunc('hour', event_time), '%Y-%m-%dT%H:%M:%S.000Z') as window_start,
            strftime(date_trunc('hour', event_time) + interval 1 hour, '%Y-%m-%dT%H:%M:%S.000Z') as window_end,
            page_url, count(*)::int as pageviews, count(distinct user_id)::int as visitors
     from read_json('${log}', columns = { event_time: 'timestamp', page_url: 'varchar', user_id: 'varchar' }, format = 'newline_delimited')
     group by all order by window_start, page_url`,
  )
  const rows = reader.getRowObjectsJson() as unknown as Row[]
  connection.closeSync()
  return rows
}

/** Rows as a reader has them, in the order of DuckDB's. */
function parse(stdout: string): Row[] {
  const rows = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)
  return rows.sort(
    (left, right) => compare(left.window_start, right.window_start) || compare(left.page_url, right.page_url),
  )
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
