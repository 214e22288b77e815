import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { lz4Compress, snappyCompress } from '@platformatic/wasm-utils'
import { encodeText } from '../base/bytes.ts'
import { crc32c } from '../base/crc32c.ts'
import { MillraceError } from '../base/error.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import { RecordWalk } from '../batch/record-walk.ts'
import type { RecordBatchDraft } from './log.ts'
import {
  BATCH_HEADER_BYTES,
  encodeBatchHeader,
  encodeProducedHeader,
  readRecordBatches,
  walkBatches,
} from './record-batch.ts'
import { encodeHeaders, RecordBatchBuilder } from './record-batch-builder.ts'

/** Put together by hand from the protocol's description, checksum by a separate program. */
const GOLDEN = [
  '0000000000000007', // base offset
  '00000042', // length: 66 bytes follow
  '00000000', // leader epoch
  '02', // magic
  'fd0c1c4e', // CRC-32C
  '0008', // attributes: log-append time
  '00000001', // last offset delta
  '00000000000003e8', // base timestamp 1000
  '00000000000007d0', // max timestamp 2000: the time of arrival
  'ffffffffffffffff', // producer id
  'ffff', // producer epoch
  'ffffffff', // base sequence
  '00000002', // records
  '12000000026b04763100', // 9 bytes: attributes, delta 0, offset 0, key of 1 "k", value of 2 "v1", no headers
  '0c000902010000', // 6 bytes: attributes, delta -5, offset 1, no key, value of 0, no headers
].join('')

test('a batch has, byte for byte, the form in which a broker stores it', () => {
  const builder = new RecordBatchBuilder()
  builder.add(encodeText('k'), encodeText('v1'), 1000)
  builder.add(null, encodeText(''), 995)
  assert.equal(stored(builder.finish(), 7, 2000).toString('hex'), GOLDEN)
})

test('records are read with offsets, times and content', () => {
  const [records] = [...readRecordBatches(Buffer.from(GOLDEN, 'hex'), 'golden')]
  assert.deepEqual(
    { ...records, bytes: Buffer.from(records.bytes).toString('hex') },
    {
      framing: 'records',
      bytes: GOLDEN.slice(BATCH_HEADER_BYTES * 2),
      baseOffset: 7,
      endOffset: 9,
      recordCount: 2,
      baseTimestamp: 1000,
      appendTimestamp: 2000,
    },
  )
})

test('offsets and times beyond 32 bits survive', () => {
  const batch = stored(draftOf(['x'], 1_800_000_000_000), 2 ** 40 + 3, 1_800_000_000_123)
  const [records] = [...readRecordBatches(batch, 'large')]
  assert.equal(records.baseOffset, 2 ** 40 + 3)
  assert.equal(records.endOffset, 2 ** 40 + 4)
  assert.equal(records.baseTimestamp, 1_800_000_000_000)
  assert.equal(records.appendTimestamp, 1_800_000_000_123)
})

test('without log-append time the records keep their own times', () => {
  const batch = resealed(Buffer.from(GOLDEN, 'hex'), (bytes) => bytes.writeInt16BE(0, 21))
  const [records] = [...readRecordBatches(batch, 'created')]
  assert.equal(records.appendTimestamp, undefined)
  assert.deepEqual(recordsIn(records), [
    { key: 'k', value: 'v1', timestamp: 1000, offset: 7 },
    { key: null, value: '', timestamp: 995, offset: 8 },
  ])
})

test('a last batch that is cut off anywhere is left out', () => {
  const first = stored(draftOf(['a', 'b'], 5), 0, 9)
  const second = stored(draftOf(['c'], 6), 2, 9)
  for (let length = first.length; length < first.length + second.length; length++) {
    const bytes = Buffer.concat([first, second]).subarray(0, length)
    assert.deepEqual(
      [...readRecordBatches(bytes, 'cut')].map(({ endOffset }) => endOffset),
      [2],
    )
  }
})

