// Cuts the input into rows and reads them. What the host has to look at again goes into a list of rows.

import { CARRIAGE_RETURN, LINE_FEED, splat } from './characters'
import { beginRow, beginRows } from './column'
import { beginNewTexts } from './new-text'
import { beginInput, readRow } from './row'
import { beginScratch } from './scratch-text'

/** Bytes of one event, as in `../batch.ts`. */
const EVENT_BYTES_MAX: usize = 1 << 20
/** There are more rows than there is room for. */
const TOO_MANY: i32 = -1

let rowsMax: u32 = 0
let offsets: usize = 0
let recordTimes: usize = 0
let valueStarts: usize = 0
let valueLengths: usize = 0
let unreadRows: usize = 0
/** Rows that the host has to read. */
let unreadCount: u32 = 0

/** Takes the addresses of what is known of each row, for at most `max` rows. */
export function prepareRows(max: u32, offset: usize, time: usize, starts: usize, lengths: usize, unread: usize): void {
  rowsMax = max
  offsets = offset
  recordTimes = time
  valueStarts = starts
  valueLengths = lengths
  unreadRows = unread
}

/** How many rows of the batch the host has to read; their numbers are in the list of unread rows. */
export function unreadRowCount(): u32 {
  return unreadCount
}

/** Begins a batch of `length` bytes at `input`, followed by 64 zeros. */
export function beginBatch(input: usize, length: usize, texts: usize, rests: usize): void {
  unreadCount = 0
  beginInput(input, length)
  beginScratch(texts, rests)
  beginRows()
  beginNewTexts()
}

/** Begins a row, as null in every column. Rows are added one by one. */
@inline
export function addRow(row: u32, offset: f64, recordTimeMs: f64): void {
  beginRow(row)
  store<f64>(offsets + (row << 3), offset)
  store<f64>(recordTimes + (row << 3), recordTimeMs)
}

/** Sets where a row's value stands: its position in the input, and its length. */
@inline
export function setValue(row: u32, start: usize, length: usize): void {
  store<u32>(valueStarts + (row << 2), start)
  store<u32>(valueLengths + (row << 2), length)
}

/** Leaves a row to the host. */
export function leaveUnread(row: u32): void {
  store<u32>(unreadRows + (unreadCount << 2), row)
  unreadCount++
}

/** Whether there is room for this row. */
export function hasRoom(row: u32): bool {
  return row < rowsMax
}

/**
 * Reads the lines of `length` bytes at `input`, with offsets counting from `baseOffset` on, those from `fromOffset` on and before
 * `toOffset`. Gives the number of rows, -1 when they are too many. A line feed is put behind the input.
 */
export function readLines(input: usize, length: usize, baseOffset: f64, fromOffset: f64, toOffset: f64): i32 {
  const inputEnd = input + length
  store<u8>(inputEnd, <u8>LINE_FEED)
  let row: u32 = 0
  let offset = baseOffset
  let at = input
  for (; at < inputEnd && offset < toOffset; offset += 1) {
    if (offset < fromOffset) {
      at = lineFeedFrom(at) + 1
      continue
    }
    if (row == rowsMax) return TOO_MANY
    addRow(row, offset, NaN)
    at = readLine(row, at, input, inputEnd) + 1
    row++
  }
  return row
}

/** Reads the line that begins at `start`; gives the address of its line feed. */
@inline
function readLine(row: u32, start: usize, input: usize, inputEnd: usize): usize {
  const readEnd = readRow(row, start)
  const lineEnd = readEnd == 0 ? lineFeedFrom(start) : readEnd
  const endsWithReturn = lineEnd > start && lineEnd < inputEnd && load<u8>(lineEnd - 1) == CARRIAGE_RETURN
  const length = lineEnd - start - <usize>endsWithReturn
  setValue(row, start - input, length)
  if (readEnd == 0 || length > EVENT_BYTES_MAX) leaveUnread(row)
  return lineEnd
}

function lineFeedFrom(start: usize): usize {
  let at = start
  while (true) {
    const found = <u32>i8x16.bitmask(i8x16.eq(v128.load(at), splat(LINE_FEED)))
    if (found != 0) return at + ctz(found)
    at += 16
  }
}

/** Reads the value at `start` of `length` bytes; the byte behind it is overwritten. */
@inline
export function readValue(row: u32, start: usize, length: usize): void {
  const end = start + length
  store<u8>(end, <u8>LINE_FEED)
  if (length > EVENT_BYTES_MAX || readRow(row, start) != end) leaveUnread(row)
}
