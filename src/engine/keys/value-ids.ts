import { ByteWriter } from '../../base/bytes.ts'
import type { Batch } from '../../batch/batch.ts'
import { BOOLEAN_NULL, type Column } from '../../batch/column.ts'
import { copyShort } from '../../batch/dictionary.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import { CodeIds } from './code-ids.ts'
import { Interner } from './interner.ts'
import { decodeKeyPart, encodeKeyPart, framePlainText } from './key-codec.ts'
import { TupleIds } from './tuple-ids.ts'

/**
 * Gives each row the dense id of its value, or tuple of values, over some columns. A dictionary column costs one array look-up a row once
 * a code is known, a tuple one more look-up per further column; everything else is encoded and interned.
 */
export class ValueIds {
  /** Another one after `forget`. */
  interner: Interner
  readonly #columnIndexes: readonly number[]
  readonly #seed: number
  readonly #writer = new ByteWriter(256)
  readonly #codes = new CodeIds()
  readonly #text = new Uint8Array(256)
  #tuples: TupleIds | undefined
  #ids = new Int32Array(1024)

  constructor(columnIndexes: readonly number[], seed: number) {
    this.#columnIndexes = columnIndexes
    this.#seed = seed
    this.interner = new Interner(seed)
    this.#tuples = this.#newTuples()
  }

  /** Ids of the rows that are selected, by row; valid until the next call. */
  of(batch: Batch, rows: Int32Array, count: number): Int32Array {
    const ids = this.#room(batch.rowCount)
    if (this.#columnIndexes.length === 0) return ids.fill(this.interner.intern(EMPTY), 0, batch.rowCount)
    if (this.#tuples?.full) this.#tuples = this.#newTuples()
    if (this.#tuples) {
      this.#tuples.of(batch, rows, count, ids, (row) => this.#intern(batch, row))
      return ids
    }
    const column = batch.columns[this.#columnIndexes[0] as number] as Column
    if (column.kind === 'dictionary') {
      this.#codes.of(column, rows, count, ids, (row) => this.#intern(batch, row))
      return ids
    }
    for (let index = 0; index < count; index++) {
      const row = rows[index] as number
      ids[row] = this.#intern(batch, row)
    }
    return ids
  }

  /** The same over a single column, with -1 for null. */
  nonNull(batch: Batch, rows: Int32Array, count: number): Int32Array {
    const ids = this.of(batch, rows, count)
    markNulls(batch.columns[this.#columnIndexes[0] as number] as Column, ids, rows, count)
    return ids
  }

  /** Appends the value to a result column, of a single text column. */
  build(id: number, to: ColumnBuilder): void {
    decodeKeyPart(to, this.interner.bytes(id), 0)
  }

  /** Starts over with those values that `renumber` asks the new ids of; rows that have them are known as fast as before. */
  forget(renumber: (newId: (id: number) => number) => void): void {
    const before = this.interner
    const interner = new Interner(this.#seed)
    const newIds = new Int32Array(before.size).fill(NO_ID)
    renumber((id) => {
      if (newIds[id] === NO_ID) newIds[id] = interner.intern(before.bytes(id))
      return newIds[id] as number
    })
    this.interner = interner
    this.#codes.renumber(newIds)
    this.#tuples = this.#newTuples()
  }

  #newTuples(): TupleIds | undefined {
    if (this.#columnIndexes.length < 2) return undefined
    return new TupleIds(this.#columnIndexes.map((index) => new ValueIds([index], this.#seed)))
  }

  #room(rowCount: number): Int32Array {
    if (this.#ids.length < rowCount) this.#ids = new Int32Array(rowCount * 2)
    return this.#ids
  }

  #intern(batch: Batch, row: number): number {
    if (this.#columnIndexes.length === 1) {
      const length = this.#copyText(batch.columns[this.#columnIndexes[0] as number] as Column, row)
      if (length >= 0) return this.interner.intern(this.#text, length)
    }
    this.#writer.clear()
    for (const index of this.#columnIndexes) encodeKeyPart(this.#writer, batch.columns[index] as Column, row)
    return this.interner.intern(this.#writer.view())
  }

  /** The key of a text that is usual, without a view of anything; gives its length, or -1 when it has to go the long way. */
  #copyText(column: Column, row: number): number {
    if (column.kind === 'dictionary') {
      const code = column.codes[row] as number
      return code < 0 ? -1 : framePlainText(this.#text, column.dictionary.copyTo(code, this.#text, 1))
    }
    if (column.kind !== 'string') return -1
    const length = column.lengths[row] as number
    if (length < 0) return -1
    return framePlainText(this.#text, copyShort(column.data, column.starts[row] as number, length, this.#text, 1))
  }
}

const EMPTY = new Uint8Array(0)
const NO_ID = -1

function markNulls(column: Column, ids: Int32Array, rows: Int32Array, count: number): void {
  switch (column.kind) {
    case 'dictionary':
      markNegative(column.codes, ids, rows, count)
      return
    case 'string':
      markNegative(column.lengths, ids, rows, count)
      return
    default:
      for (let index = 0; index < count; index++) {
        const row = rows[index] as number
        if (nullAt(column, row)) ids[row] = -1
      }
  }
}

function markNegative(values: Int32Array, ids: Int32Array, rows: Int32Array, count: number): void {
  for (let index = 0; index < count; index++) {
    const row = rows[index] as number
    if ((values[row] as number) < 0) ids[row] = -1
  }
}

function nullAt(column: Column, row: number): boolean {
  switch (column.kind) {
    case 'number':
      return Number.isNaN(column.values[row])
    case 'boolean':
      return column.values[row] === BOOLEAN_NULL
    case 'int32':
    case 'uuid':
      return column.validity[row] === 0
    default:
      return false
  }
}
