import { ByteReader, type ByteWriter } from '../base/bytes.ts'
import { MillraceError } from '../base/error.ts'
import { SHARDS } from './keys/key-table.ts'

/** Version of the engine's part of a snapshot. */
const STATE_VERSION = 4

/** Every shard, in the order in which a snapshot has them. */
export const ALL_SHARDS: readonly number[] = Array.from({ length: SHARDS }, (_, shard) => shard)

/** Begins a snapshot: version and partitions. */
export function writeHead(writer: ByteWriter, partitionIds: readonly string[]): void {
  writer.varint(STATE_VERSION)
  writer.varint(partitionIds.length)
  for (const id of partitionIds) writer.text(id)
}

/** Reads what `writeHead` has written; gives the partitions. */
export function readHead(reader: ByteReader): string[] {
  const version = reader.varint()
  if (version !== STATE_VERSION) throw otherVersion(version)
  const ids: string[] = []
  for (let count = reader.count(); count > 0; count--) ids.push(reader.text())
  return ids
}

/** Writes a part under a name. */
export function section(writer: ByteWriter, id: string, write: (to: ByteWriter) => void): void {
  writer.text(id)
  const lengthAt = writer.length
  writer.u32(0)
  write(writer)
  writer.patchU32(lengthAt, writer.length - lengthAt - 4)
}

/** Opens the next part, which must have this name. */
export function openSection(reader: ByteReader, id: string): ByteReader {
  const found = reader.text()
  if (found !== id) throw misfit(`it has "${found}" where this pipeline has "${id}"`)
  return new ByteReader(reader.raw(reader.u32()), `the state of ${id}`)
}

/** Writes parts that are known by their number. */
export function writeTables(writer: ByteWriter, tables: readonly Uint8Array[]): void {
  writer.varint(tables.length)
  for (const table of tables) writer.bytes(table)
}

/** Reads what `writeTables` has written. */
export function readTables(reader: ByteReader): Uint8Array[] {
  const tables: Uint8Array[] = []
  for (let count = reader.count(); count > 0; count--) tables.push(reader.bytes())
  return tables
}

/** Throws when a snapshot holds more than was read. */
export function assertAllRead(reader: ByteReader): void {
  if (reader.remaining > 0) throw misfit('it holds more than this pipeline has')
}

function otherVersion(version: number): MillraceError {
  const message = `the saved state is of another version of Millrace: its format is ${version}, this one reads ${STATE_VERSION}`
  return new MillraceError('incompatible-state', message, {
    hint: 'go on with the version that wrote it, or start over with another --checkpoint folder and another --output',
  })
}

function misfit(detail: string): MillraceError {
  return new MillraceError('incompatible-state', `the saved state does not fit the pipeline: ${detail}`, {
    hint: 'start over with another --checkpoint folder and another --output',
  })
}
