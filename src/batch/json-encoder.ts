import { encodeText } from '../base/bytes.ts'
import { type CellWriter, type ColumnRows, cellWriter, type RowList, type TextFormat } from './encoded-cells.ts'
import { TextBuffer } from './text-buffer.ts'

/**
 * Rows as JSON lines: an object each, with its members in the order of the columns and a line feed behind it. Times are
 * ISO-8601 in UTC with milliseconds, decimals numbers with all their digits, columns of JSON the value itself. A null, and
 * an infinite double, is `null`.
 */
export function encodeJsonRows(result: ColumnRows, list?: RowList): Uint8Array<ArrayBuffer> {
  const out = new TextBuffer()
  writeJsonRows(out, result, list)
  return out.finish()
}

/** As `encodeJsonRows`, behind what the buffer holds. All rows when there is no list. */
export function writeJsonRows(out: TextBuffer, result: ColumnRows, list?: RowList): void {
  const names = result.fields.map((field, index) =>
    encodeText(`${index === 0 ? '{' : ','}${JSON.stringify(field.name)}:`),
  )
  const writers: CellWriter[] = result.columns.map((column, index) =>
    cellWriter(column, result.fields[index], JSON_FORMAT),
  )
  const count = list?.count ?? result.rowCount
  for (let place = 0; place < count; place++) {
    const row = list === undefined ? place : list.rows[place]
    for (let index = 0; index < writers.length; index++) {
      out.raw(names[index])
      writers[index](out, row)
    }
    out.ascii(writers.length === 0 ? '{}\n' : '}\n')
  }
}

const JSON_FORMAT: TextFormat = {
  null: 'null',
  quote: '"',
  hasInfinity: false,
  writeText: writeJsonString,
  writeJson: writeJsonValue,
  codeCells: new WeakMap(),
}

/** Writes a string in quotes. Only what must be escaped is: quote, backslash and control characters. */
export function writeJsonString(out: TextBuffer, bytes: Uint8Array, start: number, end: number): void {
  out.byte(QUOTE)
  let plainStart = start
  for (let at = start; at < end; at++) {
    const byte = bytes[at]
    if (byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH) continue
    out.slice(bytes, plainStart, at)
    out.ascii(ESCAPES[byte])
    plainStart = at + 1
  }
  out.slice(bytes, plainStart, end)
  out.byte(QUOTE)
}

/** A value keeps its spelling, but must not break the line: line breaks in it can only be white space between tokens. */
function writeJsonValue(out: TextBuffer, bytes: Uint8Array, start: number, end: number): void {
  let plainStart = start
  for (let at = start; at < end; at++) {
    if (bytes[at] !== LINE_FEED && bytes[at] !== CARRIAGE_RETURN) continue
    out.slice(bytes, plainStart, at)
    out.byte(SPACE)
    plainStart = at + 1
  }
  out.slice(bytes, plainStart, end)
}

const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const SPACE = 0x20
const QUOTE = 0x22
const BACKSLASH = 0x5c

/** For each byte below a backslash, and it: how JSON escapes it. */
const ESCAPES: readonly string[] = Array.from({ length: BACKSLASH + 1 }, (_, byte) =>
  JSON.stringify(String.fromCharCode(byte)).slice(1, -1),
)
