import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { cellValue } from '../../batch/cell.ts'
import type { Field } from '../../batch/schema.ts'
import { readRelayedRows } from './relayed-rows.ts'

const FIELDS: readonly Field[] = [
  { name: 'start', type: 'timestamp', required: true, cardinality: 'unique' },
  { name: 'page', type: 'string', required: false, cardinality: 'low' },
  { name: 'amount', type: 'decimal', scale: 2, required: false, cardinality: 'unique' },
  { name: 'views', type: 'int64', required: true, cardinality: 'unique' },
]

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-relayed-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('rows of several files come in their order, longer than any piece that is read, empty files among them', async () => {
  const rows = Array.from({ length: 30_000 }, (_, index) => ({
    start: index * 1_000,
    page: index % 7 === 0 ? null : `/käse-${'x'.repeat(index % 50)}`,
    amount: index % 5 === 0 ? null : index + 0.25,
    views: Number.MAX_SAFE_INTEGER - index,
  }))
  const files = [await file('a', rows.slice(0, 20_000)), await file('b', []), await file('c', rows.slice(20_000))]
  const { columns, rowCount, fields } = await readRelayedRows(files, FIELDS)
  assert.equal(rowCount, rows.length)
  const found = rows.map((_, row) =>
    Object.fromEntries(fields.map((field, index) => [field.name, cellValue(columns[index] as never, field, row)])),
  )
  assert.deepEqual(found, rows)
})

test('no rows are no rows, of all columns', async () => {
  const { columns, rowCount } = await readRelayedRows([await file('a', [])], FIELDS)
  assert.deepEqual([rowCount, columns.length], [0, FIELDS.length])
})

test('a row that no column can hold is an error, not a row less', async () => {
  const path = await file('a', [{ start: 1, page: 'a', amount: 1, views: 1 }])
  const text = '{"start":1,"page":"b","amount":1,"views":9007199254740993}\n'
  await writeFile(path, `${'{"start":1,"page":"a","amount":1,"views":1}\n'.repeat(2)}${text}`)
  await assert.rejects(readRelayedRows([path], FIELDS), {
    code: 'corrupt-data',
    message: `line 3 of ${path}: number out of range in "views"`,
  })
})

async function file(name: string, rows: readonly object[]): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return path
}