test('a flipped bit is found by a checksum or a limit, or it changes no record', () => {
  const clean = Buffer.from(GOLDEN, 'hex')
  for (let bit = 0; bit < clean.length * 8; bit++) {
    const flipped = Buffer.from(clean)
    flipped[bit >> 3] ^= 1 << (bit & 7)
    const byte = bit >> 3
    let found: EncodedRecords[] | undefined
    try {
      found = [...walkBatches(flipped, 'flipped', 0, 7)].map(({ bytes }) => [...readRecordBatches(bytes, 'flipped')][0])
    } catch (error) {
      assert.ok(error instanceof MillraceError && error.code === 'corrupt-data', String(error))
      assert.match(error.message, /^flipped is damaged: no valid record batch at byte 0, /)
      continue
    }
    const leaderEpoch = byte >= 12 && byte < 16
    const grownLength = byte >= 8 && byte < 12 && found.length === 0
    assert.ok(leaderEpoch || grownLength, `byte ${byte} changed unseen`)
    if (leaderEpoch) assert.deepEqual(recordsIn(found[0]), recordsIn([...readRecordBatches(clean, 'clean')][0]))
  }
})

test('every codec is read, also when the records are many times larger than their bytes', () => {
  const draft = draftOf(
    Array.from({ length: 500 }, () => 'x'.repeat(1000)),
    5,
  )
  const records = Buffer.from(draft.records)
  for (const [codec, packed] of [
    [1, gzipSync(records)],
    [2, snappyCompress(records)],
    [2, chunked(records, 64 << 10)],
    [2, chunked(records, records.length)],
    [3, lz4Compress(records)],
    [4, zstdCompressSync(records)],
  ] as const) {
    const batch = withRecords(stored(draft, 3, 9), codec, packed)
    const [found] = [...readRecordBatches(batch, 'packed')]
    assert.deepEqual(Buffer.from(found.bytes), records)
    assert.equal(found.recordCount, 500)
  }
})

test('codecs that do not exist are named', () => {
  const batch = withRecords(Buffer.from(GOLDEN, 'hex'), 5, encodeText('?'))
  assert.throws(
    () => [...readRecordBatches(batch, 'packed')],
    (error) => {
      assert.ok(error instanceof MillraceError && error.code === 'unsupported')
      assert.equal(error.message, 'packed holds records compressed with codec 5')
      return true
    },
  )
})

test('bytes that do not unpack, or unpack without end, are damage', () => {
  const bomb = new Uint8Array(129 * 1024 * 1024)
  for (const [codec, bytes] of [
    [1, encodeText('no gzip')],
    [2, encodeText('no snappy')],
    [2, chunked(Buffer.from('abc'.repeat(99)), 50).subarray(0, 60)],
    [2, Buffer.concat([Buffer.from('ffffff7f', 'hex'), snappyCompress(Buffer.from('abc')).subarray(1)])],
    [3, encodeText('no lz4')],
    [3, lz4Compress(Buffer.from('abc'.repeat(99))).subarray(0, 20)],
    [3, repeatedLz4(Buffer.alloc(4 << 20), 33)],
    [4, encodeText('no zstd')],
    [4, zstdCompressSync(bomb)],
  ] as const) {
    const batch = withRecords(Buffer.from(GOLDEN, 'hex'), codec, bytes)
    assert.throws(
      () => [...readRecordBatches(batch, 'packed')],
      (error) =>
        error instanceof MillraceError && error.code === 'corrupt-data' && /cannot decompress/.test(error.message),
      `codec ${codec} ${Buffer.from(bytes.subarray(0, 20)).toString('hex')}`,
    )
  }
})

test('control batches are passed over', () => {
  const control = resealed(Buffer.from(GOLDEN, 'hex'), (bytes) => bytes.writeInt16BE(0x30, 21))
  const data = stored(draftOf(['x'], 5), 9, 9)
  const found = [...readRecordBatches(Buffer.concat([control, data]), 'both')]
  assert.deepEqual(
    found.map(({ baseOffset }) => baseOffset),
    [9],
  )
})

