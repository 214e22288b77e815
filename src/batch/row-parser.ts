import { EVENT_BYTES_MAX, RowError } from './batch.ts'
import { type FieldColumn, ValueKind } from './field-column.ts'
import {
  BACKSLASH,
  CLOSE_BRACE,
  COLON,
  COMMA,
  type JsonScanner,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  WORD_FALS,
  WORD_NULL,
  WORD_TRUE,
} from './json-scanner.ts'
import { UNKNOWN_MEMBER } from './member-table.ts'
import type { RowReader } from './row-reader.ts'
import { validUtf8 } from './utf8.ts'

/** No byte of a text: ends every scan. */
const NUL = 0

/**
 * Reads any row by the grammar, and stores its values only when all of it holds. The first of these that is true is what a
 * refused row is refused for: larger than a row may be; nothing but white space; not UTF-8; then, from the left, what
 * breaks the grammar or goes too deep; a value that is not an object; something behind the object; an escaped surrogate
 * without its other half; and last, of the fields with a value that they do not take, the one with the lowest index.
 */
export class RowParser {
  /** Index of the field for which the row was refused; -1 when it is malformed. */
  errorField = -1
  /** Members, read by a field, that came more than once in a row that is not malformed. */
  duplicateMembers = 0
  readonly #reader: RowReader
  readonly #scanner: JsonScanner
  /** For each field: where its value begins, -1 for none. */
  readonly #valueStarts: Int32Array
  readonly #repeated: Uint8Array

  constructor(reader: RowReader) {
    this.#reader = reader
    this.#scanner = reader.scanner
    this.#valueStarts = new Int32Array(reader.columns.length)
    this.#repeated = new Uint8Array(reader.columns.length)
  }

  /** Begins a new batch. */
  begin(): void {
    this.duplicateMembers = 0
  }

  /**
   * Reads `bytes[start, end)` into the columns, where the row is still null. Gives a `RowError`; if there is one, the row's
   * columns may hold anything. Overwrites the byte at `end`.
   */
  parse(row: number, start: number, end: number): number {
    this.errorField = -1
    if (end - start > EVENT_BYTES_MAX) return RowError.tooLarge
    const { bytes } = this.#scanner
    const { scratch } = this.#reader
    bytes[end] = NUL
    this.#scanner.begin(true)
    const scratchAt = scratch.textAt
    let error = this.#check(start, end)
    if (error === RowError.none) error = this.#store(row)
    if (error !== RowError.none) scratch.rollBack(scratchAt)
    return error
  }

