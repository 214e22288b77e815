/**
 * Checksummed records, one behind the other, as journals keep them:
 *
 *     length u32 | crc32c u32 | type u8 | payload
 *
 * Numbers are little-endian. `length` counts type and payload; the checksum covers length, type and payload, so that a zeroed or shifted
 * stretch of a file is no record.
 */
import { assert } from './assert.ts'
import { crc32c } from './crc32c.ts'
import { MillraceError } from './error.ts'

/** One record, where it stands in its file. */
export interface FileRecord {
  /** Where in the file the record begins. */
  readonly position: number
  /** 0 to 255; what it means is the caller's affair. */
  readonly type: number
  /** A view of the bytes that were scanned. */
  readonly payload: Uint8Array
}

/** What a file of records holds. */
export interface ScannedRecords {
  readonly records: readonly FileRecord[]
  /** Length of the file up to which every record is whole. What lies behind is a torn last record: cut it off before appending. */
  readonly validLength: number
  readonly tornBytes: number
}

/** One record as bytes, ready to append. Records that belong together are appended with one call. */
export function encodeRecord(type: number, payload: Uint8Array): Uint8Array {
  assert(Number.isInteger(type) && type >= 0 && type <= 255, 'a record type is a byte')
  const bytes = new Uint8Array(HEADER_BYTES + 1 + payload.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 1 + payload.length, true)
  bytes[HEADER_BYTES] = type
  bytes.set(payload, HEADER_BYTES + 1)
  view.setUint32(4, checksum(bytes, 0, bytes.length), true)
  return bytes
}

/**
 * All records of a file. A last record that a crash cut short is left out and counted in `tornBytes`. A bad record before a valid one is
 * no torn write but damage: throws `corrupt-data`. `path` is for errors.
 */
export function scanRecords(bytes: Uint8Array, path: string): ScannedRecords {
  const records: FileRecord[] = []
  let position = 0
  for (let end = recordEnd(bytes, position); end > 0; end = recordEnd(bytes, position)) {
    const typeAt = position + HEADER_BYTES
    records.push({ position, type: bytes[typeAt], payload: bytes.subarray(typeAt + 1, end) })
    position = end
  }
  for (let later = position + 1; later < bytes.length; later++) {
    if (recordEnd(bytes, later) > 0) throw damaged(path, position, later)
  }
  return { records, validLength: position, tornBytes: bytes.length - position }
}

const HEADER_BYTES = 8

/** Where the record at a position ends, or -1 when there is no valid one. */
function recordEnd(bytes: Uint8Array, position: number): number {
  const left = bytes.length - position
  if (left <= HEADER_BYTES) return -1
  const view = new DataView(bytes.buffer, bytes.byteOffset + position, HEADER_BYTES)
  const length = view.getUint32(0, true)
  if (length === 0 || length > left - HEADER_BYTES) return -1
  const end = position + HEADER_BYTES + length
  return checksum(bytes, position, end) === view.getUint32(4, true) ? end : -1
}

/** Of length, type and payload of the record in [position, end). */
function checksum(bytes: Uint8Array, position: number, end: number): number {
  return crc32c(bytes.subarray(position + HEADER_BYTES, end), crc32c(bytes.subarray(position, position + 4)))
}

function damaged(path: string, position: number, later: number): MillraceError {
  return new MillraceError(
    'corrupt-data',
    `${path} is damaged: no valid record at byte ${position}, but one at ${later}`,
    {
      hint: 'the disk or another program changed the file: restore the folder from a backup, or start over with another --checkpoint folder and another --output',
    },
  )
}
