import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { resultRows, type Value } from '../../../test/support/result-rows.ts'
import { type ResultBatch, RowChange } from '../../batch/result-batch.ts'
import type { Field } from '../../batch/schema.ts'
import { type Sink, SinkBehind, type SinkEpoch } from '../sink.ts'
import { duckdbSink } from './duckdb-sink.ts'

const FIELDS: readonly Field[] = [
  { name: 'window_start', type: 'timestamp', required: true },
  { name: 'page_url', type: 'string', required: false },
  { name: 'views', type: 'int64', required: true },
  { name: 'revenue', type: 'decimal', scale: 2, required: false },
]
const NOON = Date.UTC(2026, 10, 24, 12)

test('an epoch is invisible until it is committed, and then there once, however often it is committed', async (t) => {
  const { sink, close, file } = await opened(t)
  const at = epoch(1, 0)
  const prepared = await sink.prepare(
    at,
    batch([
      [NOON, '/nul\u0000"\n', 2 ** 53, 2 ** 53],
      [NOON, null, 1, null],
    ]),
  )
  assert.equal((await sink.progress())?.epoch, 0)
  for (let attempt = 0; attempt < 3; attempt++) await sink.commit(at, prepared)
  await close()
  assert.deepEqual(await rowsOf(file), [
    {
      window_start: '2026-11-24 12:00:00+00',
      page_url: '/nul\u0000"\n',
      views: '9007199254740992',
      revenue: '90071992547409.92',
    },
    { window_start: '2026-11-24 12:00:00+00', page_url: null, views: '1', revenue: null },
  ])
})

test('update mode: values replace values, also those of a null key; a group that has ceased to exist is deleted, one that came back stays', async (t) => {
  const { commit, close, file } = await opened(t)
  await commit(
    1,
    batch([
      [NOON, '/a', 1, null],
      [NOON, '/b', 1, null],
      [NOON, null, 1, null],
      [NOON, '/c', 1, null],
    ]),
  )
  const { updated, final, deleted } = RowChange
  await commit(
    2,
    batch(
      [
        [NOON, '/a', 2, 5],
        [NOON, '/a', 3, 7],
        [NOON, '/b', 0, null],
        [NOON, null, 5, null],
        [NOON, '/c', 9, null],
        [NOON, '/c', 0, null],
      ],
      [updated, final, deleted, updated, updated, deleted],
    ),
  )
  await close()
  assert.deepEqual(
    (await rowsOf(file)).map((row) => [row['page_url'], row['views'], row['revenue']]),
    [
      ['/a', '3', '0.07'],
      ['/c', '9', null],
      [null, '5', null],
    ],
  )
})

test('a value that does not fit the column of a table that was there is kept in millrace_rejected', async (t) => {
  const file = await databaseFile(t)
  await query(
    file,
    'create table page_views (window_start timestamptz, page_url varchar, views tinyint, revenue decimal(18,2))',
  )
  const { commit, close } = await opened(t, { file })
  await commit(
    1,
    batch([
      [NOON, '/a', 1, null],
      [NOON, '/b', 1000, null],
    ]),
  )
  await close()
  assert.deepEqual(
    (await rowsOf(file)).map((row) => row['page_url']),
    ['/a'],
  )
  const [rejected] = await query(file, 'select sink, epoch::int as epoch, seq, row_data from millrace_rejected')
  assert.equal(rejected?.['epoch'], 1)
  assert.equal((JSON.parse(String(rejected?.['row_data'])) as { page_url: string }).page_url, '/b')
})

test('other rows for a committed epoch, lost epochs, a table of another run: each stops; a reset goes on', async (t) => {
  const { sink, commit, close, file } = await opened(t)
  await commit(1, batch([[NOON, '/a', 1, null]]))
  const empty = { rows: 0, bytes: 0, files: [] }
  await assert.rejects(sink.commit({ ...epoch(1, 0), hash: 'another' }, empty), { message: /other rows for epoch 1/ })
  await assert.rejects(
    sink.commit(epoch(3, 2), empty),
    (error: unknown) => error instanceof SinkBehind && error.epoch === 1,
  )
  await sink.commit(epoch(2, 1), empty)
  await close()
  await assert.rejects(opened(t, { file, owner: 'elsewhere' }), {
    code: 'incompatible-state',
    message: /another run \(here\)/,
  })
  const reset = await opened(t, { file, owner: 'elsewhere', reset: true, startEpoch: 7 })
  await reset.sink.commit(epoch(8, 7), await reset.sink.prepare(epoch(8, 7), batch([])))
  await reset.close()
})

test('several sinks share one file; an older process is refused', async (t) => {
  const file = await databaseFile(t)
  const pages = await opened(t, { file, table: 'pages' })
  const countries = await opened(t, { file, table: 'countries' })
  await Promise.all([
    pages.commit(1, batch([[NOON, '/a', 1, null]])),
    countries.commit(1, batch([[NOON, 'se', 2, null]])),
  ])
  await assert.rejects(opened(t, { file, table: 'pages', fence: 0 }), { message: /newer process \(fence 1/ })
  await pages.close()
  await countries.commit(2, batch([[NOON, 'no', 3, null]]))
  await countries.close()
  assert.equal((await query(file, 'select 1 from countries')).length, 2)
})

interface Opened {
  readonly file: string
  readonly sink: Sink
  commit(number: number, rows: ResultBatch): Promise<void>
  close(): Promise<void>
}

async function opened(
  t: TestContext,
  options: { file?: string; owner?: string; table?: string; fence?: number; reset?: boolean; startEpoch?: number } = {},
): Promise<Opened> {
  const file = options.file ?? (await databaseFile(t))
  const table = options.table ?? 'page_views'
  const sink = await duckdbSink(
    { kind: 'duckdb', table, mode: 'update', file },
    {
      pipeline: 'shop',
      query: table,
      name: `${table}.duckdb`,
      fields: FIELDS,
      keyColumns: ['window_start', 'page_url'],
      workingFolder: tmpdir(),
      outboxFolder: join(file, '..', 'outbox'),
      owner: options.owner ?? 'here',
      print: () => {},
    },
  )
  let open = true
  const close = async (): Promise<void> => {
    if (open) await sink.close()
    open = false
  }
  t.after(close)
  if (!options.reset) await sink.progress()
  await sink.open(options.fence ?? 1, { epoch: options.startEpoch ?? 0, reset: options.reset ?? false })
  return {
    file,
    sink,
    close,
    async commit(number, rows) {
      const at = epoch(number, number - 1)
      await sink.commit(at, await sink.prepare(at, rows))
    },
  }
}

async function databaseFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-duckdb-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'results.duckdb')
}

function epoch(number: number, previous: number): SinkEpoch {
  return { epoch: number, previous, fence: 1, hash: `hash-${number}` }
}

function batch(rows: readonly (readonly Value[])[], changes?: readonly number[]): ResultBatch {
  return resultRows(FIELDS, rows, changes)
}

function rowsOf(file: string): Promise<Record<string, unknown>[]> {
  return query(file, 'select * from page_views order by page_url nulls last')
}

async function query(file: string, sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(file)
  const connection = await instance.connect()
  try {
    await connection.run("set timezone = 'UTC'")
    return (await connection.runAndReadAll(sql)).getRowObjectsJson() as Record<string, unknown>[]
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