  /** Judges the row as a whole, and finds where the values of fields begin. */
  #check(start: number, end: number): number {
    const scanner = this.#scanner
    const at = scanner.space(start)
    if (at === end) return RowError.empty
    if (!validUtf8(scanner.view, start, end)) return RowError.notUtf8
    const object = scanner.bytes[at] === OPEN_BRACE
    const valueEnd = object ? this.#membersEnd(at) : scanner.valueEnd(at, 0)
    if (valueEnd < 0) return scanner.error
    const complete = scanner.space(valueEnd) === end
    if (!object) return complete ? RowError.notObject : RowError.notJson
    if (!complete) return RowError.trailingBytes
    return scanner.loneSurrogate ? RowError.notUtf8 : RowError.none
  }

  /** From the opening brace: the position behind the closing one. */
  #membersEnd(from: number): number {
    const scanner = this.#scanner
    const { bytes } = scanner
    this.#valueStarts.fill(-1)
    this.#repeated.fill(0)
    let at = scanner.space(from + 1)
    if (bytes[at] === CLOSE_BRACE) return at + 1
    for (;;) {
      const nameAt = at
      if (bytes[at] !== QUOTE) return scanner.fail(RowError.notJson)
      const nameEnd = scanner.stringEnd(at + 1)
      if (nameEnd < 0) return nameEnd
      at = scanner.space(nameEnd + 1)
      if (bytes[at] !== COLON) return scanner.fail(RowError.notJson)
      const valueAt = scanner.space(at + 1)
      const valueEnd = scanner.valueEnd(valueAt, 1)
      if (valueEnd < 0) return valueEnd
      this.#note(nameAt, nameEnd, valueAt, valueEnd)
      at = scanner.space(valueEnd)
      if (bytes[at] === CLOSE_BRACE) return at + 1
      if (bytes[at] !== COMMA) return scanner.fail(RowError.notJson)
      at = scanner.space(at + 1)
    }
  }

  /** Remembers a member: where its field's value is, or as part of the rest. */
  #note(nameAt: number, nameEnd: number, valueAt: number, valueEnd: number): void {
    // Such a row is refused in the end, and what follows takes surrogates to come in pairs.
    if (this.#scanner.loneSurrogate) return
    const { rest, scratch } = this.#reader
    const field = this.#field(nameAt + 1, nameEnd)
    if (field >= 0) {
      if (this.#valueStarts[field] >= 0) this.#repeated[field] = 1
      this.#valueStarts[field] = valueAt
    } else if (field === UNKNOWN_MEMBER && rest !== undefined) {
      scratch.appendMember(nameAt, valueEnd)
    }
  }

  /** Which field reads the member whose name, as written, is `bytes[start, end)`; or what else becomes of it, see `MemberTable`. */
  #field(start: number, end: number): number {
    const { members, scratch } = this.#reader
    const { view } = this.#scanner
    if (this.#scanner.plainEnd(start) === end) return members.field(members.code(view, start, end - start))
    const textAt = scratch.textAt
    const length = scratch.unescape(start, end)
    return members.field(members.code(view, textAt, length))
  }

  #store(row: number): number {
    const { columns, rest, scratch } = this.#reader
    let error: number = RowError.none
    for (const column of columns) {
      const { index } = column
      this.duplicateMembers += this.#repeated[index]
      const at = this.#valueStarts[index]
      if (at < 0 || error !== RowError.none) continue
      error = this.#storeValue(column, row, at)
      if (error !== RowError.none) this.errorField = index
    }
    if (rest === undefined || error !== RowError.none) return error
    const { restAt } = scratch
    const length = scratch.closeRest()
    if (length > 0) rest.putText(row, restAt, length)
    return error
  }

  /** Stores the value at `at`, which is valid JSON; says what is wrong when the field does not take it. */
  #storeValue(column: FieldColumn, row: number, at: number): number {
    const scanner = this.#scanner
    const { bytes, view, number } = scanner
    const word = view.getInt32(at, true)
    if (word === WORD_NULL) return RowError.none
    if (column.kind === ValueKind.json) {
      column.putText(row, at, scanner.valueEnd(at, 1) - at)
      return RowError.none
    }
    if (bytes[at] === QUOTE) return this.#storeString(column, row, at + 1)
    if (word === WORD_TRUE || word === WORD_FALS) {
      if (column.kind !== ValueKind.boolean) return RowError.wrongKind
      column.putBoolean(row, word === WORD_TRUE)
      return RowError.none
    }
    if (column.kind !== ValueKind.number || bytes[at] === OPEN_BRACE || bytes[at] === OPEN_BRACKET) {
      return RowError.wrongKind
    }
    number.scan(bytes, at)
    return column.putNumber(row, number)
  }

  /** Stores the string whose content begins at `from`. */
  #storeString(column: FieldColumn, row: number, from: number): number {
    const { bytes, view } = this.#scanner
    const { scratch } = this.#reader
    let start = from
    let end = this.#scanner.stringEnd(from)
    if (bytes[this.#scanner.plainEnd(from)] === BACKSLASH) {
      start = scratch.textAt
      end = start + scratch.unescape(from, end)
    }
    switch (column.kind) {
      case ValueKind.text:
        column.putText(row, start, end - start)
        return RowError.none
      case ValueKind.isoTime:
        return column.putTimestamp(row, view, bytes, start, end)
      case ValueKind.uuid:
        return column.putUuid(row, bytes, start, end)
      default:
        return RowError.wrongKind
    }
  }
}
