import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { temporaryFolder } from '../../test/support/run-millrace.ts'
import { sinkBatch } from '../../test/support/sink-rows.ts'
import { encodeParquet } from './parquet-format.ts'

test('pages are compressed as asked for, and others read the same rows', async (t) => {
  const folder = await temporaryFolder(t)
  const rows = sinkBatch(Array.from({ length: 5_000 }, (_, index) => ({ page: `/page/${index % 50}`, views: index })))
  const all = Int32Array.from({ length: 5_000 }, (_, index) => index)
  const database = await DuckDBInstance.create(':memory:')
  const connection = await database.connect()
  t.after(() => {
    connection.closeSync()
    database.closeSync()
  })
  for (const [compression, codec] of [
    ['snappy', 'SNAPPY'],
    ['gzip', 'GZIP'],
    ['zstd', 'ZSTD'],
    ['none', 'UNCOMPRESSED'],
  ] as const) {
    const file = join(folder, `${compression}.parquet`)
    await writeFile(file, encodeParquet(rows, all, compression))
    const answer = await connection.runAndReadAll(
      `SELECT (SELECT string_agg(DISTINCT compression) FROM parquet_metadata('${file}')) AS codec,
        count(*)::INTEGER AS n, sum(views)::INTEGER AS views, count(DISTINCT page)::INTEGER AS pages FROM '${file}'`,
    )
    assert.deepEqual(answer.getRowObjectsJson(), [{ codec, n: 5_000, views: (5_000 * 4_999) / 2, pages: 50 }])
  }
})
