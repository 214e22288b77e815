import { encodeText } from '../base/bytes.ts'
import { type ColumnRows, type RowList, type TextFormat, writeRows } from './encoded-cells.ts'
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
    writeCsvText(out, new DataView(name.buffer), 0, name.length, false)
  }
  out.byte(LINE_FEED)
  return out.view()
}

/**
 * Rows as CSV (RFC 4180, with LF as the line break): null is an empty cell, the empty string is `""`, and what holds a comma, a
 * quote or a line break stands in quotes. Times are ISO-8601 in UTC with milliseconds, decimals have all their digits.
 */
export function encodeCsvRows(result: ColumnRows, list?: RowList, options: CsvOptions = {}): Uint8Array<ArrayBuffer> {
  const out = new TextBuffer()
  writeCsvRows(out, result, list, options)
  return out.view()
}

/** As `encodeCsvRows`, behind what the buffer holds. All rows when there is no list. */
export function writeCsvRows(out: TextBuffer, result: ColumnRows, list?: RowList, options: CsvOptions = {}): void {
  writeRows(out, result, list, options.formulaGuard === false ? UNGUARDED : GUARDED)
}

const UNGUARDED: TextFormat = csvFormat(false)
const GUARDED: TextFormat = csvFormat(true)

function csvFormat(formulaGuard: boolean): TextFormat {
  const writeText: TextFormat['writeText'] = (out, text, start, end) => {
    writeCsvText(out, text, start, end, formulaGuard)
  }
  return {
    null: '',
    quote: '',
    hasInfinity: true,
    lead: (_field, index) => (index === 0 ? '' : ','),
    end: () => '\n',
    writeText,
    writeJson: writeText,
    codeCells: new WeakMap(),
  }
}

/** Most cells need no quotes: each is written as if it did not, and once more when it does. */
function writeCsvText(out: TextBuffer, text: DataView, start: number, end: number, formulaGuard: boolean): void {
  const guarded = formulaGuard && start < end && FORMULA_STARTS.includes(text.getUint8(start))
  const lengthBefore = out.length
  if (guarded) out.byte(APOSTROPHE)
  if (start < end && writePlain(out, text, start, end)) return
  out.cut(lengthBefore)
  out.byte(QUOTE)
  if (guarded) out.byte(APOSTROPHE)
  writeDoublingQuotes(out, text, start, end)
  out.byte(QUOTE)
}

/** Returns false when it meets something that must stand in quotes. */
function writePlain(out: TextBuffer, text: DataView, start: number, end: number): boolean {
  for (let at = start; ; at++) {
    at = out.sliceUntil(text, at, end, QUOTE, COMMA)
    if (at === end) return true
    const byte = text.getUint8(at)
    if (byte === QUOTE || byte === COMMA || byte === LINE_FEED || byte === CARRIAGE_RETURN) return false
    out.byte(byte)
  }
}

function writeDoublingQuotes(out: TextBuffer, text: DataView, start: number, end: number): void {
  for (let at = start; ; at++) {
    at = out.sliceUntil(text, at, end, QUOTE, QUOTE)
    if (at === end) return
    const byte = text.getUint8(at)
    if (byte === QUOTE) out.byte(QUOTE)
    out.byte(byte)
  }
}

const TAB = 0x09
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const QUOTE = 0x22
const APOSTROPHE = 0x27
const COMMA = 0x2c
const FORMULA_STARTS: readonly number[] = [0x3d, 0x2b, 0x2d, 0x40, TAB, CARRIAGE_RETURN, LINE_FEED]
