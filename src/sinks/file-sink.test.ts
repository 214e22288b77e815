import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { FaultyFiles } from '../../test/support/faulty-files.ts'
import { FileStore } from '../../test/support/file-store.ts'
import { rowText, type SinkRow, sinkBatch } from '../../test/support/sink-rows.ts'
import { Random } from '../base/random.ts'
import { type FileFormat, value } from '../plan/connectors.ts'
import { clearOutputFolder, readOutputLog } from './output-log.ts'
import type { PreparedOutput, Sink, SinkEpoch } from './sink.ts'

const ROWS: readonly SinkRow[] = ['/a', '/b', '/b', null].map((page, index) => ({ page, views: index }))

/** How a process ends: the machine keeps what was synced, or also some of the rest, or all of it. */
const ENDS: Readonly<Record<string, (files: FaultyFiles, seed: number) => void>> = {
  'a power cut': (files) => files.powerCut(),
  'a power cut that spares some': (files, seed) => files.powerCut(new Random(seed)),
  'a kill': (files) => files.restart(),
}

for (const [end, stop] of Object.entries(ENDS)) {
  // Formats differ in their bytes only.
  const kind = end === 'a power cut' ? 'parquet' : 'json'
  test(`${kind}: ${end} at any call leaves each row once, and readers of _log never see half an epoch`, async () => {
    const calls = await callsOfALife(kind)
    assert.ok(calls > 50)
    for (let fatal = 0; fatal <= calls; fatal++) await dieAndRecover(kind, stop, fatal, calls)
  })
}

test('a full disk before an epoch is certain is worth another try, and the next one goes through', async () => {
  const files = new FaultyFiles()
  const store = new FileStore('/', { kind: 'json' }, files)
  const sink = await store.sink()
  await sink.open(1)
  files.faults.bytesFree = 50
  await assert.rejects(sink.prepare(at(1), sinkBatch(ROWS)), { code: 'unavailable' })
  files.faults.bytesFree = Number.POSITIVE_INFINITY
  await write(sink, at(1))
  assert.deepEqual(await store.loggedRows(), texts(1))
})

test('values that mean something to a file system become names that mean nothing, and no two share a folder', async (t) => {
  const store = new FileStore(await temporaryFolder(t), { kind: 'json', partitionBy: value('page') })
  const hostile = [
    '..',
    '.',
    '../../etc/passwd',
    '/etc',
    'a/b',
    'a\\b',
    'nul\u0000',
    'dot.',
    'blank ',
    ' blank',
    '~',
    '%2E%2E',
  ]
  const pages = [...hostile, 'a%b', 'dt=1', '__HIVE_DEFAULT_PARTITION__', null, 'ü'.repeat(150), 'ü'.repeat(151)]
  const sink = await store.sink()
  await sink.open(1)
  const rows = pages.map((page, views) => ({ page, views }))
  const prepared = await sink.prepare(at(1), sinkBatch(rows))
  await sink.commit(at(1), prepared)
  const folders = await readdir(store.folder)
  assert.deepEqual(await store.visibleRows(), rows.map(({ page, views }) => rowText(page, views)).sort())
  assert.equal(folders.filter((name) => name.startsWith('page=')).length, pages.length)
  assert.deepEqual(folders.filter((name) => !name.startsWith('page=')).sort(), ['.staging', '_log'])
  assert.ok(folders.every((name) => Buffer.byteLength(name) <= 255))
})

test('a pattern over all folders finds what is published, once, and nothing that waits', async (t) => {
  const store = new FileStore(await temporaryFolder(t), { kind: 'parquet' })
  const sink = await store.sink()
  await sink.open(1)
  await sink.prepare(at(1), sinkBatch(ROWS))
  assert.deepEqual(await found(store.folder, '.parquet'), [])
  await write(sink, at(1))
  await sink.prepare(at(2), sinkBatch(ROWS))
  assert.deepEqual(await found(store.folder, '.parquet'), ['part-0000000001-0000.parquet'])
})

/** As `**` of DuckDB and others does, which goes into hidden folders too. */
async function found(folder: string, extension: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile() && entry.name.endsWith(extension)).map(({ name }) => name)
}

test('a link in the output folder is not followed', async (t) => {
  const folder = await temporaryFolder(t)
  const store = new FileStore(folder, { kind: 'json', partitionBy: value('page') })
  const elsewhere = join(folder, 'elsewhere')
  await mkdir(elsewhere)
  const sink = await store.sink()
  await sink.open(1)
  await symlink(elsewhere, join(store.folder, 'page=%2Fa'))
  const prepared = await sink.prepare(at(1), sinkBatch(ROWS))
  await assert.rejects(sink.commit(at(1), prepared), {
    code: 'invalid-option',
    message: /page=%2Fa is a link to .*elsewhere$/,
  })
  assert.deepEqual(await readdir(elsewhere), [])
})

test('more partitions than an epoch may have are refused before anything is written', async (t) => {
  const store = new FileStore(await temporaryFolder(t), { kind: 'json', partitionBy: value('page') })
  const sink = await store.sink()
  await sink.open(1)
  const rows = Array.from({ length: 1_001 }, (_, index) => ({ page: `/${index}`, views: 1 }))
  await assert.rejects(sink.prepare(at(1), sinkBatch(rows)), { code: 'unsupported' })
  assert.deepEqual(await readdir(join(store.folder, '.staging', '1')), [])
})

