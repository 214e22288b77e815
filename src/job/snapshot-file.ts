import { decodeText, encodeText } from '../base/bytes.ts'
import { crc32c } from '../base/crc32c.ts'
import { writeDurableFile } from '../base/durable-file.ts'
import { MillraceError } from '../base/error.ts'
import { readFully, withFile } from '../base/file-io.ts'
import type { FileSystem } from '../base/file-system.ts'
import type { CheckpointIdentity, PartitionPosition } from './checkpoint-identity.ts'
import type { TotalsData } from './totals.ts'

/*
 * A snapshot: everything that the next epoch starts from, in one file that gets its name when it is complete.
 *
 *   0  magic "MILLSNAP"
 *   8  format version u32
 *  12  header length u32 | crc32c u32 | header (JSON)
 *   .  state length u32  | crc32c u32 | state of the engine
 *   .  total length u32
 *
 * Numbers are little-endian.
 */
const MAGIC = encodeText('MILLSNAP')
const FORMAT_VERSION = 1
const PREFIX_BYTES = 12
const SECTION_PREFIX_BYTES = 8
const FOOTER_BYTES = 4

/** State between two epochs. */
export interface Snapshot {
  readonly header: SnapshotHeader
  readonly engineState: Uint8Array
}

/** Plain JSON data. */
export interface SnapshotHeader {
  readonly identity: CheckpointIdentity
  /** Key of persisted hashes, drawn when the checkpoint was made. */
  readonly hashKey: readonly [number, number]
  /** The epoch that the state is after; 0 before the first. */
  readonly epoch: number
  readonly fence: number
  /** Clock of the epoch's plan, ms. */
  readonly clockMs: number
  readonly partitions: readonly PartitionPosition[]
  readonly totals: TotalsData
  /** Committed bytes of the dead-letter files, see `DeadLetterFile`. */
  readonly deadLetters: readonly (readonly [string, number])[]
  /** The run has closed all its windows early and must not be continued. */
  readonly flushed: boolean
}

/** The file names of snapshots, and the epoch in them. */
export const SNAPSHOT_NAME: RegExp = /^snapshot-(\d{15})\.bin$/

/** The file name of the snapshot after an epoch. */
export function snapshotName(epoch: number): string {
  return `snapshot-${String(epoch).padStart(15, '0')}.bin`
}

/** Writes a snapshot durably; gives its size in bytes. */
export async function writeSnapshot(path: string, snapshot: Snapshot, fileSystem: FileSystem): Promise<number> {
  const header = encodeText(JSON.stringify(snapshot.header))
  const state = snapshot.engineState
  const total = PREFIX_BYTES + 2 * SECTION_PREFIX_BYTES + header.length + state.length + FOOTER_BYTES
  const prefix = new Uint8Array(PREFIX_BYTES)
  prefix.set(MAGIC)
  new DataView(prefix.buffer).setUint32(8, FORMAT_VERSION, true)
  // In pieces: the state can be large, and is not copied.
  const pieces = [
    prefix,
    u32s(header.length, crc32c(header)),
    header,
    u32s(state.length, crc32c(state)),
    state,
    u32s(total),
  ]
  await writeDurableFile(path, pieces, { overwrite: true }, fileSystem)
  return total
}

/** Throws `corrupt-data` when a byte is not as it was written, `incompatible-state` for another format version. */
export async function readSnapshot(path: string, fileSystem: FileSystem): Promise<Snapshot> {
  const bytes = await withFile(path, fileSystem, async (file) => readFully(file, path, 0, await file.size()))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (
    bytes.length < PREFIX_BYTES + FOOTER_BYTES ||
    view.getUint32(bytes.length - FOOTER_BYTES, true) !== bytes.length
  ) {
    throw damaged(path, 'its length is not what its end says')
  }
  if (!MAGIC.every((byte, index) => bytes[index] === byte)) throw damaged(path, 'it does not begin like a snapshot')
  const version = view.getUint32(8, true)
  if (version !== FORMAT_VERSION) {
    throw new MillraceError(
      'incompatible-state',
      `${path} has snapshot format ${version}, this version reads ${FORMAT_VERSION}`,
      {
        hint: 'use the version of millrace that wrote it, or start over with another --checkpoint folder and another --output',
      },
    )
  }
  const header = readSection(bytes, view, PREFIX_BYTES, path)
  const stateAt = PREFIX_BYTES + SECTION_PREFIX_BYTES + header.length
  const state = readSection(bytes, view, stateAt, path)
  if (stateAt + SECTION_PREFIX_BYTES + state.length + FOOTER_BYTES !== bytes.length)
    throw damaged(path, 'it has bytes to spare')
  return { header: JSON.parse(decodeText(header)) as SnapshotHeader, engineState: state }
}

function u32s(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length)
  const view = new DataView(bytes.buffer)
  for (const [index, value] of values.entries()) view.setUint32(4 * index, value, true)
  return bytes
}

function readSection(bytes: Uint8Array, view: DataView, at: number, path: string): Uint8Array {
  const end = bytes.length - FOOTER_BYTES
  if (at + SECTION_PREFIX_BYTES > end) throw damaged(path, 'a section is missing')
  const length = view.getUint32(at, true)
  const start = at + SECTION_PREFIX_BYTES
  if (start + length > end) throw damaged(path, 'a section is cut off')
  const section = bytes.subarray(start, start + length)
  if (crc32c(section) !== view.getUint32(at + 4, true))
    throw damaged(path, `the checksum at byte ${at + 4} does not match`)
  return section
}

function damaged(path: string, detail: string): MillraceError {
  return new MillraceError('corrupt-data', `the snapshot ${path} is damaged: ${detail}`, {
    hint: 'an older snapshot is used when there is one; check the disk',
  })
}
