import { CARRIAGE_RETURN, LETTER_E, LINE_FEED, QUOTE, WORD_FALS, WORD_TRUE } from './characters'
import { EDGE_BIT, EDGE_CLASS, EDGE_EXTRA, EDGE_LENGTH, EDGE_NAME_START, EDGE_NEXT, EDGE_OPERATION, EDGE_VALUES } from './graph-node'
import { findCode } from './dictionary'
import { escapedEnd, plainEnd, space, stops, stringEnd, valueEnd } from './json-scan'
import { follow, followByClass, startNode } from './member-graph'
import { addNewText, countNewTexts, dropNewTexts } from './new-text'
import { double, inexact, readNumber, scaled } from './number'
import {
  BOOLEAN,
  classAt,
  DECIMAL,
  DICTIONARY,
  DOUBLE,
  END,
  EPOCH,
  INT32,
  INT64,
  ISO_TIME,
  JSON,
  minds,
  NOTHING,
  REST,
  SKIP,
  SKIP_STRING,
  TEXT,
  UUID,
} from './operation'
import { appendMember, closeRest, restAt, rollBack, textAt, unescape } from './scratch-text'
import { inRange, readTime } from './timestamp'
import { isAscii, validUtf8 } from './utf8'
import { readUuid } from './uuid'

const EPOCH_MS_SCALE: i32 = 0

/** What positions of texts count from. */
let base: usize = 0
/** Whether no row of the batch needs to be looked at for bad UTF-8. */
let allAscii: bool = false
/** Arrays of the column of unknown members; 0 when there is none. */
let restStarts: usize = 0
let restLengths: usize = 0

/** Takes the addresses of the column of unknown members. */
export function prepareRest(starts: usize, lengths: usize): void {
  restStarts = starts
  restLengths = lengths
}

/** Begins a batch of `length` bytes at `input`, where positions of texts count from. */
export function beginInput(input: usize, length: usize): void {
  base = input
  allAscii = isAscii(input, input + length)
}

/**
 * Reads the row that begins at `start` into the columns, where it is still null, and gives the address of the line feed that ends it;
 * or 0 when there is anything unusual about it: then its columns hold anything, and the host reads it again. Where this
 * gives an address, the host would have read the same.
 */
export function readRow(row: u32, start: usize): usize {
  const textsAt = textAt
  const newTexts = countNewTexts()
  const objectEnd = readObject(row, start)
  const end = objectEnd == 0 ? 0 : rowEnd(start, objectEnd)
  if (end != 0) {
    if (restStarts != 0) putRest(row)
  } else {
    rollBack(textsAt)
    dropNewTexts(newTexts)
  }
  return end
}

/** Address behind the object, or 0. */
function readObject(row: u32, start: usize): usize {
  let at = start
  let node = startNode
  /** The columns that this row has had. */
  let seen: u64 = 0
  let byClass = false
  while (true) {
    const edge = byClass ? followByClass(node, at) : follow(node, at)
    if (edge == 0) return 0
    byClass = false
    const literalAt = at
    const operation = load<u32>(edge, EDGE_OPERATION)
    const bit = load<u64>(edge, EDGE_BIT)
    at += load<u32>(edge, EDGE_LENGTH)
    if (minds(operation) && classAt(at) != load<u32>(edge, EDGE_CLASS)) {
      at = literalAt
      byClass = true
      continue
    }
    if ((seen & bit) != 0) return 0
    seen |= bit
    node = load<u32>(edge, EDGE_NEXT)
    if (operation == END) return at
    at = readMember(operation, edge, row, literalAt, at)
    if (at == 0) return 0
  }
}

/** Reads a member's value at `at`; gives the address behind it, or 0. */
@inline
function readMember(operation: u32, edge: usize, row: u32, literalAt: usize, at: usize): usize {
  switch (operation) {
    case NOTHING:
      return at
    case DICTIONARY:
      return readCode(edge, row, at)
    case TEXT:
      return readText(edge, row, at)
    case SKIP_STRING:
      return behindQuote(stringEnd(at))
    case ISO_TIME:
      return behindQuote(readTime(at, valueAt(edge, row, 3), load<u32>(edge, EDGE_EXTRA) != 0))
    case UUID:
      store<u8>(load<u32>(edge, EDGE_EXTRA) + row, 1)
      return behindQuote(readUuid(at, valueAt(edge, row, 4)))
    case SKIP:
      return valueEnd(at)
    case BOOLEAN:
      return readBoolean(at, valueAt(edge, row, 0))
    case JSON: {
      const end = valueEnd(at)
      putText(edge, row, at, end - at)
      return end
    }
    case REST: {
      const end = valueEnd(at)
      if (end != 0) appendMember(literalAt + load<u32>(edge, EDGE_NAME_START), end)
      return end
    }
    default:
      return readNumeric(operation, edge, row, at)
  }
}

