import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { checkPostgres } from './server-checks.ts'
import { checkCheckpoints, checkResultStore } from './state-checks.ts'

const home = mkdtempSync(join(tmpdir(), 'millrace-checks-'))
after(() => rmSync(home, { recursive: true }))

test('a home without state has nothing that could not fit', async () => {
  assert.deepEqual([...(await checkCheckpoints(home, undefined)), ...(await checkResultStore(home))], [])
})

test('a checkpoint without a snapshot that can be read is told, with a way forward', async () => {
  const folder = join(home, 'checkpoints', 'p')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'snapshot-000000000000003.bin'), 'no snapshot')
  for (const named of [undefined, folder]) {
    const [check] = await checkCheckpoints(home, named)
    assert.equal(check?.unfitting, true)
    assert.match(check?.detail ?? '', /no snapshot that can be read/)
    assert.match(check?.fix ?? '', /--checkpoint/)
  }
})

test('a result store that is no database is told', async () => {
  writeFileSync(join(home, 'results.duckdb'), 'no database '.repeat(1_000))
  const [check] = await checkResultStore(home)
  assert.equal(check?.fine, false)
  assert.notEqual(check?.fix, '')
})

test('a PostgreSQL server that does not answer is told', async () => {
  assert.deepEqual(await checkPostgres({}), [])
  const [check] = await checkPostgres({ MILLRACE_POSTGRES_URL: 'postgres://127.0.0.1:1/none' })
  assert.equal(check?.fine, false)
  assert.match(check?.detail ?? '', /ECONNREFUSED/)
})
