import { type ColumnRows, type RowList, type TextFormat, writeRows } from './encoded-cells.ts'
import { TextBuffer } from './text-buffer.ts'

/**
 * Rows as JSON lines: an object each, with its members in the order of the columns and a line feed behind it. Times are
 * ISO-8601 in UTC with milliseconds, decimals numbers with all their digits, columns of JSON the value itself. A null, and
 * an infinite double, is `null`.
 */
export function encodeJsonRows(result: ColumnRows, list?: RowList): Uint8Array<ArrayBuffer> {
  const out = new TextBuffer()
  writeJsonRows(out, result, list)
  return out.view()
}

/** As `encodeJsonRows`, behind what the buffer holds. All rows when there is no list. */
export function writeJsonRows(out: TextBuffer, result: ColumnRows, list?: RowList): void {
  writeRows(out, result, list, JSON_FORMAT)
}

const JSON_FORMAT: TextFormat = {
  null: 'null',
  quote: '"',
  hasInfinity: false,
  lead: (field, index) => `${index === 0 ? '{' : ','}${JSON.stringify(field.name)}:`,
  end: (cellCount) => (cellCount === 0 ? '{}\n' : '}\n'),
  writeText: writeJsonString,
  writeJson: writeJsonValue,
  codeCells: new WeakMap(),
}

/** Writes a string in quotes. Only what must be escaped is: quote, backslash and control characters. */
function writeJsonString(out: TextBuffer, text: DataView, start: number, end: number): void {
  out.byte(QUOTE)
  for (let at = start; ; at++) {
    at = out.sliceUntil(text, at, end, QUOTE, BACKSLASH)
    if (at === end) break
    out.ascii(ESCAPES[text.getUint8(at)])
  }
  out.byte(QUOTE)
}

/** A value keeps its spelling, but must not break the line: line breaks in it can only be white space between tokens. */
function writeJsonValue(out: TextBuffer, text: DataView, start: number, end: number): void {
  for (let at = start; ; at++) {
    at = out.sliceUntil(text, at, end, LINE_FEED, CARRIAGE_RETURN)
    if (at === end) break
    const control = text.getUint8(at)
    out.byte(control === LINE_FEED || control === CARRIAGE_RETURN ? SPACE : control)
  }
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
