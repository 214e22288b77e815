import { ByteWriter } from '../../base/bytes.ts'
import { hashHigh, hashLow, xxhash64 } from '../../base/xxhash64.ts'
import type { Batch } from '../../batch/batch.ts'
import type { Column } from '../../batch/column.ts'
import { encodeKeyPart } from '../keys/key-codec.ts'
import type { HashKey } from '../keys/key-table.ts'
import type { IdHash } from './seen-ids.ts'

/** Hashes the values of an id column: twice XXH64, under two seeds of the checkpoint, so that nobody outside can make two collide. */
export class IdHashes {
  readonly #columnIndex: number
  readonly #seeds: readonly [number, number]
  readonly #writer = new ByteWriter(128)

  constructor(columnIndex: number, hashKey: HashKey) {
    this.#columnIndex = columnIndex
    this.#seeds = [hashKey[0] & 0x7fffffff, hashKey[1] & 0x7fffffff]
  }

  /** Undefined for null. Ids of different scopes are different. */
  of(batch: Batch, row: number, scope: number): IdHash | undefined {
    const writer = this.#writer
    writer.clear()
    encodeKeyPart(writer, batch.columns[this.#columnIndex] as Column, row)
    if (writer.length === 1) return undefined
    writer.u32(scope)
    const bytes = writer.view()
    xxhash64(bytes, 0, bytes.length, this.#seeds[0])
    const word0 = hashHigh
    const word1 = hashLow === 0 && hashHigh === 0 ? 1 : hashLow
    xxhash64(bytes, 0, bytes.length, this.#seeds[1])
    return { word0, word1, word2: hashHigh, word3: hashLow }
  }
}
