import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { FaultyFiles } from '../../test/support/faulty-files.ts'
import { resultRows } from '../../test/support/result-rows.ts'
import { VirtualClock } from '../base/clock.ts'
import type { FileSystem } from '../base/file-system.ts'
import { Random } from '../base/random.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import type { Field } from '../batch/schema.ts'
import { createSink } from './index.ts'
import { readOutputLog } from './output-log.ts'
import type { Sink, SinkEpoch } from './sink.ts'

const FIELDS: readonly Field[] = [
  { name: 'country', type: 'string', required: false },
  { name: 'views', type: 'int64', required: true },
]

test('rows of several epochs come in one file for each partition, once the oldest has waited long enough', async (t) => {
  const { folder, clock, open } = await place(t)
  const sink = await open(1, 0)
  await run(sink, 1, rows(['se', 1], ['no', 2]))
  clock.advance(4_000)
  await run(sink, 2, rows(['se', 3]))
  await run(sink, 3, rows())
  assert.deepEqual(await published(folder), [])
  const dueMs = sink.dueMs?.() as number
  assert.equal(dueMs - clock.now(), 6_000)
  clock.advance(6_000)
  await run(sink, 4, rows())
  assert.deepEqual(await published(folder), [
    'country=no/part-0000000004-0000.ndjson {"country":"no","views":2}',
    'country=se/part-0000000004-0001.ndjson {"country":"se","views":1} {"country":"se","views":3}',
  ])
  assert.deepEqual(await readdir(join(folder, '.segments', '1')), [])
  assert.equal(sink.dueMs?.(), undefined)
})

test('rows that were waiting before a restart go on waiting, they do not begin anew', async (t) => {
  const { folder, clock, open } = await place(t)
  await run(await open(1, 0), 1, rows(['se', 1]))
  for (let fence = 2; fence <= 4; fence++) {
    assert.deepEqual(await published(folder), [])
    clock.advance(3_000)
    const sink = await open(fence, 1)
    assert.equal((sink.dueMs?.() as number) - clock.now(), 10_000 - (fence - 1) * 3_000)
  }
  clock.advance(1_000)
  await run(await open(5, 1), 2, rows(['no', 2]), { fence: 5 })
  assert.equal((await readOutputLog(folder)).at(-1)?.rows, 2)
})

test('a clock that was set back makes rows wait no longer than the time that was chosen', async (t) => {
  const { clock, open } = await place(t)
  clock.advance(1_000_000)
  await run(await open(1, 0), 1, rows(['se', 1]))
  clock.advance(-500_000)
  const sink = await open(2, 1)
  assert.equal((sink.dueMs?.() as number) - clock.now(), 10_000)
})

test('enough bytes, and the last epoch, do not wait', async (t) => {
  const { folder, open } = await place(t)
  const sink = await open(1, 0)
  await run(sink, 1, rows(['se', 1]))
  await run(sink, 2, rows(...Array.from({ length: 100 }, (_, index): [string, number] => ['no', index])))
  assert.equal((await readOutputLog(folder)).at(-1)?.rows, 101)
  await run(sink, 3, rows(['dk', 7]), { final: true })
  assert.equal((await readOutputLog(folder)).at(-1)?.rows, 1)
})

test('how many rows wait is known at any time, also after a restart, and none is counted as waiting and as written', async (t) => {
  const { open } = await place(t)
  const first = await open(1, 0)
  assert.equal(first.waitingRows?.(), 0)
  await run(first, 1, rows(['se', 1], ['no', 2]))
  await run(first, 2, rows())
  await run(first, 3, rows(['se', 3]))
  assert.equal(first.waitingRows?.(), 3)
  const second = await open(2, 3)
  assert.equal(second.waitingRows?.(), 3)
  const step = { ...at(4), fence: 2, final: true }
  const prepared = await second.prepare(step, rows(['dk', 4]))
  assert.deepEqual([prepared.rows, second.waitingRows?.()], [4, 0])
  await second.commit(step, prepared)
  await run(second, 5, rows(['dk', 5]), { fence: 2 })
  assert.equal(second.waitingRows?.(), 1)
})

