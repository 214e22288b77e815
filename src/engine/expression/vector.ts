import { assert } from '../../base/assert.ts'
import type { Batch } from '../../batch/batch.ts'
import { BOOLEAN_NULL, type Column } from '../../batch/column.ts'
import { formatUuid } from '../../batch/uuid-text.ts'

/*
 * A compiled expression is a function from a batch to a vector: one value per row, in an array that the function owns. It is
 * valid until the function is called again, and may be longer than the batch has rows.
 */

/** Numbers and times; NaN is null. Whole numbers and decimals are units, see `NumberForm`. */
export type NumberVector = (batch: Batch) => Float64Array

/** Conditions: 0 false, 1 true, 255 null. */
export type TruthVector = (batch: Batch) => Uint8Array

/** Texts; null is null. UUIDs are in their text form, in lower case. */
export type TextVector = (batch: Batch) => Texts

/** One text per row. */
export type Texts = (string | null)[]

/** A condition that holds. */
export const TRUE = 1
/** A condition that is neither true nor false. */
export const NULL: number = BOOLEAN_NULL

/** An array of at least so many numbers, made anew only when the last one was too short. */
export function floats(values: Float64Array<ArrayBuffer>, count: number): Float64Array<ArrayBuffer> {
  return values.length >= count ? values : new Float64Array(capacity(count))
}

/** As `floats`, for truths. */
export function bytes(values: Uint8Array<ArrayBuffer>, count: number): Uint8Array<ArrayBuffer> {
  return values.length >= count ? values : new Uint8Array(capacity(count))
}

/** As `floats`, for codes. */
export function ints(values: Int32Array<ArrayBuffer>, count: number): Int32Array<ArrayBuffer> {
  return values.length >= count ? values : new Int32Array(capacity(count))
}

function capacity(count: number): number {
  return Math.max(1024, 2 ** Math.ceil(Math.log2(count)))
}

/** A numeric or time column as it is stored. */
export function columnNumbers(index: number): NumberVector {
  let converted = new Float64Array(0)
  return (batch) => {
    const column = batch.columns[index] as Column
    if (column.kind === 'number') return column.values
    assert(column.kind === 'int32', 'the plan was checked: the column holds numbers')
    converted = floats(converted, batch.rowCount)
    for (let row = 0; row < batch.rowCount; row++) {
      converted[row] = column.validity[row] === 0 ? Number.NaN : column.values[row]
    }
    return converted
  }
}

/** A boolean column as it is stored. */
export function columnTruths(index: number): TruthVector {
  return (batch) => {
    const column = batch.columns[index] as Column
    assert(column.kind === 'boolean', 'the plan was checked: the column is true or false')
    return column.values
  }
}

/** A column of texts, UUIDs or JSON, decoded row by row. */
export function columnTexts(index: number): TextVector {
  const texts: Texts = []
  return (batch) => {
    readTexts(batch.columns[index] as Column, texts, batch.rowCount)
    return texts
  }
}

function readTexts(column: Column, into: Texts, rowCount: number): void {
  if (column.kind === 'dictionary') {
    const { codes, dictionary } = column
    for (let row = 0; row < rowCount; row++) into[row] = codes[row] < 0 ? null : dictionary.text(codes[row])
  } else if (column.kind === 'string') {
    const { data, starts, lengths } = column
    for (let row = 0; row < rowCount; row++) {
      const length = lengths[row]
      into[row] = length < 0 ? null : textDecoder.decode(data.subarray(starts[row], starts[row] + length))
    }
  } else {
    assert(column.kind === 'uuid', 'the plan was checked: the column holds texts')
    for (let row = 0; row < rowCount; row++) {
      into[row] = column.validity[row] === 0 ? null : formatUuid(column.bytes, 16 * row)
    }
  }
}

const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Which rows of a column are null. */
export function columnNulls(index: number): TruthVector {
  let nulls = new Uint8Array(0)
  return (batch) => {
    nulls = bytes(nulls, batch.rowCount)
    markNulls(batch.columns[index] as Column, nulls, batch.rowCount)
    return nulls
  }
}

function markNulls(column: Column, into: Uint8Array, rowCount: number): void {
  switch (column.kind) {
    case 'dictionary':
      for (let row = 0; row < rowCount; row++) into[row] = column.codes[row] < 0 ? 1 : 0
      return
    case 'string':
      for (let row = 0; row < rowCount; row++) into[row] = column.lengths[row] < 0 ? 1 : 0
      return
    case 'number':
      numberNulls(column.values, into, rowCount)
      return
    case 'boolean':
      truthNulls(column.values, into, rowCount)
      return
    default:
      for (let row = 0; row < rowCount; row++) into[row] = 1 - column.validity[row]
  }
}

/** Marks the nulls of a vector of numbers. */
export function numberNulls(values: Float64Array, into: Uint8Array, rowCount: number): void {
  for (let row = 0; row < rowCount; row++) into[row] = Number.isNaN(values[row]) ? 1 : 0
}

/** Marks the nulls of a vector of truths. */
export function truthNulls(values: Uint8Array, into: Uint8Array, rowCount: number): void {
  for (let row = 0; row < rowCount; row++) into[row] = values[row] === NULL ? 1 : 0
}

/** Marks the nulls of a vector of texts. */
export function textNulls(values: Texts, into: Uint8Array, rowCount: number): void {
  for (let row = 0; row < rowCount; row++) into[row] = values[row] === null ? 1 : 0
}
