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

  /** Begins with room for so many bytes; grows when more come. */
  constructor(capacityBytes: number = 256 * 1024) {
    this.#bytes = Buffer.allocUnsafeSlow(capacityBytes)
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

  /** Hands over what was added and begins anew. The bytes are the receiver's: nothing here touches them again. */
  finish(): RecordBatchDraft {
    assert(this.#recordCount > 0, 'a batch holds records')
    const draft: RecordBatchDraft = {
      records: this.#bytes.subarray(0, this.#length),
      recordCount: this.#recordCount,
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: this.#maxTimestamp,
    }
    this.#bytes = Buffer.allocUnsafeSlow(this.#bytes.length)
    this.#length = 0
    this.#recordCount = 0
    return draft
  }

  /** Writes what stands before the key. */
  #begin(keyBytes: number, contentBytes: number, timestamp: number, keyless: boolean, headerBytes = 0): void {
    assert(
      timestamp >= 0 && timestamp < 2 ** 52 && timestamp % 1 === 0,
      'a record timestamp is whole milliseconds since 1970',
    )
    if (this.#recordCount === 0) {
      this.#baseTimestamp = timestamp
      this.#maxTimestamp = timestamp
    } else if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
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

  /** Writes what stands behind the value: no headers. */
  #end(at: number): void {
    this.#bytes[at] = 0
    this.#length = at + 1
    this.#recordCount++
  }

  #reserve(byteCount: number): void {
    const needed = this.#length + byteCount
    if (needed <= this.#bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
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

/** Zigzag (0, -1, 1, -2, ...), so that small negative numbers stay short. */
function writeVarint(bytes: Uint8Array, at: number, value: number): number {
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
