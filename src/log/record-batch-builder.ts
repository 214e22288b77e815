import { assert } from '../base/assert.ts'
import { encodeText } from '../base/bytes.ts'
import type { RecordBatchDraft } from './log.ts'

/**
 * Collects records as a record batch stores them, until `finish` hands them over:
 *
 *     length varint | attributes i8 | timestampDelta varint | offsetDelta varint
 *     | keyLength varint (-1: no key) | key | valueLength varint | value | headerCount varint
 *
 * Varints are zigzag-coded, seven bits at a time, low ones first. Nothing is allocated per record.
 */
export class RecordBatchBuilder {
  #bytes: Uint8Array
  #length = 0
  #recordCount = 0
  #baseTimestamp = 0
  #maxTimestamp = 0
  #view: DataView
  /** Of the record that is written in place: where what its length counts begins, and its value. */
  #bodyStart = 0
  #valueStart = 0

  /** Begins with room for so many bytes; grows when more come. */
  constructor(capacityBytes: number = 256 * 1024) {
    this.#bytes = newBuffer(capacityBytes)
    this.#view = viewOf(this.#bytes)
  }

  /** What values are written into in place, see `beginValue`; another one after each `beginValue` and `finish`. */
  get view(): DataView {
    return this.#view
  }

  get recordCount(): number {
    return this.#recordCount
  }

  /** Size of the records so far; decide by it when a batch is large enough. */
  get sizeBytes(): number {
    return this.#length
  }

  /** Adds one record. Timestamps are milliseconds, in any order; `headers` come as `encodeHeaders` writes them. */
  add(key: Uint8Array | null, value: Uint8Array, timestamp: number, headers?: Uint8Array): void {
    const keyBytes = key === null ? 0 : key.length
    const headerBytes = headers === undefined ? 0 : headers.length - 1
    this.#begin(keyBytes, keyBytes + value.length, timestamp, key === null, headerBytes)
    if (key !== null) {
      this.#bytes.set(key, this.#length)
      this.#length += key.length
    }
    this.#length = writeVarint(this.#bytes, this.#length, value.length)
    this.#bytes.set(value, this.#length)
    if (headers === undefined) {
      this.#end(this.#length + value.length)
      return
    }
    this.#bytes.set(headers, this.#length + value.length)
    this.#length += value.length + headers.length
    this.#recordCount++
  }

  /** Adds many records without keys: value i lies in `bytes` from `ends[i - 1]` (0 for the first) to `ends[i]`. */
  addValues(bytes: Uint8Array, ends: Int32Array, count: number, timestamp: number): void {
    let start = 0
    for (let index = 0; index < count; index++) {
      const end = ends[index]
      const valueBytes = end - start
      this.#begin(0, valueBytes, timestamp, true)
      this.#length = writeVarint(this.#bytes, this.#length, valueBytes)
      this.#bytes.set(bytes.subarray(start, end), this.#length)
      this.#end(this.#length + valueBytes)
      start = end
    }
  }

