import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { FaultyFiles } from '../../test/support/faulty-files.ts'
import { encodeText } from './bytes.ts'
import {
  createDirectory,
  fileError,
  isTemporaryName,
  publishFile,
  removeFile,
  syncDirectory,
  writeDurableFile,
} from './durable-file.ts'
import { MillraceError } from './error.ts'
import { Random } from './random.ts'

const OLD = encodeText('old content')
const NEW = encodeText('new content, which is longer than the old one')

for (const overwrite of [true, false]) {
  const before = overwrite ? 'the old file' : 'no file'

  test(`a power cut at any call leaves ${before} or the new one, whole (overwrite: ${overwrite})`, async () => {
    let finished = 0
    for (let seed = 0; seed < 20; seed++) {
      for (let calls = 0; finished <= seed; calls++) {
        const files = await folderWith(overwrite ? OLD : undefined)
        files.faults.writeBytesMax = 7
        files.faults.callsUntilDeath = calls
        const written = await writeDurableFile('/out/file', NEW, { overwrite }, files).then(
          () => true,
          () => false,
        )
        files.powerCut(seed === 0 ? undefined : new Random(seed * 1000 + calls))
        const found = (await files.readdir('/out')).includes('file') ? files.content('/out/file') : undefined
        if (written) finished++
        if (written) assert.deepEqual(found, NEW)
        else if (overwrite) assert.ok(equal(found, OLD) || equal(found, NEW), `after ${calls} calls: ${found}`)
        else assert.ok(found === undefined || equal(found, NEW), `after ${calls} calls: ${found}`)
      }
    }
  })
}

test('without overwrite an existing file stays and the call says so', async () => {
  const files = await folderWith(OLD)
  await assert.rejects(
    writeDurableFile('/out/file', NEW, { overwrite: false }, files),
    expected('incompatible-state', '/out/file already exists'),
  )
  assert.deepEqual(files.content('/out/file'), OLD)
  assert.deepEqual(await files.readdir('/out'), ['file'])
})

test('a full disk is worth another try, names the path, and leaves nothing behind', async () => {
  const files = await folderWith(OLD)
  files.faults.bytesFree = 20
  await assert.rejects(
    writeDurableFile('/out/file', NEW, { overwrite: true }, files),
    (error) => expected('unavailable')(error) && /cannot write \/out\/\.file\./.test(String(error)),
  )
  assert.deepEqual(await files.readdir('/out'), ['file'])
  assert.deepEqual(files.content('/out/file'), OLD)
})

test('a file whose content could not be synced never gets its name', async () => {
  const files = await folderWith(undefined)
  files.faults.syncsUntilFailure = 1
  await assert.rejects(writeDurableFile('/out/file', NEW, { overwrite: false }, files), expected('data-loss'))
  assert.deepEqual(await files.readdir('/out'), [])
})

test('several chunks are written as one file', async () => {
  const files = await folderWith(undefined)
  files.faults.writeBytesMax = 4
  await writeDurableFile('/out/file', [OLD, new Uint8Array(0), NEW], { overwrite: false }, files)
  assert.deepEqual(files.content('/out/file'), new Uint8Array(Buffer.concat([OLD, NEW])))
})

test('a folder is durable with all folders above it, also when an earlier process made it and died', async () => {
  for (let calls = 0; ; calls++) {
    const files = new FaultyFiles()
    files.faults.callsUntilDeath = calls
    const first = await createDirectory('/a/b/c', files).then(
      () => true,
      () => false,
    )
    files.restart()
    await createDirectory('/a/b/c', files)
    await createDirectory('/a/b', files)
    await createDirectory('/a', files)
    files.powerCut()
    assert.deepEqual(await files.readdir('/a/b/c'), [])
    if (first) break
  }
})

test('publishing gives a second name once, and never replaces', async () => {
  const files = await folderWith(OLD)
  await writeDurableFile('/out/staged', NEW, { overwrite: false }, files)
  assert.equal(await publishFile('/out/staged', '/out/final', files), 'published')
  assert.equal(await publishFile('/out/file', '/out/final', files), 'exists')
  await syncDirectory('/out', files)
  files.powerCut()
  assert.deepEqual(files.content('/out/final'), NEW)
})

test('removing a file that is not there is no error', async () => {
  const files = await folderWith(OLD)
  await removeFile('/out/file', files)
  await removeFile('/out/file', files)
  assert.deepEqual(await files.readdir('/out'), [])
})

test('errors of the system say what was tried, where, and what to do', () => {
  const system = (code: string): Error => Object.assign(new Error(`${code}: no`), { code })
  const codes = {
    ENOSPC: 'unavailable',
    EMFILE: 'unavailable',
    EACCES: 'invalid-option',
    EROFS: 'invalid-option',
    EIO: 'data-loss',
  }
  for (const [code, expectedCode] of Object.entries(codes)) {
    const error = fileError(system(code), 'write', '/out/file')
    assert.ok(error instanceof MillraceError)
    assert.equal(error.code, expectedCode)
    assert.equal(error.message, `cannot write /out/file: ${code}: no`)
    assert.notEqual(error.hint, '')
  }
  const bug = new TypeError('not a function')
  assert.equal(fileError(bug, 'write', '/out/file'), bug)
})

test('on a real disk: folders, a new file, a replaced file, and no temporary names', async () => {
  const root = mkdtempSync(join(tmpdir(), 'durable-'))
  try {
    const folder = join(root, 'a', 'b')
    await createDirectory(folder)
    await writeDurableFile(join(folder, 'file'), OLD, { overwrite: false })
    await writeDurableFile(join(folder, 'file'), NEW, { overwrite: true })
    await assert.rejects(
      writeDurableFile(join(folder, 'file'), OLD, { overwrite: false }),
      expected('incompatible-state'),
    )
    assert.deepEqual(readdirSync(folder), ['file'])
    assert.deepEqual(new Uint8Array(readFileSync(join(folder, 'file'))), NEW)
    await assert.rejects(
      writeDurableFile(join(folder, 'file', 'x'), OLD, { overwrite: true }),
      expected('invalid-option'),
    )
  } finally {
    rmSync(root, { recursive: true })
  }
})

test('what a crash leaves is recognised by its name', async () => {
  const files = await folderWith(undefined)
  files.faults.callsUntilDeath = 2
  await assert.rejects(writeDurableFile('/out/file', NEW, { overwrite: true }, files))
  files.restart()
  const names = await files.readdir('/out')
  assert.equal(names.length, 1)
  assert.ok(names.every(isTemporaryName))
  assert.ok(!isTemporaryName('file.tmp'))
})

async function folderWith(content: Uint8Array | undefined): Promise<FaultyFiles> {
  const files = new FaultyFiles()
  await createDirectory('/out', files)
  if (content) await writeDurableFile('/out/file', content, { overwrite: false }, files)
  return files
}

function equal(found: Uint8Array | undefined, wanted: Uint8Array): boolean {
  return found !== undefined && Buffer.compare(found, wanted) === 0
}

function expected(code: string, message?: string): (error: unknown) => boolean {
  return (error) =>
    error instanceof MillraceError && error.code === code && (message === undefined || error.message === message)
}

test('a folder below a link to what is gone is an error, not something to try for ever', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-link-'))
  t.after(() => rmSync(folder, { recursive: true }))
  symlinkSync(join(folder, 'unmounted'), join(folder, 'data'))
  await assert.rejects(createDirectory(join(folder, 'data', 'output')), {
    code: 'invalid-option',
    message: /cannot create the folder .*\/data\/output: ENOENT/,
  })
})
