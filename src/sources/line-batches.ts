import { EVENT_BYTES_MAX } from '../batch/batch.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'

const BATCH_BYTES = 1 << 18
const LINE_FEED = 10

/**
 * What is kept of a line beyond the limit: so much that the decoder sees it is too large, even when the last byte kept
 * happens to be a CR, which it does not count.
 */
const LINE_BYTES_KEPT: number = EVENT_BYTES_MAX + 2

/**
 * Cuts a stream of bytes into batches of whole lines of about 256 KB. Every line is a record, an empty one too, and a last one without
 * its line feed; a line of any length takes bounded memory. When the stream fails, the whole lines before that come first, then the error.
 */
export async function* lineBatches(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<EncodedRecords> {
  const cutter = new LineCutter()
  let failure: { readonly error: unknown } | undefined
  try {
    for await (const chunk of bytes) {
      for (let at = 0; at < chunk.length; at += BATCH_BYTES) {
        cutter.push(chunk.subarray(at, at + BATCH_BYTES))
        if (cutter.byteCount >= BATCH_BYTES) yield cutter.take()
      }
    }
    cutter.endLastLine()
  } catch (error) {
    failure = { error }
  }
  if (cutter.lineCount > 0) yield cutter.take()
  if (failure) throw failure.error
}

/** Gathers bytes until they are whole lines. */
class LineCutter {
  /** Whole lines up to `#lineStart`, behind them the beginning of the next one. */
  #buffer = new Uint8Array(4 * BATCH_BYTES)
  #length = 0
  #lineStart = 0
  #lineCount = 0
  #baseOffset = 0

  /** Bytes of whole lines. */
  get byteCount(): number {
    return this.#lineStart
  }

  get lineCount(): number {
    return this.#lineCount
  }

  /** Takes at most `BATCH_BYTES`: no line that begins and ends in them can be too large. */
  push(piece: Uint8Array): void {
    const firstEnd = piece.indexOf(LINE_FEED)
    if (firstEnd < 0) {
      this.#extendLine(piece)
      return
    }
    this.#extendLine(piece.subarray(0, firstEnd))
    this.#endLine()
    const lastEnd = piece.lastIndexOf(LINE_FEED)
    this.#append(piece.subarray(firstEnd + 1, lastEnd + 1))
    this.#lineStart = this.#length
    this.#lineCount += countLines(piece, firstEnd + 1, lastEnd)
    this.#extendLine(piece.subarray(lastEnd + 1))
  }

  /** The stream has ended: what is left is a line too. */
  endLastLine(): void {
    if (this.#length > this.#lineStart) this.#endLine()
  }

  /** The whole lines so far, as a copy. */
  take(): EncodedRecords {
    const bytes = this.#buffer.slice(0, this.#lineStart)
    const baseOffset = this.#baseOffset
    const endOffset = baseOffset + this.#lineCount
    this.#buffer.copyWithin(0, this.#lineStart, this.#length)
    this.#length -= this.#lineStart
    this.#lineStart = 0
    this.#baseOffset = endOffset
    const recordCount = this.#lineCount
    this.#lineCount = 0
    return { framing: 'newline', bytes, baseOffset, endOffset, recordCount, baseTimestamp: Number.NaN }
  }

  #extendLine(part: Uint8Array): void {
    const room = this.#lineStart + LINE_BYTES_KEPT - this.#length
    this.#append(part.length > room ? part.subarray(0, room) : part)
  }

  #endLine(): void {
    this.#append(LINE_END)
    this.#lineStart = this.#length
    this.#lineCount++
  }

  #append(part: Uint8Array): void {
    const needed = this.#length + part.length
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.#buffer.length))
      grown.set(this.#buffer.subarray(0, this.#length))
      this.#buffer = grown
    }
    this.#buffer.set(part, this.#length)
    this.#length = needed
  }
}

const LINE_END = Uint8Array.of(LINE_FEED)

/** Line feeds in `bytes[start, end]`. */
function countLines(bytes: Uint8Array, start: number, end: number): number {
  let count = 0
  for (let at = start; at <= end; count++) at = bytes.indexOf(LINE_FEED, at) + 1
  return count
}
