import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FaultyFiles } from '../../test/support/faulty-files.ts'
import { noLock } from '../../test/support/log-records.ts'
import { watchFailpoints } from '../base/failpoint.ts'
import { Checkpoint } from './checkpoint.ts'
import type { JournalRecord } from './journal.ts'

const COMMITTED: JournalRecord = { type: 'committed', epoch: 7 }

test('what one process has read outlives a power cut, though its writer died before it was synced', async () => {
  const files = new FaultyFiles()
  const first = await open(files)
  // Dies between write and sync; the system still has the bytes.
  watchFailpoints((name) => {
    if (name === 'append:before-sync') throw new Error('dies')
  })
  await assert.rejects(first.append(COMMITTED), /dies/).finally(() => watchFailpoints(undefined))
  files.restart()
  assert.deepEqual((await open(files)).content.records.at(-1), COMMITTED)
  files.powerCut()
  assert.deepEqual(
    (await open(files)).content.records.filter(({ type }) => type === 'committed'),
    [COMMITTED],
  )
})

test('a process that dies at any call of its start leaves a folder that opens, and no fence is given out twice', async () => {
  for (let fatal = 0; fatal < 40; fatal++) {
    for (const bytes of [5, 20, Number.POSITIVE_INFINITY]) {
      const files = new FaultyFiles()
      const before = await open(files)
      await before.append(COMMITTED)
      files.faults.writeBytesMax = bytes
      files.faults.callsUntilDeath = fatal
      const dead = await open(files).catch(() => undefined)
      files.restart()
      const fences = [before.fence, ...(dead ? [dead.fence] : [])]
      const next = await open(files)
      assert.ok(!fences.includes(next.fence))
      await next.append({ type: 'committed', epoch: 8 })
      const epochs = (await open(files)).content.records.flatMap((one) => (one.type === 'committed' ? [one.epoch] : []))
      assert.deepEqual(epochs, [7, 8])
    }
  }
})

function open(files: FaultyFiles): Promise<Checkpoint> {
  return Checkpoint.open('/checkpoint', 'a test', { fileSystem: files, lock: noLock })
}
