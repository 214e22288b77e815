import type { Batch } from '../../batch/batch.ts'
import type { Column, DictionaryColumn } from '../../batch/column.ts'
import type { Dictionary } from '../../batch/dictionary.ts'
import { bytes, floats, type NumberVector, type Texts, type TextVector, type TruthVector } from './vector.ts'

/*
 * An expression that looks at one dictionary column only has one result per code. It is computed when a code is first seen, by
 * running the expression over a batch whose rows are the new codes, and gathered from there for every row.
 *
 *   results   | of null | of code 0 | of code 1 | ...      place code + 1, so that null needs no branch
 *
 * Results are kept by the dictionary object for as long as that lives: a new generation starts anew.
 */

/** Numbers by code of column `index`; row by row where the column is no dictionary. */
export function codeWiseNumbers(inner: NumberVector, index: number): NumberVector {
  const caches = new CodeCaches(
    () => new Float64Array(64),
    (results, from, batch) => {
      const grown =
        results.length >= from + batch.rowCount ? results : copied(results, floats(results, from + batch.rowCount))
      grown.set(inner(batch).subarray(0, batch.rowCount), from)
      return grown
    },
  )
  let values = new Float64Array(0)
  return (batch) => {
    const column = batch.columns[index] as Column
    if (column.kind !== 'dictionary') return inner(batch)
    values = floats(values, batch.rowCount)
    gatherNumbers(caches.of(column.dictionary, index), column.codes, values, batch.rowCount)
    return values
  }
}

function gatherNumbers(results: Float64Array, codes: Int32Array, into: Float64Array, rowCount: number): void {
  for (let row = 0; row < rowCount; row++) into[row] = results[codes[row] + 1]
}

/** Truths by code of column `index`; row by row where the column is no dictionary. */
export function codeWiseTruths(inner: TruthVector, index: number): TruthVector {
  const caches = new CodeCaches(
    () => new Uint8Array(64),
    (results, from, batch) => {
      const grown =
        results.length >= from + batch.rowCount ? results : copied(results, bytes(results, from + batch.rowCount))
      grown.set(inner(batch).subarray(0, batch.rowCount), from)
      return grown
    },
  )
  let values = new Uint8Array(0)
  return (batch) => {
    const column = batch.columns[index] as Column
    if (column.kind !== 'dictionary') return inner(batch)
    values = bytes(values, batch.rowCount)
    gatherTruths(caches.of(column.dictionary, index), column.codes, values, batch.rowCount)
    return values
  }
}

function gatherTruths(results: Uint8Array, codes: Int32Array, into: Uint8Array, rowCount: number): void {
  for (let row = 0; row < rowCount; row++) into[row] = results[codes[row] + 1]
}

/** Texts by code of column `index`; row by row where the column is no dictionary. */
export function codeWiseTexts(inner: TextVector, index: number): TextVector {
  const caches = new CodeCaches(
    (): Texts => [],
    (results, from, batch) => {
      const added = inner(batch)
      for (let row = 0; row < batch.rowCount; row++) results[from + row] = added[row]
      return results
    },
  )
  const values: Texts = []
  return (batch) => {
    const column = batch.columns[index] as Column
    if (column.kind !== 'dictionary') return inner(batch)
    const results = caches.of(column.dictionary, index)
    for (let row = 0; row < batch.rowCount; row++) values[row] = results[column.codes[row] + 1]
    return values
  }
}

/** What is known per dictionary: results of its first codes, extended as it grows. */
export class CodeCaches<R> {
  readonly #begin: () => R
  readonly #extend: (results: R, from: number, batch: Batch) => R
  readonly #caches = new WeakMap<Dictionary, CodeCache<R>>()
  #last: { readonly dictionary: Dictionary; readonly cache: CodeCache<R> } | undefined

  /** `extend` writes the results of a batch's rows from a place on, and gives the results, which may be a longer array. */
  constructor(begin: () => R, extend: (results: R, from: number, batch: Batch) => R) {
    this.#begin = begin
    this.#extend = extend
  }

  /** Results of null and of every code that the dictionary has by now. */
  of(dictionary: Dictionary, columnIndex: number): R {
    const cache = this.#cache(dictionary)
    const count = dictionary.size + 1
    if (cache.known < count) {
      cache.results = this.#extend(cache.results, cache.known, codesBatch(dictionary, columnIndex, cache.known, count))
      cache.known = count
    }
    return cache.results
  }

  #cache(dictionary: Dictionary): CodeCache<R> {
    if (this.#last?.dictionary === dictionary) return this.#last.cache
    const cache = this.#caches.get(dictionary) ?? { results: this.#begin(), known: 0 }
    this.#caches.set(dictionary, cache)
    this.#last = { dictionary, cache }
    return cache
  }
}

interface CodeCache<R> {
  results: R
  /** Places that are filled: that of null, and those of so many codes less one. */
  known: number
}

/** A batch with a row for each of the places [from, to); it has one column. */
function codesBatch(dictionary: Dictionary, columnIndex: number, from: number, to: number): Batch {
  const rowCount = to - from
  const codes = Int32Array.from({ length: rowCount }, (_, row) => from + row - 1)
  const column: DictionaryColumn = { kind: 'dictionary', codes, dictionary }
  const columns: Column[] = []
  columns[columnIndex] = column
  return { ...NO_ROWS, columns, rowCount }
}

const NO_ROWS: Omit<Batch, 'columns' | 'rowCount'> = {
  fields: [],
  status: new Uint8Array(0),
  error: new Uint8Array(0),
  errorField: new Uint8Array(0),
  offsets: new Float64Array(0),
  recordTimes: new Float64Array(0),
  bytes: new Uint8Array(0),
  valueStarts: new Int32Array(0),
  valueLengths: new Int32Array(0),
  duplicateMembers: 0,
}

function copied<T extends Float64Array | Uint8Array>(from: T, to: T): T {
  to.set(from)
  return to
}
