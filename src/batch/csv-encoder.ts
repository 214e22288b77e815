import { encodeText } from '../base/bytes.ts'
import { type ColumnRows, cellWriter, type RowList, type TextFormat } from './encoded-cells.ts'
import type { Field } from './schema.ts'
import { TextBuffer } from './text-buffer.ts'

/** How CSV is written. */
export interface CsvOptions {
  /**
   * Puts `'` before text that begins with `=`, `+`, `-`, `@`, a tab or a line break, so that no spreadsheet takes it for a
   * formula. On unless it is false; numbers and times are never touched.
   */
  readonly formulaGuard?: boolean
}

/** The line of column names. */
export function encodeCsvHeader(fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  const out = new TextBuffer(1024)
  for (const [index, field] of fields.entries()) {
    if (index > 0) out.byte(COMMA)
    const name = encodeText(field.name)
    writeCsvText(out, name, 0, name.length, false)
  }
  out.byte(LINE_FEED)
  return out.finish()
}

/**
 * Rows as CSV (RFC 4180, with LF as the line break): null is an empty cell, the empty string is `""`, and what holds a comma, a
 * quote or a line break stands in quotes. Times are ISO-8601 in UTC with milliseconds, decimals have all their digits.
 */
export function encodeCsvRows(result: ColumnRows, list?: RowList, options: CsvOptions = {}): Uint8Array<ArrayBuffer> {
  const out = new TextBuffer()
  writeCsvRows(out, result, list, options)
  return out.finish()
}

/** As `encodeCsvRows`, behind what the buffer holds. All rows when there is no list. */
export function writeCsvRows(out: TextBuffer, result: ColumnRows, list?: RowList, options: CsvOptions = {}): void {
  const format = options.formulaGuard === false ? UNGUARDED : GUARDED
  const writers = result.columns.map((column, index) => cellWriter(column, result.fields[index], format))
  const count = list?.count ?? result.rowCount
  for (let place = 0; place < count; place++) {
    const row = list === undefined ? place : list.rows[place]
    for (let index = 0; index < writers.length; index++) {
      if (index > 0) out.byte(COMMA)
      writers[index](out, row)
    }
    out.byte(LINE_FEED)
  }
}

const UNGUARDED: TextFormat = csvFormat(false)
const GUARDED: TextFormat = csvFormat(true)

function csvFormat(formulaGuard: boolean): TextFormat {
  const writeText: TextFormat['writeText'] = (out, bytes, start, end) => {
    writeCsvText(out, bytes, start, end, formulaGuard)
  }
  return { null: '', quote: '', hasInfinity: true, writeText, writeJson: writeText, codeCells: new WeakMap() }
}

function writeCsvText(out: TextBuffer, bytes: Uint8Array, start: number, end: number, formulaGuard: boolean): void {
  const quoted = start === end || needsQuotes(bytes, start, end)
  if (quoted) out.byte(QUOTE)
  if (formulaGuard && start < end && FORMULA_STARTS.includes(bytes[start])) out.byte(APOSTROPHE)
  writeDoublingQuotes(out, bytes, start, end)
  if (quoted) out.byte(QUOTE)
}

function writeDoublingQuotes(out: TextBuffer, bytes: Uint8Array, start: number, end: number): void {
  let plainStart = start
  for (let at = start; at < end; at++) {
    if (bytes[at] !== QUOTE) continue
    out.slice(bytes, plainStart, at + 1)
    out.byte(QUOTE)
    plainStart = at + 1
  }
  out.slice(bytes, plainStart, end)
}

function needsQuotes(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]
    if (byte === COMMA || byte === QUOTE || byte === LINE_FEED || byte === CARRIAGE_RETURN) return true
  }
  return false
}

const TAB = 0x09
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const QUOTE = 0x22
const APOSTROPHE = 0x27
const COMMA = 0x2c
const FORMULA_STARTS: readonly number[] = [0x3d, 0x2b, 0x2d, 0x40, TAB, CARRIAGE_RETURN, LINE_FEED]