test('a batch on its way to a broker says who sends it and whether it is part of a transaction', () => {
  const builder = new RecordBatchBuilder()
  builder.add(encodeText('k'), encodeText('v'), 1000, encodeHeaders({ 'millrace-epoch': '12', empty: '' }))
  builder.add(null, encodeText('w'), 995)
  const draft = builder.finish()
  const producer = { producerId: 2 ** 40 + 3, producerEpoch: 7, baseSequence: 2 ** 31 - 1 }
  const header = Buffer.from(encodeProducedHeader(draft, producer, true))
  const fields = [
    header.readBigInt64BE(0),
    header.readInt32BE(12),
    header.readInt16BE(21),
    header.readBigInt64BE(35),
    header.readBigInt64BE(43),
    header.readInt16BE(51),
    header.readInt32BE(53),
  ]
  assert.deepEqual(fields, [0n, -1, 0x10, 1000n, 2n ** 40n + 3n, 7, 2 ** 31 - 1])
  assert.equal(encodeProducedHeader(draft, producer, false)[22], 0)
  const [{ bytes }] = [...readRecordBatches(Buffer.concat([header, draft.records]), 'produced')]
  const headers =
    '041c' +
    Buffer.from('millrace-epoch').toString('hex') +
    '04' +
    '3132' +
    '0a' +
    Buffer.from('empty').toString('hex') +
    '00'
  assert.ok(Buffer.from(bytes).toString('hex').includes(`026b0276${headers}`), Buffer.from(bytes).toString('hex'))
  const walk = new RecordWalk()
  walk.begin(bytes, bytes.length)
  assert.deepEqual([walk.next(), walk.next(), walk.position], [true, true, bytes.length])
})

test('a batch that compaction has thinned out keeps its range of offsets', () => {
  const thinned = resealed(Buffer.from(GOLDEN, 'hex'), (bytes) => bytes.writeInt32BE(10, 23))
  const [records] = [...readRecordBatches(thinned, 'thinned')]
  assert.equal(records.endOffset, 18)
})

test('many values from one buffer make the same batch as one by one', () => {
  const texts = ['first', '', 'x'.repeat(200), 'last']
  const single = draftOf(texts, 1234)
  const builder = new RecordBatchBuilder(1)
  const lengths = texts.map((text) => text.length)
  const ends = Int32Array.from(lengths, (_, index) => lengths.slice(0, index + 1).reduce((a, b) => a + b, 0))
  builder.addValues(encodeText(texts.join('')), ends, texts.length, 1234)
  assert.equal(builder.sizeBytes, single.records.length)
  assert.deepEqual({ ...builder.finish() }, { ...single })
  assert.equal(builder.recordCount, 0)
})

test('a value that is written in place makes the same record as one that is copied, in every buffer', () => {
  const copying = new RecordBatchBuilder(1)
  const builder = new RecordBatchBuilder(1)
  const key = encodeText('user-1')
  for (const [index, length] of [64, 65, 127, 128, 8191 - 14, 1000, ...Array(200).fill(300)].entries()) {
    const value = encodeText(`${index}`.padEnd(length, 'x'))
    const timestamp = 1_000_000 + index * index * index
    copying.add(key, value, timestamp)
    const start = builder.beginValue(key, value.length + 8, timestamp)
    for (const [at, byte] of value.entries()) builder.view.setUint8(start + at, byte)
    builder.view.setFloat64(start + value.length, -1)
    builder.endValue(start + value.length)
  }
  const draft = builder.finish()
  assert.deepEqual(draft, copying.finish())
  const spent = new Uint8Array(1000).fill(7)
  for (const each of [copying, builder]) each.add(null, encodeText('again'), 5)
  const next = builder.finish(spent)
  assert.deepEqual(next, copying.finish())
  builder.add(null, encodeText('again'), 5)
  const recycled = builder.finish()
  assert.equal(recycled.records.buffer, spent.buffer)
  assert.deepEqual(Buffer.from(recycled.records), Buffer.from(next.records))
})

test('a value that is too short or too long to be written in place is refused', () => {
  for (const length of [0, 63, 8192]) {
    const builder = new RecordBatchBuilder()
    const start = builder.beginValue(encodeText('k'), length, 5)
    assert.throws(() => builder.endValue(start + length), /written in place/)
  }
})

