import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { nodeFileSystem } from '../../base/file-system.ts'
import { writeSnapshot } from '../../job/snapshot-file.ts'
import { Totals } from '../../job/totals.ts'
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

test('a checkpoint that another version wrote is told, with a way forward', async () => {
  const folder = join(home, 'old')
  mkdirSync(folder, { recursive: true })
  const header = {
    identity: { pipeline: 'p', source: 's', queries: [] },
    hashKey: [1, 2] as const,
    epoch: 7,
    fence: 1,
    clockMs: 0,
    partitions: [],
    totals: new Totals().toJson(),
    deadLetters: [],
    flushed: false,
  }
  const snapshot = { header, engineState: Uint8Array.of(1, 0) }
  await writeSnapshot(join(folder, 'snapshot-000000000000007.bin'), snapshot, nodeFileSystem)
  const [check] = await checkCheckpoints(home, folder)
  assert.equal(check?.unfitting, true)
  assert.match(
    check?.detail ?? '',
    /the saved state is of another version of Millrace: its format is 1, this one reads \d/,
  )
  assert.match(check?.fix ?? '', /go on with the version that wrote it, or start over with another --checkpoint/)
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
