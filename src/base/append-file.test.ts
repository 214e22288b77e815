import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { FaultyFiles } from '../../test/support/faulty-files.ts'
import { openAppendFile } from './append-file.ts'
import { encodeText } from './bytes.ts'
import { createDirectory } from './durable-file.ts'
import { MillraceError } from './error.ts'

test('appends go behind each other and behind what was there, however little a write takes', async () => {
  const files = await folder()
  files.faults.writeBytesMax = 3
  const file = await openAppendFile('/log/journal', files)
  assert.equal(await file.append(encodeText('first ')), 0)
  assert.equal(await file.append([encodeText('sec'), encodeText('ond ')]), 6)
  await file.close()
  const again = await openAppendFile('/log/journal', files)
  assert.equal(again.length, 13)
  assert.equal(await again.append(encodeText('third')), 13)
  assert.equal(text(files), 'first second third')
  assert.equal(Buffer.from(await again.read(6, 6)).toString(), 'second')
  assert.equal(Buffer.from(await again.read(13, 100)).toString(), 'third')
})

test('what was synced survives a power cut, name and content', async () => {
  const files = await folder()
  const file = await openAppendFile('/log/journal', files)
  await file.append(encodeText('kept'))
  assert.equal(file.syncedLength, 0)
  await file.sync()
  assert.equal(file.syncedLength, 4)
  await file.append(encodeText(' lost'))
  files.powerCut()
  assert.equal(text(files), 'kept')
})

test('a sync does not claim what was appended while it ran', async () => {
  const files = await folder()
  const file = await openAppendFile('/log/journal', files)
  await file.append(encodeText('before'))
  const sync = file.sync()
  await file.append(encodeText(' beside'))
  await sync
  assert.equal(file.syncedLength, 6)
})

test('an append to a full disk leaves no trace and can be tried again', async () => {
  const files = await folder()
  const file = await openAppendFile('/log/journal', files)
  await file.append(encodeText('good'))
  files.faults.bytesFree = 2
  await assert.rejects(file.append(encodeText(' too long')), has('unavailable'))
  assert.equal(file.length, 4)
  assert.equal(text(files), 'good')
  files.faults.bytesFree = 100
  await file.append(encodeText(' again'))
  assert.equal(text(files), 'good again')
})

test('after a failed sync nothing is written any more', async () => {
  const files = await folder()
  const file = await openAppendFile('/log/journal', files)
  await file.append(encodeText('good'))
  files.faults.syncsUntilFailure = 1
  await assert.rejects(file.sync(), has('data-loss'))
  files.faults.syncsUntilFailure = 100
  await assert.rejects(file.sync(), has('data-loss'))
  await assert.rejects(file.append(encodeText('more')), has('data-loss'))
  assert.equal(text(files), 'good')
})

test('after a failed append that could not be cut off nothing is written any more', async () => {
  const files = await folder()
  const file = await openAppendFile('/log/journal', files)
  files.faults.bytesFree = 2
  files.faults.syncsUntilFailure = 1
  await assert.rejects(file.append(encodeText('too long')), has('unavailable'))
  files.faults.bytesFree = 100
  await assert.rejects(file.append(encodeText('more')), has('data-loss'))
})

test('an armed torn write leaves half of an append behind', () => {
  const root = mkdtempSync(join(tmpdir(), 'append-'))
  try {
    const program = `
      import { openAppendFile } from '${new URL('./append-file.ts', import.meta.url)}'
      const file = await openAppendFile('${join(root, 'journal')}')
      await file.append(Buffer.from('whole '))
      await file.append([Buffer.from('12'), Buffer.from('345678')])`
    const env = { MILLRACE_FAILPOINT: 'append:write:2:torn' }
    const { signal } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { env })
    assert.equal(signal, 'SIGKILL')
    assert.equal(readFileSync(join(root, 'journal'), 'utf8'), 'whole 1234')
  } finally {
    rmSync(root, { recursive: true })
  }
})

async function folder(): Promise<FaultyFiles> {
  const files = new FaultyFiles()
  await createDirectory('/log', files)
  return files
}

function text(files: FaultyFiles): string {
  return Buffer.from(files.content('/log/journal')).toString()
}

function has(code: string): (error: unknown) => boolean {
  return (error) => error instanceof MillraceError && error.code === code
}
