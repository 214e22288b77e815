/**
 * How far a partition may be read: written by the process that appends, into a small file next to the segments, and read by all others.
 *
 *     magic u32 | synced u32 | startOffset f64 | endOffset f64 | segmentBase f64 | segmentBytes f64 | crc32c u32
 *
 * It is rewritten in place, which costs no more than a system call; a reader that meets half of it sees that by the checksum and reads
 * again. It lies within one sector of the disk: after a power cut it is whole, and may be older than the truth, but never newer, because what it
 * points at was synced before.
 */
import { ByteReader, ByteWriter } from '../base/bytes.ts'
import { crc32c } from '../base/crc32c.ts'
import { writeDurableFile } from '../base/durable-file.ts'
import { attempt, readFileIfThere, syncFile, writeFully } from '../base/file-io.ts'
import type { FileSystem, OpenFile } from '../base/file-system.ts'

/** How far readers may read. */
export interface PublishedEnd {
  readonly startOffset: number
  /** Offset right behind the last record that may be read. */
  readonly endOffset: number
  /** First offset of the segment that is appended to, and how many of its bytes may be read; those before are closed. */
  readonly segmentBase: number
  readonly segmentBytes: number
  /** False when the log's policy is to sync never: a power cut may take readable records away. */
  readonly synced: boolean
}

/** The file in a partition's folder, opened by its writer. */
export class EndPublisher {
  readonly #path: string
  readonly #file: OpenFile

  private constructor(path: string, file: OpenFile) {
    this.#path = path
    this.#file = file
  }

  static async open(folder: string, fileSystem: FileSystem): Promise<EndPublisher> {
    const path = endPath(folder)
    return new EndPublisher(path, await attempt('open', path, () => fileSystem.open(path, 'r+')))
  }

  /** Other processes see it from now on. Calls do not overlap. */
  async publish(end: PublishedEnd): Promise<void> {
    await writeFully(this.#file, this.#path, [encodeEnd(end)], 0)
  }

  sync(): Promise<void> {
    return syncFile(this.#file, this.#path)
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

/** Puts a whole new file in place, durably: at creation and after recovery. */
export async function replacePublishedEnd(folder: string, end: PublishedEnd, fileSystem: FileSystem): Promise<void> {
  await writeDurableFile(endPath(folder), encodeEnd(end), { overwrite: true }, fileSystem)
}

/** Undefined when there is no such file or its content is damaged. */
export async function readPublishedEnd(folder: string, fileSystem: FileSystem): Promise<PublishedEnd | undefined> {
  for (let attempts = 0; attempts < READ_ATTEMPTS_MAX; attempts++) {
    const bytes = await readFileIfThere(endPath(folder), fileSystem)
    const end = bytes && decodeEnd(bytes)
    if (!bytes || end) return end
  }
  return undefined
}

const MAGIC = 0x4d4c4501
const CONTENT_BYTES = 40

/** Each is a few system calls long, far longer than the one write that it may have met. */
const READ_ATTEMPTS_MAX = 20

function endPath(folder: string): string {
  return `${folder}/published`
}

function encodeEnd(end: PublishedEnd): Uint8Array {
  const writer = new ByteWriter(CONTENT_BYTES + 4)
  writer.u32(MAGIC)
  writer.u32(end.synced ? 1 : 0)
  for (const value of [end.startOffset, end.endOffset, end.segmentBase, end.segmentBytes]) writer.f64(value)
  writer.u32(crc32c(writer.view()))
  return writer.finish()
}

function decodeEnd(bytes: Uint8Array): PublishedEnd | undefined {
  if (bytes.length !== CONTENT_BYTES + 4) return undefined
  const reader = new ByteReader(bytes, 'published end')
  if (reader.u32() !== MAGIC) return undefined
  const synced = reader.u32() === 1
  const [startOffset, endOffset, segmentBase, segmentBytes] = [reader.f64(), reader.f64(), reader.f64(), reader.f64()]
  if (crc32c(bytes.subarray(0, CONTENT_BYTES)) !== reader.u32()) return undefined
  return { startOffset, endOffset, segmentBase, segmentBytes, synced }
}
