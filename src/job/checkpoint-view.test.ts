import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type FileSystem, nodeFileSystem } from '../base/file-system.ts'
import { type EpochView, epochWith, viewCheckpoint } from './checkpoint-view.ts'

test('a journal that a running job removes while it is looked for is no error: the folder is read again', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-test-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const gone = 'journal-0000000001-0000000000.log'
  let looks = 0
  const fileSystem: FileSystem = {
    ...nodeFileSystem,
    readdir: async (path) => [...(await nodeFileSystem.readdir(path)), ...(++looks < 3 ? [gone] : [])],
  }
  assert.deepEqual((await viewCheckpoint(folder, fileSystem)).epochs, [])
  assert.equal(looks, 3)
  looks = Number.NEGATIVE_INFINITY
  await assert.rejects(viewCheckpoint(folder, fileSystem), new RegExp(`cannot open .*${gone}`))
})

test('a row is in the epoch that is certain, whatever plans a crash has left, or else in the newest plan', () => {
  const epochs = [
    view(1, 0, 5, true),
    view(2, 5, 9, false),
    view(3, 9, 12, false),
    view(4, 5, 9, true),
    view(5, 9, 20, false),
  ]
  const found = [0, 5, 9, 15, 20].map((offset) => epochWith(epochs, 'events-0', offset)?.plan.epoch)
  assert.deepEqual(found, [1, 4, 5, 5, undefined])
  assert.equal(epochWith(epochs, 'events-1', 5), undefined)
})

function view(epoch: number, from: number, to: number, certain: boolean): EpochView {
  const plan = {
    epoch,
    previous: epoch - 1,
    clockMs: 0,
    ranges: [{ partition: 0, from, to }],
    idle: [],
    ended: [],
    flush: false,
  }
  const counts = { rowsRead: to - from, bytesRead: 0, ledger: [], queryRows: [] }
  const record = {
    type: 'prepared',
    epoch,
    watermarks: [],
    hashes: [],
    outputs: [],
    counts,
    deadLetters: [],
  } as const
  return { plan, partitionIds: ['events-0'], prepared: certain ? record : undefined, committed: certain }
}
