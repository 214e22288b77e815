import { type KeyTable, SHARDS } from '../keys/key-table.ts'

/** Tells groups that are kept here from those that are gathered for others. */
export class OwnShards {
  readonly #keys: KeyTable
  /** By shard: 1 for those that are kept here. */
  readonly #isOwn = new Uint8Array(SHARDS)
  /** Whether there are other owners at all. */
  readonly shared: boolean

  constructor(keys: KeyTable, ownShards: readonly number[] | undefined) {
    this.#keys = keys
    this.shared = ownShards !== undefined
    if (!ownShards) this.#isOwn.fill(1)
    for (const shard of ownShards ?? []) this.#isOwn[shard] = 1
  }

  has(keyId: number): boolean {
    return this.#isOwn[this.#keys.shard(keyId)] === 1
  }
}
