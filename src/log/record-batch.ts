/**
 * Kafka's record batch, version 2, as a broker stores it (KIP-98). Numbers are big-endian:
 *
 *      0 baseOffset i64 | 8 length i32 | 12 leaderEpoch i32 | 16 magic i8 = 2 | 17 crc u32 | 21 attributes i16
 *     23 lastOffsetDelta i32 | 27 baseTimestamp i64 | 35 maxTimestamp i64 | 43 producerId i64 | 51 producerEpoch i16
 *     53 baseSequence i32 | 57 recordCount i32 | 61 records
 *
 * `length` counts what follows it. The checksum is a CRC-32C from byte 21 to the end: offset and leader epoch may be set later.
 */
import { assert } from '../base/assert.ts'
import { crc32c } from '../base/crc32c.ts'
import { MillraceError } from '../base/error.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import { decompress } from './compression.ts'
import type { RecordBatchDraft } from './log.ts'
import type { Allocate } from './lz4.ts'

/** Bytes of a batch before its records. */
export const BATCH_HEADER_BYTES = 61

/** Bytes that `length` does not count: the two fields up to and including it. */
const BATCH_PREFIX_BYTES = 12

/** Larger ones are taken for damage: Kafka's own limit is a 32-bit length, and nobody configures a hundredth of it. */
const BATCH_BYTES_MAX: number = 256 * 1024 * 1024

/** The fixed fields of a record batch. */
export interface RecordBatchHeader {
  readonly baseOffset: number
  /** Header and records. */
  readonly sizeBytes: number
  readonly crc: number
  readonly attributes: number
  /** Offset right behind the last record. */
  readonly endOffset: number
  readonly baseTimestamp: number
  /** The time of arrival of all records when the log has stamped them. */
  readonly maxTimestamp: number
  readonly recordCount: number
}

/** The header that makes a draft a batch of a log: its place, the time of arrival (as log-append time), and one checksum over all. */
export function encodeBatchHeader(draft: RecordBatchDraft, baseOffset: number, appendTimestamp: number): Uint8Array {
  const attributes = LOG_APPEND_TIME
  return encodeHeader(draft, { attributes, baseOffset, maxTimestamp: appendTimestamp, leaderEpoch: 0, ...NO_PRODUCER })
}

/** Who sends a batch to a broker, and the number of its first record among those that it sends to a partition. */
export interface BatchProducer {
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
}

/** The header of a batch on its way to a broker, which gives it its place. */
export function encodeProducedHeader(
  draft: RecordBatchDraft,
  producer: BatchProducer,
  transactional: boolean,
): Uint8Array {
  const attributes = transactional ? TRANSACTIONAL : 0
  return encodeHeader(draft, {
    attributes,
    baseOffset: 0,
    maxTimestamp: draft.maxTimestamp,
    leaderEpoch: -1,
    ...producer,
  })
}

interface HeaderFields extends BatchProducer {
  readonly attributes: number
  readonly baseOffset: number
  readonly maxTimestamp: number
  readonly leaderEpoch: number
}

function encodeHeader(draft: RecordBatchDraft, fields: HeaderFields): Uint8Array {
  assert(draft.recordCount > 0, 'a batch holds records')
  const header = new Uint8Array(BATCH_HEADER_BYTES)
  const view = new DataView(header.buffer)
  setInt64(view, 0, fields.baseOffset)
  view.setInt32(8, BATCH_HEADER_BYTES - BATCH_PREFIX_BYTES + draft.records.length)
  view.setInt32(12, fields.leaderEpoch)
  view.setInt8(16, MAGIC)
  view.setInt16(21, fields.attributes)
  view.setInt32(23, draft.recordCount - 1)
  setInt64(view, 27, draft.baseTimestamp)
  setInt64(view, 35, fields.maxTimestamp)
  setInt64(view, 43, fields.producerId)
  view.setInt16(51, fields.producerEpoch)
  view.setInt32(53, fields.baseSequence)
  view.setInt32(57, draft.recordCount)
  view.setUint32(CRC_AT, crc32c(draft.records, crc32c(header.subarray(CHECKED_FROM))))
  return header
}

/**
 * Reads the header of the batch at a position; undefined when the bytes end before the header does. Throws `corrupt-data` when these
 * bytes are no header of a batch. `what` names the bytes in errors, such as a file, `position` is counted in it from `origin` on.
 */
export function decodeBatchHeader(
  bytes: Uint8Array,
  position: number,
  what: string,
  origin = 0,
): RecordBatchHeader | undefined {
  if (bytes.length - position < BATCH_HEADER_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset + position, BATCH_HEADER_BYTES)
  const sizeBytes = view.getInt32(8) + BATCH_PREFIX_BYTES
  const baseOffset = getInt64(view, 0)
  const lastOffsetDelta = view.getInt32(23)
  const recordCount = view.getInt32(57)
  const problem = headerProblem(view.getInt8(16), sizeBytes, baseOffset, lastOffsetDelta, recordCount)
  if (problem) throw damaged(what, origin + position, problem)
  return {
    baseOffset,
    sizeBytes,
    crc: view.getUint32(CRC_AT),
    attributes: view.getInt16(21),
    endOffset: baseOffset + lastOffsetDelta + 1,
    baseTimestamp: getInt64(view, 27),
    maxTimestamp: getInt64(view, 35),
    recordCount,
  }
}

