import { ByteWriter } from '../base/bytes.ts'
import type { Batch } from '../batch/batch.ts'
import type { Column } from '../batch/column.ts'
import type { Dictionary } from '../batch/dictionary.ts'
import type { ColumnBuilder } from './column-builder.ts'
import { grownInts, Interner } from './interner.ts'
import { decodeKeyPart, encodeKeyPart } from './key-codec.ts'

/**
 * Gives each row the dense id of its value, or tuple of values, over some columns. A single dictionary column costs one array look-up a
 * row once a code is known; everything else is encoded and interned.
 */
export class ValueIds {
  readonly interner: Interner
  readonly #columnIndexes: readonly number[]
  readonly #writer = new ByteWriter(256)
  /** Id + 1 by code, of the dictionary last seen. */
  #cache = new Int32Array(64)
  #cached: Dictionary | undefined
  #nullId = -1
  #ids = new Int32Array(1024)

  constructor(columnIndexes: readonly number[], seed: number) {
    this.#columnIndexes = columnIndexes
    this.interner = new Interner(seed)
  }

  /** Ids of the rows that are selected, by row; valid until the next call. */
  of(batch: Batch, rows: Int32Array, count: number): Int32Array {
    while (this.#ids.length < batch.rowCount) this.#ids = new Int32Array(this.#ids.length * 2)
    const ids = this.#ids
    const first =
      this.#columnIndexes.length === 1 ? (batch.columns[this.#columnIndexes[0] as number] as Column) : undefined
    if (first?.kind === 'dictionary') {
      this.#useDictionary(first.dictionary)
      for (let index = 0; index < count; index++) {
        const row = rows[index] as number
        const code = first.codes[row] as number
        const known = code < 0 ? this.#nullId : (this.#cache[code] as number) - 1
        ids[row] = known >= 0 ? known : this.#learn(batch, row, code)
      }
      return ids
    }
    for (let index = 0; index < count; index++) {
      const row = rows[index] as number
      ids[row] = this.#intern(batch, row)
    }
    return ids
  }

  /** True when the id stands for null, of a single column. */
  null(id: number): boolean {
    return this.interner.bytes(id).length === 1
  }

  /** Appends the value to a result column, of a single text column. */
  build(id: number, to: ColumnBuilder): void {
    decodeKeyPart(to, this.interner.bytes(id), 0)
  }

  #useDictionary(dictionary: Dictionary): void {
    if (this.#cached !== dictionary) {
      this.#cached = dictionary
      this.#cache = new Int32Array(64)
    }
    while (this.#cache.length < dictionary.size) this.#cache = grownInts(this.#cache)
  }

  #learn(batch: Batch, row: number, code: number): number {
    const id = this.#intern(batch, row)
    if (code < 0) this.#nullId = id
    else this.#cache[code] = id + 1
    return id
  }

  #intern(batch: Batch, row: number): number {
    this.#writer.clear()
    for (const index of this.#columnIndexes) encodeKeyPart(this.#writer, batch.columns[index] as Column, row)
    return this.interner.intern(this.#writer.view())
  }
}
