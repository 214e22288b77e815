import assert from 'node:assert/strict'
import { mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { freshTopic, openTestLog, testKafka } from '../../test/support/kafka.ts'
import { draftOf } from '../../test/support/log-records.ts'
import { type Requirement, requirement } from '../../test/support/requirement.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import { createScalarDecoder } from '../batch/scalar-decoder.ts'
import { MemoryLog } from '../log/memory-log.ts'
import { fileSource, logSource } from '../plan/connectors.ts'
import { createSource, type SourceContext } from './index.ts'
import type { Source } from './source.ts'

/** Enough for several batches, and for compressed files that no buffer holds at once. */
const ROWS = Array.from({ length: 12_000 }, (_, row) => `{"row":${row},"text":"${String(Math.sin(row)).repeat(3)}"}`)
const LINES = `${ROWS.join('\n')}\n`
const BOUNDS = [0, 1, 3_000, 5_999, 6_000, ROWS.length - 1, ROWS.length]

interface Kind {
  open(folder: string): Promise<Source>
  /** Reading goes on in the middle, and happens more than once. */
  readonly again: boolean
  readonly needs?: Requirement
}

const SOURCES: Readonly<Record<string, Kind>> = {
  'a file': { again: true, open: (folder) => ofFile(folder, 'rows.ndjson', LINES) },
  'a file without a last line feed': { again: true, open: (folder) => ofFile(folder, 'rows.log', ROWS.join('\n')) },
  'a file with CRLF': { again: true, open: (folder) => ofFile(folder, 'rows.txt', `${ROWS.join('\r\n')}\r\n`) },
  'a .gz file': { again: true, open: (folder) => ofFile(folder, 'rows.gz', gzipSync(LINES)) },
  'a .zst file': { again: true, open: (folder) => ofFile(folder, 'rows.zst', zstdCompressSync(LINES)) },
  'standard input': {
    again: false,
    open: (folder) => createSource(fileSource('-'), context(folder, Readable.from(chunks(Buffer.from(LINES), 50_000)))),
  },
  'a topic': { again: true, open: ofTopic },
  'a topic of Kafka': { again: true, open: ofKafkaTopic, needs: requirement('kafka') },
}

for (const [name, kind] of Object.entries(SOURCES)) {
  const check = (what: string, run: (source: Source) => Promise<void>): void => {
    test(`${name}: ${what}`, kind.needs ?? {}, async (t) => {
      const folder = await temporaryFolder(t)
      const source = await kind.open(folder)
      await run(source).finally(() => source.close())
      assert.deepEqual(await openFilesIn(folder), [], 'every file is closed')
    })
  }

  check('gives every row once, in order, with its offset', async (source) => {
    const [id] = await partitionIds(source)
    assert.deepEqual(await rows(source, id, 0, ROWS.length), ROWS)
  })

  check('says where it ends once that is known', async (source) => {
    const [id] = await partitionIds(source)
    if (source.bounded) {
      assert.deepEqual(await source.offsets(), new Map([[id, { start: 0, end: undefined }]]))
      assert.equal((await rows(source, id, 0, Number.POSITIVE_INFINITY)).length, ROWS.length)
    }
    assert.deepEqual(await source.offsets(), new Map([[id, { start: 0, end: ROWS.length }]]))
  })

  check('an abort ends reading at once, without an error', async (source) => {
    const [id] = await partitionIds(source)
    const abort = new AbortController()
    let pieces = 0
    for await (const _ of source.read(id, 0, Number.POSITIVE_INFINITY, abort.signal)) {
      pieces++
      abort.abort()
    }
    assert.equal(pieces, 1)
  })

  check('a reader that stops early leaves nothing open', async (source) => {
    const [id] = await partitionIds(source)
    for await (const _ of source.read(id, 0, Number.POSITIVE_INFINITY, new AbortController().signal)) break
  })

  if (!kind.again) continue

  check('any range read by itself is that part of a straight read', async (source) => {
    const [id] = await partitionIds(source)
    for (const from of BOUNDS) {
      for (const to of BOUNDS.filter((bound) => bound > from)) {
        assert.deepEqual(await rows(source, id, from, to), ROWS.slice(from, to))
      }
    }
  })

  check('a range that is not there any more is data loss', async (source) => {
    const [id] = await partitionIds(source)
    await assert.rejects(rows(source, id, ROWS.length + 1, ROWS.length + 2), { code: 'data-loss' })
  })
}

test('standard input cannot be read a second time', async () => {
  const source = await createSource(fileSource('-'), context('/', Readable.from([Buffer.from('{}\n')])))
  assert.equal(source.identity, 'stdin')
  assert.deepEqual(await source.partitions(), [{ id: 'stdin', startOffset: 0, fingerprint: '' }])
  assert.deepEqual(await rows(source, 'stdin', 0, 1), ['{}'])
  await assert.rejects(rows(source, 'stdin', 0, 1), { code: 'unsupported' })
})

test('a read of standard input that waits for more ends when it is aborted', async () => {
  const stdin = new Readable({ read() {} })
  const source = await createSource(fileSource('-'), context('/', stdin))
  const abort = new AbortController()
  const reading = source.read('stdin', 0, Number.POSITIVE_INFINITY, abort.signal)[Symbol.asyncIterator]()
  const next = reading.next()
  abort.abort()
  assert.deepEqual(await next, { done: true, value: undefined })
  assert.equal(stdin.destroyed, true)
})

async function ofFile(folder: string, name: string, content: string | Uint8Array): Promise<Source> {
  await writeFile(join(folder, name), content)
  return createSource(fileSource(name), context(folder))
}

let kafkaTopic: Promise<string> | undefined

/** One topic for all checks: they only read it. */
async function ofKafkaTopic(folder: string): Promise<Source> {
  const log = await openTestLog((await testKafka()).bootstrap)
  kafkaTopic ??= (async () => {
    const topic = freshTopic('rows')
    await log.createTopic(topic, { partitions: 1, retentionMs: 1e14 })
    for (let at = 0; at < ROWS.length; at += 1_000) await log.append(topic, 0, draftOf(...ROWS.slice(at, at + 1_000)))
    return topic
  })()
  const source = await createSource(logSource(await kafkaTopic), { ...context(folder), openLog: async () => log })
  return {
    ...source,
    async close() {
      await source.close()
      await log.close()
    },
  }
}

async function ofTopic(folder: string): Promise<Source> {
  const log = new MemoryLog()
  await log.createTopic('rows', { partitions: 1 })
  for (let at = 0; at < ROWS.length; at += 1_000) await log.append('rows', 0, draftOf(...ROWS.slice(at, at + 1_000)))
  return createSource(logSource('rows'), { ...context(folder), openLog: async () => log })
}

function context(workingFolder: string, stdin: Readable = Readable.from([])): SourceContext {
  return { workingFolder, stdin, openLog: () => Promise.reject(new Error('no log is needed')) }
}

async function partitionIds(source: Source): Promise<[string]> {
  const [only, ...others] = await source.partitions()
  assert.ok(only && others.length === 0)
  return [only.id]
}

/** What a job makes of a range: pieces that follow each other, decoded from offset to offset. */
async function rows(source: Source, id: string, from: number, to: number): Promise<string[]> {
  const decoder = createScalarDecoder({ fields: [], knownMembers: new Set(), hashSeed: 1, dictionaryEntriesMax: 1 })
  const found: string[] = []
  let position: number | undefined
  for await (const records of source.read(id, from, to, new AbortController().signal)) {
    assertFollows(records, position ?? Math.min(records.baseOffset, from))
    position = records.endOffset
    const batch = decoder.decode(records, from, to)
    for (let row = 0; row < batch.rowCount; row++) {
      assert.equal(batch.offsets[row], from + found.length)
      const start = batch.valueStarts[row]
      found.push(Buffer.from(batch.bytes.subarray(start, start + batch.valueLengths[row])).toString())
    }
  }
  return found
}

function assertFollows(records: EncodedRecords, position: number): void {
  assert.equal(records.baseOffset, position, 'pieces follow each other')
  assert.equal(records.endOffset - records.baseOffset, records.recordCount)
  assert.ok(records.recordCount > 0)
}

function* chunks(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-source-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

/** What this process holds open below a folder. */
async function openFilesIn(folder: string): Promise<string[]> {
  const targets = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''))
  return (await Promise.all(targets)).filter((path) => path.startsWith(folder))
}

test('a topic is followed as it grows, from its beginning or from its end', async () => {
  const log = new MemoryLog()
  await log.createTopic('rows', { partitions: 2 })
  await log.append('rows', 1, draftOf('old', 'old'))
  const open = (from: 'earliest' | 'latest'): Promise<Source> =>
    createSource(logSource('rows', { from }), { ...context('/'), openLog: async () => log })
  const starts = async (source: Source): Promise<unknown> =>
    (await source.partitions()).map(({ id, startOffset }) => [id, startOffset])
  assert.deepEqual(await starts(await open('earliest')), [
    ['rows-0', 0],
    ['rows-1', 0],
  ])
  const source = await open('latest')
  assert.deepEqual(await starts(source), [
    ['rows-0', 0],
    ['rows-1', 2],
  ])
  const abort = new AbortController()
  const reading = source.read('rows-1', 2, Number.POSITIVE_INFINITY, abort.signal)[Symbol.asyncIterator]()
  const next = reading.next()
  await log.append('rows', 1, draftOf('new'))
  assert.equal((await next).value?.baseOffset, 2)
  const waiting = reading.next()
  abort.abort()
  assert.deepEqual(await waiting, { done: true, value: undefined })
})
