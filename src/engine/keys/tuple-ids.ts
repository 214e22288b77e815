import type { Batch } from '../../batch/batch.ts'
import { hashPair } from './pair-set.ts'
import type { ValueIds } from './value-ids.ts'

/** Pairs that are remembered before the tables begin anew. */
const PAIRS_MAX = 1 << 21

/**
 * Ids of tuples of values, from the ids of their parts: `((a, b), c)`, each pair looked up in a table of its own. Nothing but a memory:
 * what a tuple's id is, is decided by whoever made it.
 */
export class TupleIds {
  readonly #parts: readonly ValueIds[]
  readonly #tables: readonly PairTable[]
  /** Ids of pairs on the way to the whole tuple, by row. */
  #prefixes: Int32Array[]

  constructor(parts: readonly ValueIds[]) {
    this.#parts = parts
    this.#tables = parts.slice(1).map(() => new PairTable())
    this.#prefixes = this.#tables.slice(1).map(() => new Int32Array(1024))
  }

  /** Writes the ids of the selected rows by row; `learn` is asked for each tuple that is new. */
  of(batch: Batch, rows: Int32Array, count: number, ids: Int32Array, learn: (row: number) => number): void {
    if (this.#prefixes.some((prefix) => prefix.length < batch.rowCount)) {
      this.#prefixes = this.#prefixes.map(() => new Int32Array(batch.rowCount * 2))
    }
    const last = this.#parts.length - 1
    let left = (this.#parts[0] as ValueIds).of(batch, rows, count)
    for (const [index, table] of this.#tables.entries()) {
      const right = (this.#parts[index + 1] as ValueIds).of(batch, rows, count)
      if (index + 1 === last) {
        table.of(left, right, rows, count, ids, learn)
      } else {
        const prefix = this.#prefixes[index] as Int32Array
        table.of(left, right, rows, count, prefix, () => table.size)
        left = prefix
      }
    }
  }

  /** True when so much is remembered that whoever owns this should begin anew. */
  get full(): boolean {
    return this.#tables.some((table) => table.size > PAIRS_MAX)
  }
}

/** Numbers by pairs of ids: open addressing at a load of at most one half. */
class PairTable {
  /** First + 1 (0 is free), second, number. */
  #table = new Int32Array(3 * 256)
  #size = 0

  get size(): number {
    return this.#size
  }

  of(
    left: Int32Array,
    right: Int32Array,
    rows: Int32Array,
    count: number,
    into: Int32Array,
    learn: (row: number) => number,
  ): void {
    for (let index = 0; index < count; index++) {
      const row = rows[index] as number
      const at = find(this.#table, left[row] as number, right[row] as number)
      if (this.#table[at] !== 0) {
        into[row] = this.#table[at + 2] as number
        continue
      }
      const number = learn(row)
      this.#table[at] = (left[row] as number) + 1
      this.#table[at + 1] = right[row] as number
      this.#table[at + 2] = number
      into[row] = number
      if (++this.#size * 6 > this.#table.length) this.#grow()
    }
  }

  #grow(): void {
    const old = this.#table
    this.#table = new Int32Array(old.length * 2)
    for (let from = 0; from < old.length; from += 3) {
      if (old[from] === 0) continue
      const at = find(this.#table, (old[from] as number) - 1, old[from + 1] as number)
      this.#table.set(old.subarray(from, from + 3), at)
    }
  }
}

/** Where the pair stands, or the free place where it belongs. */
function find(table: Int32Array, left: number, right: number): number {
  const mask = table.length / 3 - 1
  let at = hashPair(left, right) & mask
  for (let key = table[at * 3] as number; key !== 0; key = table[at * 3] as number) {
    if (key === left + 1 && table[at * 3 + 1] === right) break
    at = (at + 1) & mask
  }
  return at * 3
}
