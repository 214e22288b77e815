import { assert } from '../base/assert.ts'
import { ByteReader, ByteWriter } from '../base/bytes.ts'
import { BOOLEAN_NULL, type Column } from './column.ts'
import type { ResultBatch } from './result-batch.ts'
import type { Field } from './schema.ts'

/*
 * Rows as bytes, exactly: what `encodeRows` writes, `decodeRows` puts together again, several pieces into one batch.
 *
 *   rowCount u32 | for each column:
 *     text and JSON   per row: length + 1 varint (0 is null), bytes
 *     uuid            per row: 16 bytes | per row: validity u8
 *     numbers         per row: f64 (NaN is null)
 *     int32           per row: u32 | per row: validity u8
 *     boolean         per row: u8 (255 is null)
 *
 * Numbers are little-endian. Whoever reads has to know the columns.
 */

/** Rows as bytes. Dictionaries are not kept: their values are. */
export function encodeRows(rows: ResultBatch): Uint8Array {
  const writer = new ByteWriter(4096)
  writer.u32(rows.rowCount)
  for (const column of rows.columns) writeColumn(writer, column, rows.rowCount)
  return writer.finish()
}

/** The rows of all pieces, one behind the other. Throws `corrupt-data` when a piece ends too early; `what` names them in errors. */
export function decodeRows(pieces: readonly Uint8Array[], fields: readonly Field[], what: string): ResultBatch {
  const readers = pieces.map((piece) => new ByteReader(piece, what))
  const counts = readers.map((reader) => reader.u32())
  const rowCount = counts.reduce((sum, count) => sum + count, 0)
  const columns = fields.map((field) => readColumn(readers, counts, rowCount, field))
  for (const reader of readers) assert(reader.remaining === 0, `${what} has the columns that it is read with`)
  return { fields, columns, rowCount }
}

function writeColumn(writer: ByteWriter, column: Column, rowCount: number): void {
  switch (column.kind) {
    case 'dictionary':
      writeTexts(writer, rowCount, (row) => {
        const code = column.codes[row] as number
        return code < 0 ? undefined : column.dictionary.bytes(code)
      })
      break
    case 'string':
      writeTexts(writer, rowCount, (row) => {
        const [start, length] = [column.starts[row] as number, column.lengths[row] as number]
        return length < 0 ? undefined : column.data.subarray(start, start + length)
      })
      break
    case 'uuid':
      writer.raw(column.bytes.subarray(0, 16 * rowCount))
      writer.raw(column.validity.subarray(0, rowCount))
      break
    case 'number':
      for (let row = 0; row < rowCount; row++) writer.f64(column.values[row] as number)
      break
    case 'int32':
      for (let row = 0; row < rowCount; row++) writer.u32((column.values[row] as number) >>> 0)
      writer.raw(column.validity.subarray(0, rowCount))
      break
    case 'boolean':
      writer.raw(column.values.subarray(0, rowCount))
      break
  }
}

function writeTexts(writer: ByteWriter, rowCount: number, text: (row: number) => Uint8Array | undefined): void {
  for (let row = 0; row < rowCount; row++) {
    const bytes = text(row)
    writer.varint(bytes ? bytes.length + 1 : 0)
    if (bytes) writer.raw(bytes)
  }
}

function readColumn(readers: readonly ByteReader[], counts: readonly number[], rowCount: number, field: Field): Column {
  switch (field.type) {
    case 'string':
    case 'json':
      return readTexts(readers, counts, rowCount)
    case 'uuid': {
      const [bytes, validity] = [new Uint8Array(16 * rowCount), new Uint8Array(rowCount)]
      eachPiece(readers, counts, (reader, at, count) => {
        bytes.set(reader.raw(16 * count), 16 * at)
        validity.set(reader.raw(count), at)
      })
      return { kind: 'uuid', bytes, validity }
    }
    case 'int32': {
      const [values, validity] = [new Int32Array(rowCount), new Uint8Array(rowCount)]
      eachPiece(readers, counts, (reader, at, count) => {
        for (let row = 0; row < count; row++) values[at + row] = reader.u32()
        validity.set(reader.raw(count), at)
      })
      return { kind: 'int32', values, validity }
    }
    case 'boolean': {
      const values = new Uint8Array(rowCount).fill(BOOLEAN_NULL)
      eachPiece(readers, counts, (reader, at, count) => values.set(reader.raw(count), at))
      return { kind: 'boolean', values }
    }
    default: {
      const values = new Float64Array(rowCount)
      eachPiece(readers, counts, (reader, at, count) => {
        for (let row = 0; row < count; row++) values[at + row] = reader.f64()
      })
      return { kind: 'number', values }
    }
  }
}

function readTexts(readers: readonly ByteReader[], counts: readonly number[], rowCount: number): Column {
  const [starts, lengths] = [new Int32Array(rowCount), new Int32Array(rowCount)]
  const data = new ByteWriter(4096)
  eachPiece(readers, counts, (reader, at, count) => {
    for (let row = at; row < at + count; row++) {
      const length = reader.varint() - 1
      starts[row] = data.length
      lengths[row] = length
      if (length > 0) data.raw(reader.raw(length))
    }
  })
  return { kind: 'string', data: data.finish(), starts, lengths }
}

function eachPiece(
  readers: readonly ByteReader[],
  counts: readonly number[],
  read: (reader: ByteReader, at: number, count: number) => void,
): void {
  let at = 0
  for (const [index, reader] of readers.entries()) {
    const count = counts[index] as number
    read(reader, at, count)
    at += count
  }
}