  /**
   * Begins a record whose value is written in place, and returns where in `view` that is to be, with room for `valueBytesMax`; `endValue`
   * ends it. Until then all of that room may be written to, and nothing else may be called.
   */
  beginValue(key: Uint8Array, valueBytesMax: number, timestamp: number): number {
    this.#observe(timestamp)
    this.#reserve(HEAD_BYTES_MAX + key.length + valueBytesMax + 1)
    const bytes = this.#bytes
    this.#bodyStart = this.#length + IN_PLACE_LENGTH_BYTES
    let at = this.#bodyStart
    bytes[at++] = 0
    at = writeVarint(bytes, at, timestamp - this.#baseTimestamp)
    at = writeVarint(bytes, at, this.#recordCount)
    at = writeVarint(bytes, at, key.length)
    for (let index = 0; index < key.length; index++) bytes[at++] = key[index]
    this.#valueStart = at + IN_PLACE_LENGTH_BYTES
    return this.#valueStart
  }

  /** Ends a record that was begun with `beginValue`: its value ends here. It must be one whose lengths take two bytes each. */
  endValue(valueEnd: number): void {
    const bytes = this.#bytes
    const valueBytes = valueEnd - this.#valueStart
    const bodyBytes = valueEnd + 1 - this.#bodyStart
    assert(valueBytes >= 64 && bodyBytes < 8192, 'a value that is written in place has 64 to about 8,000 bytes')
    bytes[this.#bodyStart - 2] = ((2 * bodyBytes) & 0x7f) | 0x80
    bytes[this.#bodyStart - 1] = bodyBytes >> 6
    bytes[this.#valueStart - 2] = ((2 * valueBytes) & 0x7f) | 0x80
    bytes[this.#valueStart - 1] = valueBytes >> 6
    this.#end(valueEnd)
  }

  /**
   * Hands over what was added and begins anew, in `nextBytes` if given: a buffer that an earlier batch was handed over in and whose
   * receiver has no use for it any more. The bytes handed over are the receiver's: nothing here touches them again.
   */
  finish(nextBytes?: Uint8Array): RecordBatchDraft {
    assert(this.#recordCount > 0, 'a batch holds records')
    const draft: RecordBatchDraft = {
      records: this.#bytes.subarray(0, this.#length),
      recordCount: this.#recordCount,
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: this.#maxTimestamp,
    }
    this.#bytes = nextBytes ?? newBuffer(this.#bytes.length)
    this.#view = viewOf(this.#bytes)
    this.#length = 0
    this.#recordCount = 0
    return draft
  }

  /** Writes what stands before the key. */
  #begin(keyBytes: number, contentBytes: number, timestamp: number, keyless: boolean, headerBytes = 0): void {
    this.#observe(timestamp)
    const timestampDelta = timestamp - this.#baseTimestamp
    const keyLength = keyless ? -1 : keyBytes
    const bodyBytes =
      1 +
      varintBytes(timestampDelta) +
      varintBytes(this.#recordCount) +
      varintBytes(keyLength) +
      varintBytes(contentBytes - keyBytes) +
      contentBytes +
      headerBytes +
      1
    this.#reserve(bodyBytes + VARINT_BYTES_MAX)
    let at = writeVarint(this.#bytes, this.#length, bodyBytes)
    this.#bytes[at++] = 0
    at = writeVarint(this.#bytes, at, timestampDelta)
    at = writeVarint(this.#bytes, at, this.#recordCount)
    this.#length = writeVarint(this.#bytes, at, keyLength)
  }

  #observe(timestamp: number): void {
    assert(Number.isSafeInteger(timestamp) && timestamp >= 0, 'a record timestamp is whole milliseconds since 1970')
    if (this.#recordCount === 0) {
      this.#baseTimestamp = timestamp
      this.#maxTimestamp = timestamp
    } else if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
  }

  /** Writes what stands behind the value: no headers. */
  #end(at: number): void {
    this.#bytes[at] = 0
    this.#length = at + 1
    this.#recordCount++
  }

  #reserve(byteCount: number): void {
    const needed = this.#length + byteCount
    if (needed <= this.#bytes.length) return
    const grown = newBuffer(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
    this.#view = viewOf(grown)
  }
}

/** Headers of a record: their number, and for each the lengths of name and value with these behind them. */
export function encodeHeaders(headers: Readonly<Record<string, string>>): Uint8Array {
  const texts = Object.entries(headers).flat().map(encodeText)
  const bytes = new Uint8Array(texts.reduce((sum, text) => sum + text.length + VARINT_BYTES_MAX, VARINT_BYTES_MAX))
  let at = writeVarint(bytes, 0, texts.length / 2)
  for (const text of texts) {
    at = writeVarint(bytes, at, text.length)
    bytes.set(text, at)
    at += text.length
  }
  return bytes.subarray(0, at)
}

const VARINT_BYTES_MAX = 10
/** Of a length that is known only behind what it counts. */
const IN_PLACE_LENGTH_BYTES = 2
/** What stands before a key and between it and its value. */
const HEAD_BYTES_MAX: number = 2 * IN_PLACE_LENGTH_BYTES + 1 + 3 * VARINT_BYTES_MAX

function newBuffer(capacityBytes: number): Uint8Array {
  return Buffer.allocUnsafeSlow(capacityBytes)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Zigzag (0, -1, 1, -2, ...), so that small negative numbers stay short. */
function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  if (value >= 0 && value < 8192) {
    if (value < 64) {
      bytes[at] = 2 * value
      return at + 1
    }
    bytes[at] = ((2 * value) & 0x7f) | 0x80
    bytes[at + 1] = value >> 6
    return at + 2
  }
  return writeAnyVarint(bytes, at, value)
}

function writeAnyVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value < 0 ? -2 * value - 1 : 2 * value
  let next = at
  while (rest > 0x7f) {
    bytes[next++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  bytes[next++] = rest
  return next
}

function varintBytes(value: number): number {
  let rest = value < 0 ? -2 * value - 1 : 2 * value
  let count = 1
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) count++
  return count
}
