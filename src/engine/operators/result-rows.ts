import type { ByteWriter } from '../../base/bytes.ts'
import type { Column } from '../../batch/column.ts'
import type { ResultBatch } from '../../batch/result-batch.ts'
import type { Field } from '../../batch/schema.ts'
import { ColumnBuilder } from '../column-builder.ts'
import { decodeKeyPart } from '../keys/key-codec.ts'

/** Collects a query's result rows as columns: what says which window, the keys, the aggregates. */
export class ResultRows {
  readonly #fields: readonly Field[]
  readonly #bounds: readonly ColumnBuilder[]
  readonly #keys: readonly ColumnBuilder[]
  readonly #aggregates: readonly ColumnBuilder[]
  readonly #changes: ByteWriter | undefined
  #rowCount = 0

  /** The first `boundCount` fields are numbers that say which window, the next `keyCount` are keys. `changes` collects `RowChange`s. */
  constructor(fields: readonly Field[], boundCount: number, keyCount: number, changes?: ByteWriter) {
    this.#fields = fields
    const builders = fields.map((field) => new ColumnBuilder(field))
    this.#bounds = builders.slice(0, boundCount)
    this.#keys = builders.slice(boundCount, boundCount + keyCount)
    this.#aggregates = builders.slice(boundCount + keyCount)
    this.#changes = changes
  }

  /** Adds the row of one group: its window in numbers, its key, and its slot in each aggregate's state. */
  add(bounds: readonly number[], key: Uint8Array, states: readonly SlotResult[], slot: number, change = 0): void {
    for (let index = 0; index < this.#bounds.length; index++) this.#bounds[index]?.number(bounds[index] as number)
    let at = 0
    for (const builder of this.#keys) at = decodeKeyPart(builder, key, at)
    for (let index = 0; index < states.length; index++) {
      states[index]?.result(slot, this.#aggregates[index] as ColumnBuilder)
    }
    this.#changes?.u8(change)
    this.#rowCount++
  }

  finish(): ResultBatch {
    const columns: Column[] = [...this.#bounds, ...this.#keys, ...this.#aggregates].map((builder) => builder.finish())
    const changes = this.#changes ? { changes: this.#changes.finish() } : {}
    return { fields: this.#fields, columns, rowCount: this.#rowCount, ...changes }
  }
}

/** Whatever gives a group's value of one aggregate. */
export interface SlotResult {
  result(slot: number, to: ColumnBuilder): void
}