/** A whole batch whose checksum fits. */
export interface StoredBatch {
  readonly header: RecordBatchHeader
  /** Where it begins in what the bytes were read from. */
  readonly position: number
  readonly bytes: Uint8Array
}

/**
 * All whole batches, as views, each verified first. A last one that is cut off is left out. Throws `corrupt-data` that names `what` and the
 * position in it, where these bytes begin at `origin`. With `nextOffset` it also throws when a batch does not begin where the one before
 * ended: in an embedded log there are no gaps.
 */
export function* walkBatches(bytes: Uint8Array, what: string, origin = 0, nextOffset?: number): Generator<StoredBatch> {
  let at = 0
  let expected = nextOffset
  for (;;) {
    const header = decodeBatchHeader(bytes, at, what, origin)
    if (!header || header.sizeBytes > bytes.length - at) return
    if (expected !== undefined) checkOffset(header, expected, what, origin + at)
    const batch = bytes.subarray(at, at + header.sizeBytes)
    if (crc32c(batch.subarray(CHECKED_FROM)) !== header.crc) {
      throw damaged(what, origin + at, 'its checksum does not fit its content')
    }
    yield { header, position: origin + at, bytes: batch }
    at += header.sizeBytes
    if (expected !== undefined) expected = header.endOffset
  }
}

/** Throws `corrupt-data` when the batch does not begin at the offset where the one before it ended. */
export function checkOffset(header: RecordBatchHeader, expected: number, what: string, position: number): void {
  if (header.baseOffset === expected) return
  throw damaged(what, position, `its first offset is ${header.baseOffset}, not ${expected}`)
}

/** Records of all whole batches, as `walkBatches` finds them; control batches, which mark transactions, are left out. */
export function* readRecordBatches(bytes: Uint8Array, what: string): Generator<EncodedRecords> {
  for (const batch of walkBatches(bytes, what)) {
    const records = recordsOf(batch, what)
    if (records) yield records
  }
}

/** The records of a batch, uncompressed ones as a view, others in memory that `allocate` may give; undefined for a control batch. */
export function recordsOf(
  { header, bytes }: StoredBatch,
  what: string,
  allocate?: Allocate,
): EncodedRecords | undefined {
  if ((header.attributes & CONTROL) !== 0) return undefined
  const common = {
    framing: 'records' as const,
    bytes: decompress(header.attributes & CODEC_MASK, bytes.subarray(BATCH_HEADER_BYTES), what, allocate),
    baseOffset: header.baseOffset,
    endOffset: header.endOffset,
    recordCount: header.recordCount,
    baseTimestamp: header.baseTimestamp,
  }
  return (header.attributes & LOG_APPEND_TIME) === 0 ? common : { ...common, appendTimestamp: header.maxTimestamp }
}

/** The error for a batch that is not what was written. */
export function damaged(what: string, position: number, problem: string): MillraceError {
  return new MillraceError(
    'corrupt-data',
    `${what} is damaged: no valid record batch at byte ${position}, ${problem}`,
    {
      hint: 'the disk or another program changed it: restore it from a backup, or remove the topic and produce it again',
    },
  )
}

const MAGIC = 2
const NO_PRODUCER: BatchProducer = { producerId: -1, producerEpoch: -1, baseSequence: -1 }
const CRC_AT = 17
const CHECKED_FROM = 21
const CODEC_MASK = 0x07
const LOG_APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20

function headerProblem(
  magic: number,
  sizeBytes: number,
  baseOffset: number,
  lastOffsetDelta: number,
  recordCount: number,
): string | undefined {
  if (magic !== MAGIC) return `its version is ${magic}, not ${MAGIC}`
  if (sizeBytes < BATCH_HEADER_BYTES || sizeBytes > BATCH_BYTES_MAX) return `its size is ${sizeBytes} bytes`
  if (!Number.isSafeInteger(baseOffset) || baseOffset < 0) return `its first offset is ${baseOffset}`
  if (recordCount < 0 || lastOffsetDelta < recordCount - 1)
    return `${recordCount} records in ${lastOffsetDelta + 1} offsets`
  return undefined
}

/** Offsets and times are whole numbers below 2^53, so that no BigInt is needed. */
function setInt64(view: DataView, at: number, value: number): void {
  assert(Number.isSafeInteger(value), 'offsets and times are whole numbers')
  const high = Math.floor(value / 2 ** 32)
  view.setInt32(at, high)
  view.setUint32(at + 4, value - high * 2 ** 32)
}

function getInt64(view: DataView, at: number): number {
  return view.getInt32(at) * 2 ** 32 + view.getUint32(at + 4)
}
