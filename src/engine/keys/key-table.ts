import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { hashHigh, hashLow, xxhash64 } from '../../base/xxhash64.ts'
import type { Batch } from '../../batch/batch.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import { ValueIds } from './value-ids.ts'

/** Shards that keys are spread over, whatever the number of workers; fixed, because snapshots are cut by them. */
export const SHARDS = 64

/** Keys of live groups are kept at least up to this many before those of closed windows are let go of. */
const FORGET_MIN = 65_536

/** Two words drawn when the checkpoint was made: what is persisted or routed by hash must not depend on a process. */
export type HashKey = readonly [number, number]

/** The keys of one operator: an id for each, its bytes, their order, and the shard that owns it. */
export class KeyTable {
  readonly #hashKey: HashKey
  readonly #values: ValueIds
  /** Shard + 1 by key id. */
  #shards = new Uint8Array(64)

  constructor(columnIndexes: readonly number[], hashKey: HashKey) {
    this.#hashKey = hashKey
    this.#values = new ValueIds(columnIndexes, hashKey[0])
  }

  get size(): number {
    return this.#values.interner.size
  }

  /** Ids of the rows that are selected, by row; valid until the next call. */
  of(batch: Batch, rows: Int32Array, count: number): Int32Array {
    return this.#values.of(batch, rows, count)
  }

  bytes(id: number): Uint8Array {
    return this.#values.interner.bytes(id)
  }

  /** Appends the parts of a key, one to each column. */
  decode(id: number, to: readonly ColumnBuilder[]): void {
    this.#values.interner.decode(id, to)
  }

  intern(bytes: Uint8Array): number {
    return this.#values.interner.intern(bytes)
  }

  /** Appends a key with its length. */
  write(id: number, writer: ByteWriter): void {
    this.#values.interner.write(id, writer)
  }

  /** The id of a key that `write` has written. */
  read(reader: ByteReader): number {
    return this.#values.interner.read(reader)
  }

  /** The id of a key, or -1 when it has none. */
  find(bytes: Uint8Array): number {
    return this.#values.interner.find(bytes)
  }

  compare(left: number, right: number): number {
    return this.#values.interner.compare(left, right)
  }

  /** Sorts items in place by their keys, `keyIds[item]`; those of one key stay in their order. */
  sort(items: Int32Array, keyIds: Int32Array): void {
    this.#values.interner.sort(items, keyIds)
  }

  /** From 0 to `SHARDS` - 1. */
  shard(id: number): number {
    if (id >= this.#shards.length) {
      const grown = new Uint8Array(Math.max(id + 1, this.#shards.length * 2))
      grown.set(this.#shards)
      this.#shards = grown
    }
    const known = this.#shards[id] as number
    if (known > 0) return known - 1
    const bytes = this.bytes(id)
    xxhash64(bytes, 0, bytes.length, this.#hashKey[0] & 0x7fffffff)
    const shard = (hashHigh ^ hashLow ^ this.#hashKey[1]) & (SHARDS - 1)
    this.#shards[id] = shard + 1
    return shard
  }

  /**
   * Lets go of keys that no group has any more, once they are most of the table. `renumber` is called with what gives each key that is
   * still needed its new id.
   */
  forget(groups: number, renumber: (newId: (id: number) => number) => void): void {
    if (this.size < 2 * groups + FORGET_MIN) return
    this.#shards = new Uint8Array(64)
    this.#values.forget(renumber)
  }
}
