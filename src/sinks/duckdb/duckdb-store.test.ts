import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../../test/support/run-millrace.ts'
import { DuckDbStore } from './duckdb-store.ts'

test('a file is opened once, also by two who come at the same moment', async (t) => {
  const store = DuckDbStore.use(join(await temporaryFolder(t), 'results.duckdb'))
  t.after(() => store.release())
  const [job, query] = await Promise.all([store.connect(), store.connect()])
  await job.run('create table views as select 1 as n')
  assert.equal((await query.runAndReadAll('from views')).currentRowCount, 1)
  job.closeSync()
  query.closeSync()
})
