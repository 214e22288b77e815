import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EVENT_BYTES_MAX, RowError } from '../batch/batch.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import { createScalarDecoder } from '../batch/scalar-decoder.ts'
import { lineBatches } from './line-batches.ts'

async function* stream(...chunks: (string | Uint8Array | Error)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    if (chunk instanceof Error) throw chunk
    yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
  }
}

async function batchesOf(...chunks: (string | Uint8Array)[]): Promise<EncodedRecords[]> {
  const batches: EncodedRecords[] = []
  for await (const batch of lineBatches(stream(...chunks))) batches.push(batch)
  return batches
}

function text(batches: readonly EncodedRecords[]): string {
  return Buffer.concat(batches.map(({ bytes }) => bytes)).toString('latin1')
}

/** What the decoder says of each row. */
function errors(batches: readonly EncodedRecords[]): number[] {
  const decoder = createScalarDecoder({ fields: [], knownMembers: new Set(), hashSeed: 1, dictionaryEntriesMax: 1 })
  return batches.flatMap((records) => {
    const { error, rowCount } = decoder.decode(records)
    return [...error.subarray(0, rowCount)]
  })
}

test('however the bytes are cut into chunks, the lines are the same', async () => {
  const line = fc.oneof(fc.string({ unit: 'binary' }), fc.constant(''), fc.constant('\r'), fc.constant('\0'))
  await fc.assert(
    fc.asyncProperty(
      fc.array(line),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      async (lines, sizes) => {
        const bytes = Buffer.from(lines.join('\n'))
        const chunks: Uint8Array[] = []
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          chunks.push(bytes.subarray(at, at + sizes[turn % sizes.length]))
          at += sizes[turn % sizes.length]
        }
        const batches = await batchesOf(...chunks)
        const content = bytes.toString('latin1')
        const ended = content === '' || content.endsWith('\n') ? content : `${content}\n`
        assert.equal(text(batches), ended)
        assert.equal(
          batches.reduce((sum, { recordCount }) => sum + recordCount, 0),
          ended.split('\n').length - 1,
        )
      },
    ),
  )
})

test('nothing, and a single line feed, are no line and an empty line', async () => {
  assert.deepEqual(await batchesOf(), [])
  assert.deepEqual(await batchesOf(''), [])
  assert.deepEqual(
    (await batchesOf('\n')).map(({ recordCount }) => recordCount),
    [1],
  )
})

test('batches hold about 256 KB, follow each other and own their bytes', async () => {
  const chunk = Buffer.from('x'.repeat(99).concat('\n').repeat(1_000))
  const batches = await batchesOf(...Array.from({ length: 20 }, () => chunk))
  assert.deepEqual(
    batches.map(({ baseOffset, endOffset, bytes }) => [baseOffset, endOffset, bytes.length]),
    [
      [0, 3_000, 300_000],
      [3_000, 6_000, 300_000],
      [6_000, 9_000, 300_000],
      [9_000, 12_000, 300_000],
      [12_000, 15_000, 300_000],
      [15_000, 18_000, 300_000],
      [18_000, 20_000, 200_000],
    ],
  )
  assert.ok(batches.every(({ bytes }) => bytes.length === bytes.buffer.byteLength))
  chunk.fill(0)
  assert.equal(text(batches), 'x'.repeat(99).concat('\n').repeat(20_000))
})

test('a line beyond the limit is one row that is too large, and takes little more memory than the limit', async () => {
  for (const chunkBytes of [65_536, 7_000_000]) {
    const bytes = Buffer.from(`{}\n{"a":"${'x'.repeat(5_000_000)}"}\n{}\n`)
    const chunks: Uint8Array[] = []
    for (let at = 0; at < bytes.length; at += chunkBytes) chunks.push(bytes.subarray(at, at + chunkBytes))
    const batches = await batchesOf(...chunks)
    assert.deepEqual(errors(batches), [RowError.none, RowError.tooLarge, RowError.none])
    assert.ok(text(batches).length < EVENT_BYTES_MAX + 20)
  }
})

test('a line at the limit is whole, with or without CR; one byte more is too large, wherever a CR stands', async () => {
  const object = `{"a":"${'x'.repeat(EVENT_BYTES_MAX - 8)}"}`
  const padded = object.padEnd(EVENT_BYTES_MAX)
  assert.equal(padded.length, EVENT_BYTES_MAX)
  const lines = [padded, `${padded}\r`, `${padded} `, `${padded} \r`, `${padded}\r `, `${padded}\r\r`, `${padded}\r{}`]
  const { none, tooLarge } = RowError
  assert.deepEqual(errors(await batchesOf(lines.join('\n'))), [
    none,
    none,
    tooLarge,
    tooLarge,
    tooLarge,
    tooLarge,
    tooLarge,
  ])
})

test('when the stream fails, the whole lines come first, then the error; half a line never comes', async () => {
  const batches: EncodedRecords[] = []
  const reading = async (): Promise<void> => {
    for await (const batch of lineBatches(stream('{}\n{}\n{"a":1', '2', new Error('gone')))) batches.push(batch)
  }
  await assert.rejects(reading, new Error('gone'))
  assert.equal(text(batches), '{}\n{}\n')
})
