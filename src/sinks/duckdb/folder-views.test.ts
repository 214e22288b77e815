import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../../test/support/run-millrace.ts'
import { queryFile } from './duckdb-query.ts'

test('a view has the rows of the files that are there for everybody, and none that a sink is still preparing', async (t) => {
  const folder = await temporaryFolder(t)
  const out = join(folder, "o'ut")
  await write(join(out, 'clicks/dt=2026-11-24/part-1.ndjson'), '{"n":1}\n{"n":2}\n')
  await write(join(out, 'clicks/dt=2026-11-25/part-2.ndjson'), '{"n":3}\n')
  await write(join(out, 'clicks/.staging/3/12/part-00000.ndjson'), '{"n":4}\n')
  await write(join(out, 'clicks/_log/1.ndjson'), '{"n":5}\n')
  const { rows } = await queryFile(join(folder, 'no.duckdb'), 'select n, dt::varchar from clicks order by n', [out], {
    rowsMax: 10,
    timeoutMs: 10_000,
  })
  assert.deepEqual(
    rows.map(([n, dt]) => `${n} ${dt}`),
    ['1 2026-11-24', '2 2026-11-24', '3 2026-11-25'],
  )
})

test('outputs of others in the same folder are in the way of nobody', async (t) => {
  const folder = await temporaryFolder(t)
  const out = join(folder, 'out')
  await write(join(out, 'pages/parquet/dt=2026-11-24/part-1.ndjson'), '{"page":"/"}\n')
  await write(join(out, 'shop/orders/part-1.ndjson'), '{"order":1}\n')
  await write(join(out, 'shop/lake/event_date=2026-11-24/part-1.ndjson'), '{"event":1}\n')
  await write(join(out, 'broken/a=1/part-1.ndjson'), '{"n":1}\n')
  await write(join(out, 'broken/part-2.ndjson'), '{"n":1}\n')
  const ask = (sql: string) => queryFile(join(folder, 'no.duckdb'), sql, [out], { rowsMax: 10, timeoutMs: 10_000 })
  assert.deepEqual((await ask('show tables')).rows, [['pages']])
  assert.deepEqual((await ask('select page from pages')).rows, [['/']])
  await assert.rejects(ask('from broken'), /the files below .*broken cannot be read as one table: /)
})

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}
