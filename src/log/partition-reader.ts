import { isMissing, MillraceError } from '../base/error.ts'
import { attempt } from '../base/file-io.ts'
import type { FileSystem } from '../base/file-system.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import type { FramePool } from './frame-pool.ts'
import { checkReadable } from './log-error.ts'
import type { PublishedEnd } from './published-end.ts'
import { Segment, segmentBaseOf } from './segment.ts'

/** First offsets of the segments in a partition's folder, in order. */
export async function listSegments(folder: string, fileSystem: FileSystem): Promise<number[]> {
  const names = await attempt('list', folder, () => fileSystem.readdir(folder))
  const bases = names.map(segmentBaseOf).filter((base) => base !== undefined)
  return bases.toSorted((left, right) => left - right)
}

/** Reads a partition's folder up to its published end, the same way inside the writing process and in others. */
export class PartitionReader {
  readonly #folder: string
  /** Such as `events-0`, for errors. */
  readonly #what: string
  readonly #fileSystem: FileSystem
  readonly #published: () => Promise<PublishedEnd>
  #segments: Segment[] = []

  readonly #frames: FramePool

  constructor(
    folder: string,
    what: string,
    fileSystem: FileSystem,
    frames: FramePool,
    published: () => Promise<PublishedEnd>,
  ) {
    this.#folder = folder
    this.#what = what
    this.#fileSystem = fileSystem
    this.#frames = frames
    this.#published = published
  }

  /** See `Log.read`. Ends at the end of a segment; the next read goes on in the next one. */
  async read(fromOffset: number, bytesMax: number): Promise<readonly EncodedRecords[]> {
    for (;;) {
      const end = await this.#published()
      checkReadable(this.#what, fromOffset, { start: end.startOffset, end: end.endOffset })
      if (fromOffset === end.endOffset) return []
      const segment = await this.#segmentOf(fromOffset, end)
      try {
        return await segment.read(fromOffset, bytesMax, isOpen(segment, end) ? end.segmentBytes : undefined)
      } catch (error) {
        // Retention may have removed the file since; then the start has moved on, and the next round says what that means.
        if (!isMissing(error) || (await this.#published()).startOffset === end.startOffset) throw error
      }
    }
  }

  /** Bytes of all segments. */
  async sizeBytes(): Promise<number> {
    const end = await this.#published()
    await this.#refresh()
    const closed = this.#segments.filter((segment) => segment.baseOffset < end.segmentBase)
    const sizes = await Promise.all(closed.map((segment) => segment.size().catch(zeroIfMissing)))
    return sizes.reduce((total, size) => total + size, end.segmentBytes)
  }

  async #segmentOf(offset: number, end: PublishedEnd): Promise<Segment> {
    const newest = this.#segments.at(-1)
    if (!newest || newest.baseOffset < end.segmentBase) await this.#refresh()
    const segment = this.#segments.findLast((each) => each.baseOffset <= offset)
    if (segment) return segment
    throw new MillraceError('corrupt-data', `${this.#folder} has no segment that holds offset ${offset}`, {
      hint: 'a file was removed: restore it from a backup, or remove the topic and produce it again',
    })
  }

  /** Keeps what is known about segments that are still there. */
  async #refresh(): Promise<void> {
    const known = new Map(this.#segments.map((segment) => [segment.baseOffset, segment]))
    const bases = await listSegments(this.#folder, this.#fileSystem)
    this.#segments = bases.map(
      (base) => known.get(base) ?? new Segment(this.#folder, base, this.#fileSystem, this.#frames),
    )
  }
}

function isOpen(segment: Segment, end: PublishedEnd): boolean {
  return segment.baseOffset === end.segmentBase
}

function zeroIfMissing(error: unknown): number {
  if (isMissing(error)) return 0
  throw error
}