@inline
function valueAt(edge: usize, row: u32, bits: usize): usize {
  return load<u32>(edge, EDGE_VALUES) + (row << bits)
}

@inline
function behindQuote(quote: usize): usize {
  return quote == 0 ? 0 : quote + 1
}

@inline
function putText(edge: usize, row: u32, start: usize, length: usize): void {
  store<u32>(valueAt(edge, row, 2), <u32>(start - base))
  store<u32>(load<u32>(edge, EDGE_EXTRA) + (row << 2), length)
}

/** Finds the code of the string whose content begins at `start`; gives the address behind its closing quote. */
@inline
function readCode(edge: usize, row: u32, start: usize): usize {
  const head = v128.load(start)
  const first = stops(head)
  const end = first != 0 ? start + ctz(first) : plainEnd(start + 16)
  if (load<u8>(end) != QUOTE) return readEscapedCode(edge, row, start, end)
  findOrNote(edge, row, head, start, end - start)
  return end + 1
}

function readEscapedCode(edge: usize, row: u32, start: usize, stop: usize): usize {
  const end = escapedEnd(stop)
  if (end == 0) return 0
  const textStart = textAt
  unescape(start, end)
  findOrNote(edge, row, v128.load(textStart), textStart, textAt - textStart)
  return end + 1
}

@inline
function findOrNote(edge: usize, row: u32, head: v128, start: usize, length: usize): void {
  const dictionary = <usize>load<u32>(edge, EDGE_EXTRA)
  const code = findCode(dictionary, head, start, <u32>length)
  if (code >= 0) store<i32>(valueAt(edge, row, 2), code)
  else addNewText(dictionary, valueAt(edge, row, 2), start, length)
}

/** Stores the string whose content begins at `start`; gives the address behind its closing quote. */
@inline
function readText(edge: usize, row: u32, start: usize): usize {
  const end = plainEnd(start)
  if (load<u8>(end) != QUOTE) return readEscapedText(edge, row, start, end)
  putText(edge, row, start, end - start)
  return end + 1
}

function readEscapedText(edge: usize, row: u32, start: usize, stop: usize): usize {
  const end = escapedEnd(stop)
  if (end == 0) return 0
  const textStart = textAt
  unescape(start, end)
  putText(edge, row, textStart, textAt - textStart)
  return end + 1
}

@inline
function readBoolean(at: usize, out: usize): usize {
  const word = load<u32>(at)
  if (word == WORD_TRUE) {
    store<u8>(out, 1)
    return at + 4
  }
  if (word != WORD_FALS || load<u8>(at, 4) != LETTER_E) return 0
  store<u8>(out, 0)
  return at + 5
}

/** Stores the number at `at`; gives the address behind it, or 0 when the field does not take it. */
@inline
function readNumeric(operation: u32, edge: usize, row: u32, at: usize): usize {
  const end = readNumber(at)
  if (end == 0) return 0
  const extra = <i32>load<u32>(edge, EDGE_EXTRA)
  let value: f64
  if (operation == DECIMAL) {
    value = scaled(extra, true)
  } else if (operation == DOUBLE) {
    value = double()
  } else {
    const scale = operation == EPOCH ? extra : 0
    value = scaled(scale, false)
    if (inexact && scale == EPOCH_MS_SCALE) return 0
    if (operation == EPOCH && !inRange(value)) return 0
  }
  if (isNaN(value)) return 0
  if (operation != INT32) {
    store<f64>(valueAt(edge, row, 3), value)
    return end
  }
  if (value < <f64>i32.MIN_VALUE || value > <f64>i32.MAX_VALUE) return 0
  store<i32>(valueAt(edge, row, 2), <i32>value)
  store<u8>(<usize>extra + row, 1)
  return end
}

/** Address of the line feed behind the object, if nothing else is left to be judged. */
@inline
function rowEnd(start: usize, objectEnd: usize): usize {
  let end = objectEnd
  if (load<u8>(end) != LINE_FEED) {
    end = space(end)
    if (load<u8>(end) == CARRIAGE_RETURN) end++
    if (load<u8>(end) != LINE_FEED) return 0
  }
  return allAscii || isAscii(start, objectEnd) || validUtf8(start, objectEnd) ? end : 0
}

function putRest(row: u32): void {
  const start = restAt
  const length = closeRest()
  if (length == 0) return
  store<u32>(restStarts + (row << 2), <u32>(start - base))
  store<u32>(restLengths + (row << 2), length)
}
