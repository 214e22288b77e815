// Walks over the records section of an uncompressed Kafka record batch v2:
//
//     length | attributes i8 | timestampDelta | offsetDelta | keyLength | key | valueLength | value | headerCount | headers
//
// Everything but the attributes is a zigzag varint of up to 10 bytes; a length of -1 is a null. Keys and headers are skipped.
// Numbers are doubles here, as they are for the host: exact up to 2^53, and of the same size beyond.

import { addRow, hasRoom, readValue, setValue } from './framing'

/** There are more rows than there is room for. */
const TOO_MANY: i32 = -1
const VARINT_SCALE_MAX: f64 = 9223372036854775808.0

let at: usize = 0
let sectionEnd: usize = 0
/** The varint read last. */
let number: f64 = 0
/** Of the record read last. */
let timestampDelta: f64 = 0
let offsetDelta: f64 = 0
let valueStart: usize = 0
/** -1 for null. */
let valueLength: f64 = 0

let damagedAt: i32 = -1
let nextOffset: f64 = 0

/** Where the record begins that could not be read, as a position in the input; -1 when all could. */
export function damagedPosition(): i32 {
  return damagedAt
}

/** The offset that follows the last record that could be read. */
export function offsetBehind(): f64 {
  return nextOffset
}

/**
 * Reads `recordCount` records of `length` bytes at `input`, those with offsets from `fromOffset` on and before `toOffset`. Gives
 * the number of rows, -1 when they are too many. `appendTimestamp` stands for every record's time unless it is NaN.
 */
export function readRecords(
  input: usize,
  length: usize,
  recordCount: f64,
  baseOffset: f64,
  fromOffset: f64,
  toOffset: f64,
  baseTimestamp: f64,
  appendTimestamp: f64,
): i32 {
  at = input
  sectionEnd = input + length
  damagedAt = -1
  nextOffset = baseOffset
  let row: u32 = 0
  for (let count: f64 = 0; count < recordCount; count += 1) {
    const start = at
    if (!nextRecord()) {
      damagedAt = <i32>(min(start, sectionEnd) - input)
      return row
    }
    const offset = baseOffset + offsetDelta
    nextOffset = offset + 1
    if (offset >= toOffset) return row
    if (offset < fromOffset) continue
    if (!hasRoom(row)) return TOO_MANY
    const timeMs = isNaN(appendTimestamp) ? baseTimestamp + timestampDelta : appendTimestamp
    addRow(row, offset, timeMs >= 0 ? timeMs : NaN)
    const valueBytes = valueLength < 0 ? 0 : <usize>valueLength
    setValue(row, valueStart - input, valueBytes)
    readValue(row, valueStart, valueBytes)
    row++
  }
  return row
}

/** Reads the next record. False when the bytes cannot be one. */
function nextRecord(): bool {
  if (!varint()) return false
  const recordEnd = <f64>at + number
  if (recordEnd > <f64>sectionEnd) return false
  at++
  if (!varint()) return false
  timestampDelta = number
  if (!varint()) return false
  offsetDelta = number
  if (!varint()) return false
  if (<f64>at + max(0, number) >= recordEnd) return false
  at += <usize>max(0, number)
  if (!varint()) return false
  valueStart = at
  valueLength = number
  if (number < -1 || <f64>at + max(0, number) >= recordEnd) return false
  at = <usize>recordEnd
  return true
}

@inline
function varint(): bool {
  const byte = <u32>load<u8>(at)
  if (byte >= 0x80) return longVarint()
  at++
  number = <f64>zigzag(byte)
  return at <= sectionEnd
}

@inline
function zigzag(bits: u32): i32 {
  return (bits >> 1) ^ -(bits & 1)
}

function longVarint(): bool {
  const second = <u32>load<u8>(at, 1)
  if (second < 0x80 && at + 1 < sectionEnd) {
    number = <f64>zigzag((load<u8>(at) & 0x7f) | (second << 7))
    at += 2
    return true
  }
  let byte = <u32>load<u8>(at++)
  let value = <f64>(byte & 0x7f)
  for (let scale: f64 = 128; byte >= 0x80; scale *= 128) {
    if (scale > VARINT_SCALE_MAX || at >= sectionEnd) return false
    byte = load<u8>(at++)
    value += <f64>(byte & 0x7f) * scale
  }
  const half = floor(value / 2)
  number = half * 2 == value ? half : -(value + 1) / 2
  return at <= sectionEnd
}