test('what a builder handed over is not touched by what it builds next', () => {
  const builder = new RecordBatchBuilder(64)
  builder.add(null, encodeText('first'), 1)
  const draft = builder.finish()
  const before = Buffer.from(draft.records).toString('hex')
  builder.add(null, encodeText('other'), 1)
  builder.finish()
  assert.equal(Buffer.from(draft.records).toString('hex'), before)
})

test('times may go back and far: the largest is kept', () => {
  const builder = new RecordBatchBuilder()
  for (const time of [1_000_000_000_000, 0, 2_000_000_000_000, 999_999_999_999])
    builder.add(null, encodeText('x'), time)
  const draft = builder.finish()
  assert.equal(draft.maxTimestamp, 2_000_000_000_000)
  const batch = resealed(stored(draft, 0, 1), (bytes) => bytes.writeInt16BE(0, 21))
  assert.deepEqual(
    recordsIn([...readRecordBatches(batch, 'times')][0]).map(({ timestamp }) => timestamp),
    [1_000_000_000_000, 0, 2_000_000_000_000, 999_999_999_999],
  )
})

function draftOf(values: readonly string[], timestamp: number): RecordBatchDraft {
  const builder = new RecordBatchBuilder()
  for (const value of values) builder.add(null, encodeText(value), timestamp)
  return builder.finish()
}

function stored(draft: RecordBatchDraft, baseOffset: number, appendTimestamp: number): Buffer {
  return Buffer.concat([encodeBatchHeader(draft, baseOffset, appendTimestamp), draft.records])
}

function resealed(batch: Buffer, change: (batch: Buffer) => void): Buffer {
  change(batch)
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  return batch
}

function withRecords(batch: Buffer, codec: number, records: Uint8Array): Buffer {
  return resealed(Buffer.concat([batch.subarray(0, BATCH_HEADER_BYTES), records]), (bytes) =>
    bytes.writeInt16BE(codec, 21),
  )
}

interface PlainRecord {
  readonly key: string | null
  readonly value: string
  readonly timestamp: number
  readonly offset: number
}

/** An independent reading of the records section, with BigInt and one record at a time. */
function recordsIn(records: EncodedRecords): PlainRecord[] {
  const bytes = Buffer.from(records.bytes)
  let at = 0
  const varint = (): number => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(bytes[at++])
      value |= (byte & 0x7fn) << shift
      if (byte < 0x80n) return Number((value >> 1n) ^ -(value & 1n))
    }
  }
  const text = (length: number): string => {
    at += length
    return bytes.toString('utf8', at - length, at)
  }
  const found: PlainRecord[] = []
  while (found.length < records.recordCount) {
    const end = varint() + at
    assert.equal(bytes[at++], 0)
    const timestamp = records.baseTimestamp + varint()
    const offset = records.baseOffset + varint()
    const keyLength = varint()
    const key = keyLength < 0 ? null : text(keyLength)
    const value = text(varint())
    assert.equal(varint(), 0)
    assert.equal(at, end)
    found.push({ key, value, timestamp, offset })
  }
  assert.equal(at, bytes.length)
  return found
}

/** As Java's producer frames Snappy. */
function chunked(bytes: Buffer<ArrayBuffer>, chunkBytes: number): Buffer {
  const parts: Uint8Array[] = [Buffer.from('82534e415050590000000001' + '00000001', 'hex')]
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const chunk = snappyCompress(bytes.subarray(at, at + chunkBytes))
    const length = Buffer.alloc(4)
    length.writeUInt32BE(chunk.length)
    parts.push(length, chunk)
  }
  return Buffer.concat(parts)
}

/** An LZ4 frame of the same content many times over. */
function repeatedLz4(bytes: Buffer<ArrayBuffer>, times: number): Buffer {
  const frame = lz4Compress(bytes)
  const header = frame.subarray(0, 7)
  const end = frame.subarray(frame.length - 4)
  return Buffer.concat([header, ...Array.from({ length: times }, () => frame.subarray(7, -4)), end])
}
