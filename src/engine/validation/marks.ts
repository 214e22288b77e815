import { assert, unreachable } from '../../base/assert.ts'
import { BOOLEAN_NULL, type Column } from '../../batch/column.ts'
import type { Dictionary } from '../../batch/dictionary.ts'

/*
 * Loops over one column that mark the rows which break something and have broken nothing before.
 */

/** Marks nulls. */
export function markNulls(column: Column, rowCount: number, broken: Uint8Array, mark: number): void {
  switch (column.kind) {
    case 'dictionary':
      markNegative(column.codes, rowCount, broken, mark)
      return
    case 'string':
      markNegative(column.lengths, rowCount, broken, mark)
      return
    case 'number':
      markNaN(column.values, rowCount, broken, mark)
      return
    case 'boolean':
      markEqual(column.values, BOOLEAN_NULL, rowCount, broken, mark)
      return
    case 'int32':
    case 'uuid':
      markEqual(column.validity, 0, rowCount, broken, mark)
      return
    default:
      unreachable(column)
  }
}

/** Marks numbers outside of [low, high]; null is outside of no range. */
export function markOutside(
  column: Column,
  low: number,
  high: number,
  rowCount: number,
  broken: Uint8Array,
  mark: number,
): void {
  if (column.kind === 'number') {
    const { values } = column
    for (let row = 0; row < rowCount; row++) {
      const value = values[row] as number
      if ((value < low || value > high) && broken[row] === 0) broken[row] = mark
    }
    return
  }
  assert(column.kind === 'int32', 'the plan was checked: the column is numeric')
  const { values, validity } = column
  for (let row = 0; row < rowCount; row++) {
    const value = values[row] as number
    if ((value < low || value > high) && validity[row] !== 0 && broken[row] === 0) broken[row] = mark
  }
}

/** Makes a loop that marks texts of more bytes; the values of a dictionary are measured once. */
export function longTextMarker(
  bytesMax: number,
): (column: Column, rowCount: number, broken: Uint8Array, mark: number) => void {
  const long = new LongCodes(bytesMax)
  return (column, rowCount, broken, mark) => {
    if (column.kind === 'dictionary') {
      const byCode = long.of(column.dictionary)
      if (byCode) markCodes(byCode, column.codes, rowCount, broken, mark)
      return
    }
    assert(column.kind === 'string', 'the plan was checked: the column is text')
    const { lengths } = column
    for (let row = 0; row < rowCount; row++) {
      if ((lengths[row] as number) > bytesMax && broken[row] === 0) broken[row] = mark
    }
  }
}

/** Which values of the dictionary last seen are too long. */
class LongCodes {
  readonly #bytesMax: number
  #dictionary: Dictionary | undefined
  #known = 0
  #byCode = new Uint8Array(64)
  #any = false

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** 1 by code of a value that is too long; undefined while there is none. */
  of(dictionary: Dictionary): Uint8Array | undefined {
    if (this.#dictionary !== dictionary) {
      this.#dictionary = dictionary
      this.#known = 0
      this.#any = false
    }
    if (this.#byCode.length < dictionary.size) {
      const grown = new Uint8Array(dictionary.size * 2)
      grown.set(this.#byCode)
      this.#byCode = grown
    }
    for (; this.#known < dictionary.size; this.#known++) {
      const long = dictionary.bytes(this.#known).length > this.#bytesMax
      this.#byCode[this.#known] = long ? 1 : 0
      this.#any ||= long
    }
    return this.#any ? this.#byCode : undefined
  }
}

function markCodes(byCode: Uint8Array, codes: Int32Array, rowCount: number, broken: Uint8Array, mark: number): void {
  for (let row = 0; row < rowCount; row++) {
    const code = codes[row] as number
    if (code >= 0 && byCode[code] === 1 && broken[row] === 0) broken[row] = mark
  }
}

function markNegative(values: Int32Array, rowCount: number, broken: Uint8Array, mark: number): void {
  for (let row = 0; row < rowCount; row++) if ((values[row] as number) < 0 && broken[row] === 0) broken[row] = mark
}

function markNaN(values: Float64Array, rowCount: number, broken: Uint8Array, mark: number): void {
  for (let row = 0; row < rowCount; row++) if (Number.isNaN(values[row]) && broken[row] === 0) broken[row] = mark
}

function markEqual(values: Uint8Array, wanted: number, rowCount: number, broken: Uint8Array, mark: number): void {
  for (let row = 0; row < rowCount; row++) if (values[row] === wanted && broken[row] === 0) broken[row] = mark
}
