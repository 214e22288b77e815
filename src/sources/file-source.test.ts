import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { MillraceError } from '../base/error.ts'
import { fileSource } from '../plan/connectors.ts'
import { createSource } from './index.ts'
import type { Source } from './source.ts'

let folder = ''
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'millrace-files-')))
})
afterEach(() => rm(folder, { recursive: true }))

function open(...paths: string[]): Promise<Source> {
  return createSource(fileSource(...paths), {
    workingFolder: folder,
    stdin: Readable.from([]),
    openLog: () => Promise.reject(new Error('files need no log')),
  })
}

async function ids(...paths: string[]): Promise<string[]> {
  return (await (await open(...paths)).partitions()).map(({ id }) => id.replace(`${folder}/`, ''))
}

async function write(name: string, content: string | Uint8Array = '{}\n'): Promise<string> {
  await writeFile(join(folder, name), content)
  return name
}

/** The bytes that come, and the error behind them. */
async function content(source: Source, id: string): Promise<{ text: string; error?: unknown }> {
  let text = ''
  try {
    for await (const { bytes } of source.read(id, 0, Number.POSITIVE_INFINITY, new AbortController().signal)) {
      text += Buffer.from(bytes).toString()
    }
  } catch (error) {
    return { text, error }
  }
  return { text }
}

test('partitions are the real paths of files, each once, sorted, however they are named', async () => {
  for (const name of ['b.ndjson', 'a.ndjson', 'c.ndjson.gz', 'odd[1].ndjson', 'odd1.ndjson']) await write(name)
  await mkdir(join(folder, 'sub.ndjson'))
  await write('sub.ndjson/d.ndjson')
  await symlink(join(folder, 'a.ndjson'), join(folder, 'link.ndjson'))
  assert.deepEqual(await ids('b.ndjson', './a.ndjson', join(folder, 'b.ndjson'), 'link.ndjson'), [
    'a.ndjson',
    'b.ndjson',
  ])
  assert.deepEqual(await ids('[ab].ndjson', '*.gz'), ['a.ndjson', 'b.ndjson', 'c.ndjson.gz'])
  assert.deepEqual(await ids('**/{d,b}.ndjson'), ['b.ndjson', 'sub.ndjson/d.ndjson'])
  assert.deepEqual(await ids(`${folder}/b.*`), ['b.ndjson'])
  assert.deepEqual(await ids('*.ndjson'), ['a.ndjson', 'b.ndjson', 'odd1.ndjson', 'odd[1].ndjson'])
  assert.deepEqual(await ids('odd[1].ndjson'), ['odd[1].ndjson'])
})

test('everything that cannot be read is named in one error', async () => {
  await mkdir(join(folder, 'days'))
  await write('one')
  execFileSync('mkfifo', [join(folder, 'pipe')])
  await assert.rejects(
    open('missing.ndjson', 'days', '*.gz', 'pipe', 'one/two'),
    new MillraceError(
      'invalid-option',
      [
        `there is no file "${folder}/missing.ndjson"`,
        `"${folder}/days" is a folder (name its files: "${folder}/days/*.ndjson")`,
        'no file matches "*.gz"',
        `"${folder}/pipe" is a pipe or a device (read it as "-", standard input)`,
        `there is no file "${folder}/one/two"`,
      ].join('; '),
      { hint: `check the paths; relative ones start at ${folder}` },
    ),
  )
})

test('a file is recognised by its size and its beginning', async () => {
  const source = await open(await write('a', 'x'.repeat(100_000)))
  const fingerprint = async (): Promise<string | undefined> => (await source.partitions())[0]?.fingerprint
  const before = await fingerprint()
  await write('a', 'x'.repeat(100_000))
  assert.equal(await fingerprint(), before)
  await write('a', `y${'x'.repeat(99_999)}`)
  assert.notEqual(await fingerprint(), before)
  await write('a', 'x'.repeat(100_000))
  await appendFile(join(folder, 'a'), 'x')
  assert.notEqual(await fingerprint(), before)
  await rename(join(folder, 'a'), join(folder, 'b'))
  await assert.rejects(source.partitions(), { code: 'invalid-option', message: /cannot open .*\/a: ENOENT/ })
})

test('an empty file has no rows, an empty compressed one is cut off', async () => {
  const source = await open(await write('a', ''), await write('b.gz', ''), await write('c.gz', gzipSync('')))
  assert.deepEqual(await content(source, join(folder, 'a')), { text: '' })
  assert.deepEqual(await content(source, join(folder, 'c.gz')), { text: '' })
  const { error } = await content(source, join(folder, 'b.gz'))
  assert.equal((error as MillraceError).code, 'corrupt-data')
})