test('a newer process goes on with what was certain, and only with that; the older one can add nothing', async (t) => {
  const { folder, open } = await place(t)
  const first = await open(1, 0)
  await run(first, 1, rows(['se', 1]))
  await first.prepare(at(2), rows(['se', 2]))
  const second = await open(2, 1)
  await assert.rejects(first.prepare(at(3), rows(['se', 3])))
  await run(second, 4, rows(['se', 4]), { fence: 2 })
  await run(second, 5, rows(), { fence: 2, final: true })
  assert.deepEqual(await published(folder), [
    'country=se/part-0000000005-0000.ndjson {"country":"se","views":1} {"country":"se","views":4}',
  ])
})

test('a publication that was prepared but not committed is committed by the next process, once', async (t) => {
  const { folder, open } = await place(t)
  const first = await open(1, 0)
  await run(first, 1, rows(['se', 1]))
  const prepared = await first.prepare({ ...at(2), final: true }, rows(['se', 2]))
  const second = await open(2, 2)
  for (let attempt = 0; attempt < 2; attempt++) await second.commit({ ...at(2), fence: 2 }, prepared)
  await run(second, 3, rows(), { fence: 2, final: true })
  assert.deepEqual(await published(folder), [
    'country=se/part-0000000002-0000.ndjson {"country":"se","views":1} {"country":"se","views":2}',
  ])
})

test('a power cut at any moment of taking over what waits loses nothing of it', async () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = new Random(seed)
    const files = new FaultyFiles()
    const clock = new VirtualClock(1_000_000)
    const first = await openAt('/out', clock, 1, 0, files)
    for (const epoch of [1, 2, 3]) await run(first, epoch, rows(['se', epoch]))
    files.faults.callsUntilDeath = 1 + random.below(60)
    await openAt('/out', clock, 2, 3, files).catch(() => {})
    files.powerCut(random)
    const last = await openAt('/out', clock, 3, 3, files)
    await run(last, 4, rows(), { fence: 3, final: true })
    assert.equal((await readOutputLog('/out', files)).at(-1)?.rows, 3, `seed ${seed}`)
  }
})

test('a damaged segment is never published', async (t) => {
  const { folder, open } = await place(t)
  const sink = await open(1, 0)
  await run(sink, 1, rows(['se', 1]))
  const path = join(folder, '.segments', '1', '1.rows')
  const bytes = await readFile(path)
  bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1
  await writeFile(path, bytes)
  await assert.rejects(sink.prepare({ ...at(2), final: true }, rows()), {
    code: 'corrupt-data',
    message: /1\.rows are damaged/,
  })
})

interface Place {
  readonly folder: string
  readonly clock: VirtualClock
  open(fence: number, lastCertainEpoch: number): Promise<Sink>
}

async function place(t: TestContext): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-roll-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const clock = new VirtualClock(1_000_000)
  return {
    folder,
    clock,
    open: (fence, epoch) => openAt(folder, clock, fence, epoch),
  }
}

async function openAt(
  folder: string,
  clock: VirtualClock,
  fence: number,
  epoch: number,
  fileSystem?: FileSystem,
): Promise<Sink> {
  const sink = await createSink(
    {
      kind: 'json',
      path: folder,
      partitionBy: { name: 'country', column: 'country', transform: 'value' },
      roll: { everyMs: 10_000, bytes: 1_000 },
    },
    {
      pipeline: 'p',
      query: 'q',
      name: 'q.json',
      fields: FIELDS,
      keyColumns: [],
      workingFolder: folder,
      owner: 'here',
      clock,
      print: () => {},
      ...(fileSystem && { fileSystem }),
    },
  )
  await sink.open(fence, { epoch, reset: false })
  return sink
}

async function run(sink: Sink, epoch: number, batch: ResultBatch, more: Partial<SinkEpoch> = {}): Promise<void> {
  const step = { ...at(epoch), ...more }
  await sink.commit(step, await sink.prepare(step, batch))
}

function at(epoch: number): SinkEpoch {
  return { epoch, previous: epoch - 1, fence: 1, hash: `hash-${epoch}` }
}

function rows(...values: [string, number][]): ResultBatch {
  return resultRows(FIELDS, values)
}

async function published(folder: string): Promise<string[]> {
  const found: string[] = []
  for (const { files } of await readOutputLog(folder)) {
    for (const { path } of files) {
      found.push(`${path} ${(await readFile(join(folder, path), 'utf8')).trim().replaceAll('\n', ' ')}`)
    }
  }
  return found.sort()
}
