import { RowError } from './batch.ts'
import type { FieldColumn } from './field-column.ts'
import { CARRIAGE_RETURN, type JsonScanner, LETTER_E, LINE_FEED, QUOTE, WORD_FALS, WORD_TRUE } from './json-scanner.ts'
import { type Edge, MemberGraph, Operation } from './member-graph.ts'
import type { RowReader } from './row-reader.ts'
import type { ScratchText } from './scratch-text.ts'
import { HIGH_BITS, validUtf8 } from './utf8.ts'

/** What `predict` gives when the row has to be parsed. */
export const UNPREDICTED = -1

/**
 * Reads rows fast, in one pass from value to value along the member graph. It gives up on anything unusual: wrong types,
 * repeated members, escaped names, line breaks inside of the row, errors of any kind. `RowParser` then
 * reads the row again; where this class answers, it agrees with that one.
 */
export class RowPredictor {
  readonly #scanner: JsonScanner
  readonly #scratch: ScratchText
  readonly #rest: FieldColumn | undefined
  readonly #graph: MemberGraph
  /** For each field: the row that had it last. */
  readonly #seenRows: Int32Array

  constructor(reader: RowReader) {
    this.#scanner = reader.scanner
    this.#scratch = reader.scratch
    this.#rest = reader.rest
    this.#graph = new MemberGraph(reader.scanner, reader.members, reader.columns)
    this.#seenRows = new Int32Array(reader.columns.length)
  }

  /** Begins a new batch. */
  begin(): void {
    this.#seenRows.fill(-1)
  }

  /**
   * Reads the row that begins at `start` into the columns and gives the position of the line feed that ends it, or
   * `UNPREDICTED`: then the row's columns hold anything.
   */
  predict(row: number, start: number): number {
    const scratchAt = this.#scratch.textAt
    this.#scanner.begin(false)
    const objectEnd = this.#follow(row, start)
    const end = objectEnd < 0 ? UNPREDICTED : this.#rowEnd(start, objectEnd)
    if (end < 0) this.#scratch.rollBack(scratchAt)
    else if (this.#rest !== undefined) this.#putRest(this.#rest, row)
    return end
  }

  /** Position behind the object, or `UNPREDICTED`. */
  #follow(row: number, start: number): number {
    const scanner = this.#scanner
    const { bytes } = scanner
    let node = this.#graph.start
    let at = start
    for (;;) {
      const edge = this.#graph.follow(node, at)
      if (edge === undefined) return UNPREDICTED
      const literalAt = at
      at += edge.length
      if (edge.column !== undefined) {
        const { index } = edge.column
        if (this.#seenRows[index] === row) return UNPREDICTED
        this.#seenRows[index] = row
      }
      const { operation } = edge
      if (operation === Operation.end) return at
      if (operation >= Operation.text && operation <= Operation.skipString) {
        const end = scanner.plainEnd(at)
        at = bytes[end] === QUOTE ? this.#plainString(edge, row, at, end) : this.#escapedString(edge, row, at, end)
      } else if (operation !== Operation.nothing) {
        at = this.#value(edge, row, literalAt, at)
      }
      if (at < 0) return UNPREDICTED
      node = edge.next
    }
  }

  /** Stores a string without escapes; gives the position behind its closing quote. */
  #plainString(edge: Edge, row: number, start: number, end: number): number {
    const { column } = edge
    if (column === undefined) return end + 1
    const { view, bytes } = this.#scanner
    let error: number = RowError.none
    if (edge.operation === Operation.text) column.putText(row, start, end - start)
    else if (edge.operation === Operation.isoTime) error = column.putTimestamp(row, view, bytes, start, end)
    else error = column.putUuid(row, bytes, start, end)
    return error === RowError.none ? end + 1 : UNPREDICTED
  }

  /** As `#plainString`; `stop` is the first backslash, or what is wrong with the string. */
  #escapedString(edge: Edge, row: number, start: number, stop: number): number {
    const end = this.#scanner.stringEnd(stop)
    if (end < 0 || this.#scanner.loneSurrogate) return UNPREDICTED
    if (edge.column === undefined) return end + 1
    if (edge.operation !== Operation.text) return UNPREDICTED
    const textAt = this.#scratch.textAt
    edge.column.putText(row, textAt, this.#scratch.unescape(start, end))
    return end + 1
  }

  /** Stores the value at `at`, which is not a string to be read; gives the position behind it. */
  #value(edge: Edge, row: number, literalAt: number, at: number): number {
    const scanner = this.#scanner
    const { column } = edge
    if (column === undefined) {
      const end = scanner.valueEnd(at, 1)
      if (end >= 0 && edge.operation === Operation.rest) this.#scratch.appendMember(literalAt + edge.nameStart, end)
      return end
    }
    switch (edge.operation) {
      case Operation.number: {
        const end = scanner.number.scan(scanner.bytes, at)
        return end >= 0 && column.putNumber(row, scanner.number) === RowError.none ? end : UNPREDICTED
      }
      case Operation.boolean: {
        const word = scanner.view.getInt32(at, true)
        const isTrue = word === WORD_TRUE
        if (!isTrue && (word !== WORD_FALS || scanner.bytes[at + 4] !== LETTER_E)) return UNPREDICTED
        column.putBoolean(row, isTrue)
        return isTrue ? at + 4 : at + 5
      }
      default: {
        const end = scanner.valueEnd(at, 1)
        if (end >= 0) column.putText(row, at, end - at)
        return end
      }
    }
  }

  /** Position of the line feed behind the object, if nothing else is left to be judged. */
  #rowEnd(start: number, objectEnd: number): number {
    const { bytes, view, high, loneSurrogate } = this.#scanner
    const spaceEnd = this.#scanner.space(objectEnd)
    const end = bytes[spaceEnd] === CARRIAGE_RETURN ? spaceEnd + 1 : spaceEnd
    if (bytes[end] !== LINE_FEED || loneSurrogate) return UNPREDICTED
    return (high & HIGH_BITS) === 0 || validUtf8(view, start, objectEnd) ? end : UNPREDICTED
  }

  #putRest(column: FieldColumn, row: number): void {
    const { restAt } = this.#scratch
    const length = this.#scratch.closeRest()
    if (length > 0) column.putText(row, restAt, length)
  }
}
