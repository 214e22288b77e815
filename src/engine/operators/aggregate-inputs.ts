import type { Batch } from '../../batch/batch.ts'
import type { Field } from '../../batch/schema.ts'
import type { AggregateNode } from '../../plan/node.ts'
import type { AggregateState, Aggregator } from '../aggregates/aggregate.ts'
import { createAggregator } from '../aggregates/index.ts'
import type { HashKey } from '../keys/key-table.ts'
import type { Selection } from '../operator.ts'
import { compilePredicate, type Predicate, TRUE } from '../predicate.ts'
import type { FilteredRows } from './running-window.ts'

/** The aggregates of a query with the filters before each, and the scratch that a batch needs on its way into their states. */
export class AggregateInputs {
  readonly aggregators: readonly Aggregator[]
  readonly #filters: readonly (Predicate | undefined)[]
  /** By aggregate: true where the row may take part, for the current batch. */
  #truths: (Uint8Array | undefined)[]
  readonly #filtered: { rows: Int32Array; slots: Int32Array }[]

  constructor(node: AggregateNode, { fields, eventTimeIndex, hashKey: [seed] }: AggregateInputsOptions) {
    this.aggregators = node.aggregates.map(({ spec }) => createAggregator(spec, { fields, eventTimeIndex, seed }))
    this.#filters = node.aggregates.map(({ spec }) => spec.where && compilePredicate(spec.where, fields))
    this.#truths = this.#filters.map(() => undefined)
    this.#filtered = this.#filters.map(() => ({ rows: new Int32Array(0), slots: new Int32Array(0) }))
  }

  newStates(): AggregateState[] {
    return this.aggregators.map((aggregator) => aggregator.newState())
  }

  begin(batch: Batch, { rows, count, partition }: Selection): void {
    for (const [index, aggregator] of this.aggregators.entries()) {
      aggregator.begin(batch, rows, count, partition)
      // A predicate's answer is valid until it is asked again; equal predicates are not shared.
      this.#truths[index] = this.#filters[index]?.(batch)
    }
  }

  /** Feeds rows with their slots to the states; gives the rows that each has taken. */
  update(states: readonly AggregateState[], rows: Int32Array, slots: Int32Array, count: number): FilteredRows[] {
    return states.map((state, index) => {
      const truths = this.#truths[index]
      if (!truths) {
        state.update(rows, slots, count)
        return { rows, count }
      }
      const kept = this.#room(index, count)
      const keptCount = filterRows(truths, rows, slots, count, kept.rows, kept.slots)
      state.update(kept.rows, kept.slots, keptCount)
      return { rows: kept.rows, count: keptCount }
    })
  }

  #room(index: number, count: number): { rows: Int32Array; slots: Int32Array } {
    const room = this.#filtered[index] as { rows: Int32Array; slots: Int32Array }
    if (room.rows.length < count) {
      room.rows = new Int32Array(count * 2)
      room.slots = new Int32Array(count * 2)
    }
    return room
  }
}

/** What rows look like, and what is for tables that outsiders' values go into. */
export interface AggregateInputsOptions {
  readonly fields: readonly Field[]
  readonly eventTimeIndex: number
  readonly hashKey: HashKey
}

function filterRows(
  truths: Uint8Array,
  rows: Int32Array,
  slots: Int32Array,
  count: number,
  keptRows: Int32Array,
  keptSlots: Int32Array,
): number {
  let kept = 0
  for (let index = 0; index < count; index++) {
    const row = rows[index] as number
    if (truths[row] !== TRUE) continue
    keptRows[kept] = row
    keptSlots[kept++] = slots[index] as number
  }
  return kept
}
