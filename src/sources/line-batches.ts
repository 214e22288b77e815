import { EVENT_BYTES_MAX } from '../batch/batch.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'

const BATCH_BYTES = 1 << 18
const LF = 10
/** A line beyond the limit is kept only so far that the decoder sees it is too large. */
const LINE_BYTES_KEPT: number = EVENT_BYTES_MAX + 1

/**
 * Cuts a stream of bytes into batches of whole lines of about 256 KB. Every line is a record, an empty one too; a line of any length
 * takes bounded memory.
 */
export async function* lineBatches(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<EncodedRecords> {
  const cutter = new LineCutter()
  for await (const chunk of bytes) {
    cutter.push(chunk)
    if (cutter.length >= BATCH_BYTES) {
      const records = cutter.take()
      if (records) yield records
    }
  }
  cutter.end()
  const records = cutter.take()
  if (records) yield records
}

class LineCutter {
  #buffer = new Uint8Array(BATCH_BYTES * 2)
  #length = 0
  /** Where the unfinished last line begins. */
  #lineStart = 0
  #lines = 0
  #baseOffset = 0

  get length(): number {
    return this.#length
  }

  push(chunk: Uint8Array): void {
    let from = 0
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, from)) {
      this.#append(chunk.subarray(from, at))
      this.#endLine()
      from = at + 1
    }
    this.#append(chunk.subarray(from))
  }

  /** The last line may lack its end. */
  end(): void {
    if (this.#length > this.#lineStart) this.#endLine()
  }

  /** The whole lines so far; undefined when there is none. */
  take(): EncodedRecords | undefined {
    if (this.#lines === 0) return undefined
    const rest = this.#buffer.subarray(this.#lineStart, this.#length)
    const bytes = this.#buffer.subarray(0, this.#lineStart)
    const baseOffset = this.#baseOffset
    const recordCount = this.#lines
    this.#buffer = new Uint8Array(Math.max(BATCH_BYTES * 2, rest.length * 2))
    this.#buffer.set(rest)
    this.#length = rest.length
    this.#lineStart = 0
    this.#lines = 0
    this.#baseOffset += recordCount
    return {
      framing: 'newline',
      bytes,
      baseOffset,
      endOffset: baseOffset + recordCount,
      recordCount,
      baseTimestamp: Number.NaN,
    }
  }

  #append(part: Uint8Array): void {
    const room = this.#lineStart + LINE_BYTES_KEPT - this.#length
    const kept = part.length > room ? part.subarray(0, Math.max(0, room)) : part
    this.#reserve(kept.length)
    this.#buffer.set(kept, this.#length)
    this.#length += kept.length
  }

  #endLine(): void {
    this.#reserve(1)
    this.#buffer[this.#length++] = LF
    this.#lineStart = this.#length
    this.#lines++
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#buffer.length) return
    const grown = new Uint8Array(Math.max(this.#length + count, this.#buffer.length * 2))
    grown.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = grown
  }
}