test('the mark that Windows puts before text is no part of it, and UTF-16 is refused with the way out', async () => {
  const utf16 = Buffer.from('\ufeff{"a":1}\n', 'utf16le')
  await write('marked', '\ufeff{"a":1}\r\n{"a":2}\r\n')
  await write('mark', '\ufeff')
  await write('short', '1')
  await write('little', utf16)
  await write('big', Buffer.from(utf16).swap16())
  const source = await open('*')
  assert.deepEqual(await content(source, join(folder, 'marked')), { text: '{"a":1}\r\n{"a":2}\r\n' })
  assert.deepEqual(await content(source, join(folder, 'mark')), { text: '' })
  assert.deepEqual(await content(source, join(folder, 'short')), { text: '1\n' })
  for (const name of ['little', 'big']) {
    const { error } = await content(source, join(folder, name))
    assert.ok(error instanceof MillraceError && error.code === 'invalid-option')
    assert.match(`${error.message} ${error.hint}`, new RegExp(`/${name} is UTF-16, not UTF-8 .*iconv -f UTF-16`))
  }
})

test('a compressed file is known by its beginning, too', async () => {
  const source = await open(await write('a', gzipSync('1\n')), await write('b.json', zstdCompressSync('2\n')))
  assert.deepEqual(await content(source, join(folder, 'a')), { text: '1\n' })
  assert.deepEqual(await content(source, join(folder, 'b.json')), { text: '2\n' })
})

test('a file of several compressed ones, as parallel tools write them, is read to its end', async () => {
  const skippable = Buffer.concat([Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0]), Buffer.from('abcd')])
  const frames = [skippable, zstdCompressSync('1\n2'), skippable, zstdCompressSync(''), zstdCompressSync('3\n4\n')]
  await write('a.zst', Buffer.concat(frames))
  await write('b.gz', Buffer.concat([gzipSync('1\n2'), gzipSync(''), gzipSync('3\n4\n')]))
  const source = await open('*')
  assert.deepEqual(await content(source, join(folder, 'a.zst')), { text: '1\n23\n4\n' })
  assert.deepEqual(await content(source, join(folder, 'b.gz')), { text: '1\n23\n4\n' })
})

test('a compressed file that is cut off or followed by garbage gives its whole lines, then corrupt-data', async () => {
  const text = Array.from({ length: 50_000 }, (_, row) => `{"row":${row},"sine":${Math.sin(row)}}\n`).join('')
  const zst = zstdCompressSync(text)
  const gz = gzipSync(text)
  const garbage = Buffer.from('garbage')
  await write('garbage.zst', Buffer.concat([zst, garbage]))
  await write('garbage.gz', Buffer.concat([gz, garbage]))
  await write('cut.zst', zst.subarray(0, -100))
  await write('cut.gz', gz.subarray(0, -100))
  await write('wrong.gz', Buffer.concat([gz.subarray(0, -6), Buffer.from([1, 2, 3, 4, 5, 6])]))
  await write('plain.gz', text)
  const source = await open('*')
  for (const { id } of await source.partitions()) {
    const name = id.slice(folder.length + 1)
    const { text: found, error } = await content(source, id)
    assert.ok(error instanceof MillraceError && error.code === 'corrupt-data', name)
    assert.match(error.message, new RegExp(`/${name} cannot be decompressed to its end: `))
    assert.ok(text.startsWith(found) && (found === '' || found.endsWith('\n')), `${name} gives whole lines`)
    // A decoder that fails takes with it what it has not handed out yet: a chunk, and the rest of a batch.
    if (name !== 'plain.gz') assert.ok(found.length > text.length - 600_000, `${name} gives ${found.length} bytes`)
  }
})

test('binary garbage comes as it is', async () => {
  const bytes = Buffer.from(Array.from({ length: 1_000 }, (_, index) => (index * 89) % 256))
  const source = await open(await write('a', bytes))
  const pieces: Uint8Array[] = []
  for await (const piece of source.read(join(folder, 'a'), 0, Infinity, new AbortController().signal)) {
    pieces.push(piece.bytes)
  }
  assert.deepEqual(Buffer.concat(pieces), Buffer.concat([bytes, Buffer.from('\n')]))
})

test('lines that were read once and are gone are data loss', async () => {
  const source = await open(await write('a', '{}\n{}\n'))
  const read = async (from: number, to: number): Promise<void> => {
    for await (const _ of source.read(join(folder, 'a'), from, to, new AbortController().signal));
  }
  await read(2, Number.POSITIVE_INFINITY)
  await assert.rejects(read(0, 3), {
    code: 'data-loss',
    message: `${folder}/a has 2 lines now, 3 of it have been read before`,
  })
  await assert.rejects(read(3, Number.POSITIVE_INFINITY), { code: 'data-loss' })
})
