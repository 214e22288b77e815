import { readFully, withFile } from '../base/file-io.ts'
import type { FileSystem, OpenFile } from '../base/file-system.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import type { FramePool } from './frame-pool.ts'
import {
  BATCH_HEADER_BYTES,
  checkOffset,
  damaged,
  decodeBatchHeader,
  type RecordBatchHeader,
  recordsOf,
  walkBatches,
} from './record-batch.ts'
import { type BatchPosition, SparseIndex } from './sparse-index.ts'

/** File name of a segment: its first offset in 20 digits, as Kafka's tools expect it. */
export function segmentName(baseOffset: number): string {
  return `${String(baseOffset).padStart(20, '0')}.log`
}

/** First offset of a segment by its file name; undefined for other files. */
export function segmentBaseOf(name: string): number | undefined {
  return /^\d{20}\.log$/.test(name) ? Number(name.slice(0, 20)) : undefined
}

/**
 * Reads one segment file: batches one behind the other, without gaps in offsets. The file is opened for each read, so that retention may
 * remove it at any time.
 */
export class Segment {
  readonly baseOffset: number
  readonly path: string
  readonly #fileSystem: FileSystem
  readonly #index: SparseIndex
  /** Where the last read ended: a reader that goes on there need not search. */
  #lastEnd: BatchPosition

  readonly #frames: FramePool

  constructor(folder: string, baseOffset: number, fileSystem: FileSystem, frames: FramePool) {
    this.baseOffset = baseOffset
    this.path = `${folder}/${segmentName(baseOffset)}`
    this.#fileSystem = fileSystem
    this.#frames = frames
    this.#index = new SparseIndex(baseOffset)
    this.#lastEnd = { offset: baseOffset, position: 0 }
  }

  /**
   * Records from the batch that holds `fromOffset` on, about `bytesMax` of them, at least one batch. `endPosition` is how far the file
   * may be read; without it the segment is closed and read to its end.
   */
  read(fromOffset: number, bytesMax: number, endPosition?: number): Promise<readonly EncodedRecords[]> {
    return withFile(this.path, this.#fileSystem, async (file) => {
      const end = endPosition ?? (await file.size())
      const start = await this.#locate(file, fromOffset, end)
      const bytes = await this.#bytesFrom(file, start.position, end, bytesMax)
      try {
        return this.#recordsIn(bytes, start)
      } finally {
        this.#frames.release(bytes)
      }
    })
  }

  /** Bytes on disk. */
  size(): Promise<number> {
    return withFile(this.path, this.#fileSystem, (file) => file.size())
  }

  #recordsIn(bytes: Uint8Array, start: BatchPosition): EncodedRecords[] {
    const found: EncodedRecords[] = []
    for (const batch of walkBatches(bytes, this.path, start.position, start.offset)) {
      const records = recordsOf(batch, this.path)
      if (records) found.push(this.#frames.hold(records))
      this.#lastEnd = { offset: batch.header.endOffset, position: batch.position + batch.bytes.length }
      this.#index.add(this.#lastEnd)
    }
    return found
  }

  /** One read in nearly all cases; a batch that is larger than `bytesMax` takes a second one. */
  async #bytesFrom(file: OpenFile, position: number, end: number, bytesMax: number): Promise<Uint8Array> {
    const wanted = Math.min(Math.max(bytesMax, BATCH_HEADER_BYTES), end - position)
    const bytes = await this.#readFrame(file, position, wanted)
    const { sizeBytes } = this.#headerAt(bytes, 0, position)
    if (sizeBytes <= bytes.length) return bytes
    this.#frames.release(bytes)
    const left = end - position
    const whole = await this.#readFrame(file, position, Math.min(sizeBytes, left))
    if (whole.length < sizeBytes)
      throw damaged(this.path, position, `${whole.length} of its ${sizeBytes} bytes are there`)
    return whole
  }

  #readFrame(file: OpenFile, position: number, length: number): Promise<Uint8Array> {
    return readFully(file, this.path, position, length, this.#frames.take(length))
  }

  /** Walks from the nearest batch that is known to the one that holds the offset. */
  async #locate(file: OpenFile, fromOffset: number, end: number): Promise<BatchPosition> {
    let { offset, position } = this.#nearest(fromOffset)
    while (position < end) {
      const window = await readFully(file, this.path, position, Math.min(WALK_BYTES, end - position))
      let at = 0
      do {
        const header = this.#headerAt(window, at, position)
        checkOffset(header, offset, this.path, position + at)
        if (header.endOffset > fromOffset) return { offset, position: position + at }
        at += header.sizeBytes
        offset = header.endOffset
        this.#index.add({ offset, position: position + at })
      } while (window.length - at >= BATCH_HEADER_BYTES)
      position += at
    }
    throw damaged(this.path, position, `the file ends there with offset ${offset}, and ${fromOffset} should be in it`)
  }

  #nearest(offset: number): BatchPosition {
    const indexed = this.#index.floor(offset)
    return this.#lastEnd.offset <= offset && this.#lastEnd.position > indexed.position ? this.#lastEnd : indexed
  }

  #headerAt(bytes: Uint8Array, at: number, origin: number): RecordBatchHeader {
    const header = decodeBatchHeader(bytes, at, this.path, origin)
    if (!header) throw damaged(this.path, origin + at, 'the file ends in its header')
    return header
  }
}

/** Small batches are walked many at a time, large ones with a header each. */
const WALK_BYTES = 64 * 1024
