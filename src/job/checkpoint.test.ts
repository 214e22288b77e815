import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FaultyFiles } from '../../test/support/faulty-files.ts'
import { noLock } from '../../test/support/log-records.ts'
import { watchFailpoints } from '../base/failpoint.ts'
import { Checkpoint } from './checkpoint.ts'
import type { JournalRecord } from './journal.ts'
import { Totals } from './totals.ts'

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

test('a flipped bit anywhere in the newest snapshot is noticed: it is put aside and the one before it is used', async () => {
  const length = (await withSnapshots()).content(NEWEST).length
  for (let bit = 0; bit < length * 8; bit += 5) {
    const files = await withSnapshots()
    files.flipBit(NEWEST, bit)
    // Another format version is no damage, but nothing that this version could read.
    const opened = await open(files).catch((error: { code: string }) => error.code)
    if (typeof opened === 'string') {
      assert.equal(opened, 'incompatible-state', `bit ${bit}`)
      continue
    }
    assert.equal(opened.content.snapshot?.header.epoch, 1, `bit ${bit}`)
    assert.match(opened.content.notices.join(), /snapshot-000000000000002\.bin is damaged/)
    assert.deepEqual(await files.readdir('/checkpoint/quarantine'), ['snapshot-000000000000002.bin'])
  }
})

test('a flipped bit in a record of the journal that others follow stops the start, and names the file', async () => {
  const journal = '/checkpoint/journal-0000000001-0000000000.log'
  const prepare = async (): Promise<FaultyFiles> => {
    const files = new FaultyFiles()
    const first = await open(files)
    for (let epoch = 1; epoch <= 3; epoch++) await first.append({ type: 'committed', epoch })
    return files
  }
  const lastRecordAt = (await prepare()).content(journal).length - 39
  for (let bit = 0; bit < lastRecordAt * 8; bit += 3) {
    const files = await prepare()
    files.flipBit(journal, bit)
    await assert.rejects(open(files), {
      code: 'corrupt-data',
      message: /journal-0000000001-0000000000\.log is damaged/,
    })
  }
})

test('a last record that a later process has read is no torn one when it cannot be read any more', async () => {
  for (const damage of ['flip', 'cut'] as const) {
    const files = new FaultyFiles()
    const first = await open(files)
    await first.append(COMMITTED)
    await open(files)
    const path = '/checkpoint/journal-0000000001-0000000000.log'
    const bytes = files.content(path)
    if (damage === 'flip') files.flipBit(path, bytes.length * 8 - 5)
    else files.setContent(path, bytes.slice(0, -1))
    await assert.rejects(open(files), {
      code: 'corrupt-data',
      message: /its records end at byte \d+, and have ended at/,
    })
  }
})

test('a journal that a later one goes on from may have been removed, but not fallen silent', async () => {
  const path = '/checkpoint/journal-0000000002-0000000000.log'
  for (const damage of ['flip', 'cut', 'remove'] as const) {
    const files = new FaultyFiles()
    for (let process = 1; process <= 3; process++) await open(files)
    if (damage === 'flip') files.flipBit(path, 386)
    if (damage === 'cut') files.setContent(path, new Uint8Array(0))
    if (damage === 'remove') await files.unlink(path)
    const opened = open(files)
    if (damage === 'remove') await opened
    else await assert.rejects(opened, { code: 'corrupt-data', message: /its records end at byte 0, and have ended at/ })
  }
})

test('whoever has lost the checkpoint keeps nothing in it any more', async () => {
  const files = await withSnapshots()
  const lost = await Checkpoint.open('/checkpoint', 'a test', {
    fileSystem: files,
    lock: async () => ({ held: async () => false, release: async () => {} }),
  })
  const { snapshot } = lost.content
  assert.ok(snapshot)
  const before = await files.readdir('/checkpoint')
  await assert.rejects(lost.save(snapshot), { code: 'incompatible-state', message: /taken over by another process/ })
  assert.deepEqual(await files.readdir('/checkpoint'), before)
})

const NEWEST = '/checkpoint/snapshot-000000000000002.bin'

/** A folder with the snapshots of epochs 1 and 2. */
async function withSnapshots(): Promise<FaultyFiles> {
  const files = new FaultyFiles()
  const checkpoint = await open(files)
  for (const epoch of [1, 2]) {
    await checkpoint.save({
      header: {
        identity: { pipeline: 'p', source: 's', queries: [] },
        hashKey: [1, 2],
        epoch,
        fence: checkpoint.fence,
        clockMs: 5,
        partitions: [],
        totals: new Totals().toJson(),
        deadLetters: [],
        flushed: false,
      },
      engineState: Uint8Array.of(1, 2, 3),
    })
  }
  return files
}

function open(files: FaultyFiles): Promise<Checkpoint> {
  return Checkpoint.open('/checkpoint', 'a test', { fileSystem: files, lock: noLock })
}
