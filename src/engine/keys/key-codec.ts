import { unreachable } from '../../base/assert.ts'
import type { ByteWriter } from '../../base/bytes.ts'
import { BOOLEAN_NULL, type Column } from '../../batch/column.ts'
import type { FieldType } from '../../batch/schema.ts'
import type { ColumnBuilder } from '../column-builder.ts'

/*
 * Key values as bytes whose order is the order of the values, nulls first, so that results and state can be sorted by bytes alone.
 *
 *   null      00
 *   text      01, the bytes with 00 written as 00 FF, then 00 00
 *   number    01, the double big-endian, sign bit flipped, all bits flipped when negative
 *   boolean   01, one byte        uuid  01, sixteen bytes
 */
const NULL = 0
const VALUE = 1
/** No `Date` is further from 1970. */
const TIME_MAX_MS = 8.64e15

const scratch = new DataView(new ArrayBuffer(8))

/** Appends the value of one row. */
export function encodeKeyPart(writer: ByteWriter, column: Column, row: number): void {
  switch (column.kind) {
    case 'dictionary': {
      const code = column.codes[row] as number
      encodeText(writer, code < 0 ? undefined : column.dictionary.bytes(code))
      break
    }
    case 'string': {
      const start = column.starts[row] as number
      const length = column.lengths[row] as number
      encodeText(writer, length < 0 ? undefined : column.data.subarray(start, start + length))
      break
    }
    case 'number':
      encodeNumber(writer, column.values[row] as number)
      break
    case 'int32':
      encodeNumber(writer, column.validity[row] === 0 ? Number.NaN : (column.values[row] as number))
      break
    case 'boolean':
      encodeBytes(writer, column.values[row] === BOOLEAN_NULL ? undefined : column.values.subarray(row, row + 1))
      break
    case 'uuid':
      encodeBytes(writer, column.validity[row] === 0 ? undefined : column.bytes.subarray(row * 16, row * 16 + 16))
      break
    default:
      unreachable(column)
  }
}

/** Whether the bytes are one value of a type and nothing else, not null. */
export function holdsKeyPart(bytes: Uint8Array, type: FieldType): boolean {
  if (bytes[0] !== VALUE) return false
  switch (type) {
    case 'string':
    case 'json':
      return bytes.length >= 3 && bytes.at(-1) === 0 && bytes.at(-2) === 0
    case 'boolean':
      return bytes.length === 2
    case 'uuid':
      return bytes.length === 17
    case 'timestamp':
      return bytes.length === 9 && Math.abs(decodeNumber(bytes, 1)) <= TIME_MAX_MS
    default:
      return bytes.length === 9
  }
}

function encodeText(writer: ByteWriter, bytes: Uint8Array | undefined): void {
  if (!bytes) {
    writer.u8(NULL)
    return
  }
  writer.u8(VALUE)
  let from = 0
  for (let index = bytes.indexOf(0); index >= 0; index = bytes.indexOf(0, index + 1)) {
    writer.raw(bytes.subarray(from, index + 1))
    writer.u8(0xff)
    from = index + 1
  }
  writer.raw(from === 0 ? bytes : bytes.subarray(from))
  writer.u8(0)
  writer.u8(0)
}

/**
 * Makes a key of a text of `length` bytes that stands in `key` from 1 on; gives the key's length, or -1 when the text has to be escaped or
 * is too long for the array.
 */
export function framePlainText(key: Uint8Array, length: number): number {
  const end = length + 1
  if (end + 2 > key.length) return -1
  for (let index = 1; index < end; index++) if (key[index] === 0) return -1
  key[0] = VALUE
  key[end] = 0
  key[end + 1] = 0
  return end + 2
}

/** Values of a fixed length. */
function encodeBytes(writer: ByteWriter, bytes: Uint8Array | undefined): void {
  writer.u8(bytes ? VALUE : NULL)
  if (bytes) writer.raw(bytes)
}

/** NaN is null. */
function encodeNumber(writer: ByteWriter, value: number): void {
  if (Number.isNaN(value)) {
    writer.u8(NULL)
    return
  }
  // -0 and 0 are one value.
  scratch.setFloat64(0, value + 0)
  const negative = value < 0
  writer.u8(VALUE)
  for (let index = 0; index < 8; index++) {
    const byte = scratch.getUint8(index)
    writer.u8(negative ? byte ^ 0xff : index === 0 ? byte ^ 0x80 : byte)
  }
}

/** A column that grows by one value at a time. */
export type KeyPartTarget = Pick<ColumnBuilder, 'field' | 'null' | 'number' | 'boolean' | 'bytes'>

/** Appends the value that begins at a position to a column; gives where the next one begins. */
export function decodeKeyPart(
  builder: KeyPartTarget,
  key: Uint8Array,
  at: number,
  keyEnd: number = key.length,
): number {
  if (key[at] === NULL) {
    builder.null()
    return at + 1
  }
  const start = at + 1
  switch (builder.field.type) {
    case 'string':
    case 'json':
      return decodeText(builder, key, start, keyEnd)
    case 'boolean':
      builder.boolean(key[start] === 1)
      return start + 1
    case 'uuid':
      builder.bytes(key, start, start + 16)
      return start + 16
    default:
      builder.number(decodeNumber(key, start))
      return start + 8
  }
}

function decodeText(builder: KeyPartTarget, key: Uint8Array, start: number, keyEnd: number): number {
  let end = start
  let escapes = 0
  while (end < keyEnd && (key[end] !== 0 || key[end + 1] !== 0)) {
    if (key[end] === 0) {
      escapes++
      end++
    }
    end++
  }
  if (escapes === 0) builder.bytes(key, start, end)
  else builder.bytes(unescaped(key.subarray(start, end), escapes))
  return end + 2
}

function unescaped(bytes: Uint8Array, escapes: number): Uint8Array {
  const plain = new Uint8Array(bytes.length - escapes)
  let to = 0
  for (let index = 0; index < bytes.length; index++) {
    plain[to++] = bytes[index] as number
    if (bytes[index] === 0) index++
  }
  return plain
}

function decodeNumber(key: Uint8Array, start: number): number {
  const negative = ((key[start] as number) & 0x80) === 0
  for (let index = 0; index < 8; index++) {
    const byte = key[start + index] as number
    scratch.setUint8(index, negative ? byte ^ 0xff : index === 0 ? byte ^ 0x80 : byte)
  }
  return scratch.getFloat64(0)
}
