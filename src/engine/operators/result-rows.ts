import type { ByteWriter } from '../../base/bytes.ts'
import type { Column } from '../../batch/column.ts'
import { type ResultBatch, RowChange } from '../../batch/result-batch.ts'
import type { Field } from '../../batch/schema.ts'
import type { AggregateNode } from '../../plan/node.ts'
import { META_FINAL } from '../../plan/node.ts'
import { ColumnBuilder } from '../column-builder.ts'
import { decodeKeyPart } from '../keys/key-codec.ts'
import type { KeyTable } from '../keys/key-table.ts'

/** Collects a query's result rows as columns: what says which window, the keys, the aggregates, and, when asked for, `final` and `version`. */
export class ResultRows {
  readonly #fields: readonly Field[]
  readonly #builders: readonly ColumnBuilder[]
  readonly #bounds: readonly ColumnBuilder[]
  readonly #keys: readonly ColumnBuilder[]
  readonly #aggregates: readonly ColumnBuilder[]
  readonly #meta: readonly ColumnBuilder[]
  readonly #epoch: number
  readonly #changes: ByteWriter | undefined
  #rowCount = 0

  /** `changes` collects `RowChange`s; without it every row is final. */
  constructor(fields: readonly Field[], node: AggregateNode, epoch: number, changes?: ByteWriter) {
    this.#fields = fields
    this.#epoch = epoch
    this.#changes = changes
    this.#builders = fields.map((field) => new ColumnBuilder(field))
    const metaCount = fields.some(({ name }) => name === META_FINAL) ? 2 : 0
    const aggregatesFrom = fields.length - metaCount - node.aggregates.length
    const keysFrom = aggregatesFrom - node.keys.length
    this.#bounds = this.#builders.slice(0, keysFrom)
    this.#keys = this.#builders.slice(keysFrom, aggregatesFrom)
    this.#aggregates = this.#builders.slice(aggregatesFrom, fields.length - metaCount)
    this.#meta = this.#builders.slice(fields.length - metaCount)
  }

  /** Adds the row of one group: its window in numbers, its key, and its slot in each aggregate's state. */
  add(
    bounds: readonly number[],
    key: Uint8Array,
    states: readonly SlotResult[],
    slot: number,
    change: number = RowChange.final,
  ): void {
    for (let index = 0; index < this.#bounds.length; index++) this.#bounds[index]?.number(bounds[index] as number)
    let at = 0
    for (const builder of this.#keys) at = decodeKeyPart(builder, key, at)
    for (let index = 0; index < states.length; index++) {
      states[index]?.result(slot, this.#aggregates[index] as ColumnBuilder)
    }
    this.#meta[0]?.boolean(change !== RowChange.updated)
    this.#meta[1]?.number(this.#epoch)
    this.#changes?.u8(change)
    this.#rowCount++
  }

  /** Adds final rows of many groups that share their bounds, column by column. */
  addAll(bounds: readonly number[], { slots, keyId, states }: Groups, keys: KeyTable): void {
    const count = slots.length
    for (let index = 0; index < this.#bounds.length; index++) {
      this.#bounds[index]?.repeat(bounds[index] as number, count)
    }
    if (this.#keys.length > 0) for (let at = 0; at < count; at++) keys.decode(keyId(slots[at] as number), this.#keys)
    for (let index = 0; index < states.length; index++) {
      const to = this.#aggregates[index] as ColumnBuilder
      const state = states[index] as SlotResult
      if (state.results) state.results(slots, to)
      else for (let at = 0; at < count; at++) state.result(slots[at] as number, to)
    }
    this.#meta[0]?.repeat(1, count)
    this.#meta[1]?.repeat(this.#epoch, count)
    for (let at = 0; this.#changes && at < count; at++) this.#changes.u8(RowChange.final)
    this.#rowCount += count
  }

  finish(): ResultBatch {
    const columns: Column[] = this.#builders.map((builder) => builder.finish())
    const changes = this.#changes ? { changes: this.#changes.finish() } : {}
    return { fields: this.#fields, columns, rowCount: this.#rowCount, ...changes }
  }
}

/** Whatever gives a group's value of one aggregate. */
export interface SlotResult {
  result(slot: number, to: ColumnBuilder): void
  /** The same for many groups at once, for those that are faster so. */
  results?(slots: Int32Array, to: ColumnBuilder): void
}

/** Groups with their keys and values, in the order of the rows. */
interface Groups {
  readonly slots: Int32Array
  keyId(slot: number): number
  readonly states: readonly SlotResult[]
}
