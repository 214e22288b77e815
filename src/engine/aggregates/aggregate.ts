import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { Batch } from '../../batch/batch.ts'
import type { ColumnBuilder } from '../column-builder.ts'

/**
 * One aggregate of a query, for the life of the engine: what its windows have in common, such as a table of values. Each open window has a
 * state of its own.
 */
export interface Aggregator {
  /** Prepares what all windows need from a batch, before `update` is called for any of them. */
  begin(batch: Batch, rows: Int32Array, count: number): void
  newState(): AggregateState
}

/** The values of one aggregate in one window, by the slot of the group. Order-free: any order of rows gives the same. */
export interface AggregateState {
  /** Makes room for slots below the count; new ones are empty. */
  grow(slotCount: number): void
  /** Takes in `rows[i]` of the batch for the group at `slots[i]`, i < count. */
  update(rows: Int32Array, slots: Int32Array, count: number): void
  result(slot: number, to: ColumnBuilder): void
  /** Canonical: equal values give equal bytes. */
  snapshot(slot: number, writer: ByteWriter): void
  restore(slot: number, reader: ByteReader): void
}

/** The same numbers in an array for at least so many. */
export function grownNumbers(values: Float64Array<ArrayBuffer>, count: number, fill = 0): Float64Array<ArrayBuffer> {
  if (count <= values.length) return values
  const grown = new Float64Array(Math.max(count, values.length * 2)).fill(fill, values.length)
  grown.set(values)
  return grown
}
