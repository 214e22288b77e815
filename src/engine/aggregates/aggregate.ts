import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { Batch } from '../../batch/batch.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import type { GroupOrder } from '../operator.ts'

/**
 * One aggregate of a query, for the life of an operator: what its states have in common, such as a table of values. Each pane, window or
 * set of sessions has a state of its own.
 */
export interface Aggregator {
  /**
   * Prepares what all states need from rows of a batch, before `update` is called for any of them. The partition by its index in the
   * engine's list: with a row's offset, it tells the row from all others.
   */
  begin(batch: Batch, rows: Int32Array, count: number, partition: number): void
  newState(): AggregateState
  /** For windows that slide, where panes can come and go; without it a window is folded together from its panes. */
  newRunning?(): RunningState
  /**
   * At the end of an epoch, over all states there are: lets go of values that none of them needs any more, and cuts what is over a limit.
   * True when states have changed, and a running state that knows them as they were has to begin anew.
   */
  forget?(states: readonly AggregateState[]): boolean
}

/**
 * The values of one aggregate by the slot of the group. Order-free: any order of rows, cut into any states that are folded together
 * again, gives the same. `write` and `merge` carry slots between workers and into snapshots, column by column.
 */
export interface AggregateState {
  /** Makes room for slots below the count; new ones are empty. */
  grow(slotCount: number): void
  /** Takes in `rows[i]` of the batch for the group at `slots[i]`, i < count. */
  update(rows: Int32Array, slots: Int32Array, count: number): void
  /** Adds what `from[i]` of another state of the same aggregator holds to `to[i]`, i < count. */
  fold(other: AggregateState, from: Int32Array, to: Int32Array, count: number): void
  /** Takes out again what `fold` has added; absent when the aggregate cannot forget. */
  unfold?(other: AggregateState, from: Int32Array, to: Int32Array, count: number): void
  /** Makes a slot empty, for another group. */
  clear(slot: number): void
  result(slot: number, to: ColumnBuilder): void
  /** `result` of many slots, where that is faster. */
  results?(slots: Int32Array, to: ColumnBuilder): void
  /** Canonical unless another order is allowed: equal values give equal bytes. */
  write(slots: Int32Array, count: number, writer: ByteWriter, order?: GroupOrder): void
  /** Adds what `write` has written for so many slots. */
  merge(slots: Int32Array, count: number, reader: ByteReader): void
}

/**
 * An aggregate over those panes of a sliding window that have entered and not left. Panes are told apart by their start; a row may
 * still come for a pane that is in.
 */
export interface RunningState {
  grow(slotCount: number): void
  /** Takes in a pane, or more of one that is in. */
  enter(paneMs: number, state: AggregateState, from: Int32Array, to: Int32Array, count: number): void
  leave(paneMs: number, state: AggregateState, from: Int32Array, to: Int32Array, count: number): void
  /** Rows of a pane that has entered. */
  update(paneMs: number, rows: Int32Array, slots: Int32Array, count: number): void
  clear(slot: number): void
  result(slot: number, to: ColumnBuilder): void
  /** `result` of many slots, where that is faster. */
  results?(slots: Int32Array, to: ColumnBuilder): void
}

/** The same numbers in an array for at least so many. */
export function grownNumbers(values: Float64Array<ArrayBuffer>, count: number, fill = 0): Float64Array<ArrayBuffer> {
  if (count <= values.length) return values
  const grown = new Float64Array(Math.max(count, values.length * 2)).fill(fill, values.length)
  grown.set(values)
  return grown
}

/** The same integers in an array for at least so many. */
export function grownInts(values: Int32Array<ArrayBuffer>, count: number): Int32Array<ArrayBuffer> {
  if (count <= values.length) return values
  const grown = new Int32Array(Math.max(count, values.length * 2))
  grown.set(values)
  return grown
}
