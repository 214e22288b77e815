import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type FileSystem, nodeFileSystem } from '../base/file-system.ts'
import { viewCheckpoint } from './checkpoint-view.ts'

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