test('a published file that is not what was prepared stops the job', async (t) => {
  const store = new FileStore(await temporaryFolder(t), { kind: 'json' })
  const sink = await store.sink()
  await sink.open(1)
  const prepared = await sink.prepare(at(1), sinkBatch(ROWS))
  await writeFile(join(store.folder, 'part-0000000001-0000.ndjson'), 'not ours\n')
  await assert.rejects(sink.commit(at(1), prepared), { code: 'data-loss' })
  assert.deepEqual(await store.loggedRows(), [])
})

test('a damaged entry of _log is named', async (t) => {
  const store = new FileStore(await temporaryFolder(t), { kind: 'json' })
  const sink = await store.sink()
  await sink.open(1)
  await write(sink, at(1))
  await writeFile(join(store.folder, '_log', '000000000000001.json'), '{"epoch":1,')
  await assert.rejects(sink.progress(), { code: 'corrupt-data', message: /000000000000001\.json is damaged/ })
})

test('what was staged goes when it is not needed any more, and clearing removes nothing but our own', async (t) => {
  const store = new FileStore(await temporaryFolder(t), { kind: 'json', partitionBy: value('page') })
  for (const fence of [1, 2, 3]) {
    const sink = await store.sink()
    await sink.open(fence)
    await sink.prepare(at(fence * 2 - 1, fence), sinkBatch(ROWS))
    await write(sink, at(fence * 2, fence))
    await sink.forget(fence * 2)
  }
  assert.deepEqual(await readdir(join(store.folder, '.staging')), ['3', 'fenced'])
  assert.deepEqual(await readdir(join(store.folder, '.staging', '3')), [])
  assert.deepEqual(await readdir(join(store.folder, '.staging', 'fenced')), [])
  await writeFile(join(store.folder, 'mine.txt'), 'kept')
  await clearOutputFolder(store.folder)
  assert.deepEqual(await store.visibleFiles(), [])
  assert.deepEqual(await readdir(store.folder), ['mine.txt'], 'folders of partitions are gone too')
  assert.deepEqual(await readOutputLog(store.folder), [])
})

/** File system calls from the start of a process to the end of its second epoch. */
async function callsOfALife(kind: FileFormat): Promise<number> {
  const files = await afterFirstEpoch(kind)
  const before = files.calls
  await life(storeOn(files, kind), 2, new Map())
  return files.calls - before
}

/** A process dies at a call, the next one dies while it recovers, the third one recovers; then the power goes once more. */
async function dieAndRecover(
  kind: FileFormat,
  stop: (files: FaultyFiles, seed: number) => void,
  fatal: number,
  calls: number,
): Promise<void> {
  const files = await afterFirstEpoch(kind)
  const store = storeOn(files, kind)
  const journal = new Map<number, PreparedOutput>()
  for (const [fence, after] of [
    [2, fatal],
    [3, (fatal * 7) % calls],
  ] as const) {
    files.faults.callsUntilDeath = after
    await life(store, fence, journal).catch((error: unknown) =>
      assert.match(String(error), /the machine is down|EBADF/),
    )
    stop(files, fatal)
    const logged = await store.loggedRows()
    assert.ok(
      [texts(1), texts(1, 2)].some((rows) => same(rows, logged)),
      `half an epoch after ${fatal} calls`,
    )
  }
  await life(store, 4, journal)
  for (const rows of [await store.visibleRows(), await store.loggedRows()]) assert.deepEqual(rows, texts(1, 2))
  files.powerCut()
  for (const rows of [await store.visibleRows(), await store.loggedRows()]) assert.deepEqual(rows, texts(1, 2))
}

/** What a process does from its start until epoch 2 is in the output, by way of what the journal says. */
async function life(store: FileStore, fence: number, journal: Map<number, PreparedOutput>): Promise<void> {
  const sink = await store.sink()
  await sink.progress()
  await sink.open(fence)
  const certain = journal.get(2)
  if (certain) await sink.commit(at(2, fence), certain)
  else await write(sink, at(2, fence), journal)
  await sink.forget(2)
  await sink.close()
}

async function afterFirstEpoch(kind: FileFormat): Promise<FaultyFiles> {
  const files = new FaultyFiles()
  const sink = await storeOn(files, kind).sink()
  await sink.open(1)
  await write(sink, at(1))
  return files
}

function storeOn(files: FaultyFiles, kind: FileFormat): FileStore {
  return new FileStore('/', { kind, partitionBy: value('page') }, files)
}

async function write(sink: Sink, epoch: SinkEpoch, journal?: Map<number, PreparedOutput>): Promise<void> {
  const rows = ROWS.map(({ page, views }) => ({ page, views: views + 100 * epoch.epoch }))
  const prepared = await sink.prepare(epoch, sinkBatch(rows))
  journal?.set(epoch.epoch, JSON.parse(JSON.stringify(prepared)) as PreparedOutput)
  await sink.commit(epoch, prepared)
}

/** The rows that `write` writes. */
function texts(...epochs: readonly number[]): string[] {
  return epochs.flatMap((epoch) => ROWS.map(({ page, views }) => rowText(page, views + 100 * epoch))).sort()
}

function at(epoch: number, fence = 1): SinkEpoch {
  return { epoch, previous: epoch - 1, fence, hash: `hash of ${epoch}` }
}

function same(left: readonly string[], right: readonly string[]): boolean {
  return JSON.stringify(left) === JSON.stringify(right)
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-files-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}
