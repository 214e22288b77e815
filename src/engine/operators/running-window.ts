import { type AggregateState, type Aggregator, grownInts, type RunningState } from '../aggregates/aggregate.ts'
import type { KeyTable } from '../keys/key-table.ts'
import { SlotTable } from '../keys/slot-table.ts'
import type { Pane } from './pane.ts'
import type { SlotResult } from './result-rows.ts'

/**
 * The sliding window that closed last, kept as one table of groups. To get to the next one, panes at the old end leave and panes at the
 * new end enter, so that the work does not depend on how many panes a window has. Nothing here is state: it can be made anew from the
 * panes at any time.
 */
export class RunningWindow {
  readonly #keys: KeyTable
  readonly #aggregators: readonly Aggregator[]
  readonly #running: readonly (RunningState | undefined)[]
  readonly #slots = new SlotTable()
  /** By slot: how many panes of the window have the group. */
  #panesWith = new Int32Array(64)
  #groups = 0
  #ascending = new Int32Array(0)
  readonly #panes = new Map<number, Pane>()
  /** Slots here of a pane's groups, by its slots there, for panes that are in: both only ever get more. */
  readonly #slotsOf = new Map<Pane, Int32Array>()

  constructor(keys: KeyTable, aggregators: readonly Aggregator[]) {
    this.#keys = keys
    this.#aggregators = aggregators
    this.#running = aggregators.map((aggregator) => aggregator.newRunning?.())
  }

  /** True when most slots are those of groups that have left: better begin anew. */
  get worn(): boolean {
    return this.#slots.size > 2 * this.#groups + 1024
  }

  has(paneStartMs: number): boolean {
    return this.#panes.has(paneStartMs)
  }

  /** Moves on to the window that these panes make, oldest first. */
  moveTo(panes: readonly Pane[]): void {
    const wanted = new Set(panes)
    for (const pane of this.#panes.values()) if (!wanted.has(pane)) this.#leave(pane)
    for (const pane of panes) if (!this.#panes.has(pane.startMs)) this.#enter(pane)
  }

  /** Rows have come for a pane that is in; `sizeBefore` is how many groups it had. */
  rowsArrived(pane: Pane, ids: Int32Array, sizeBefore: number, filtered: readonly FilteredRows[]): void {
    for (let slot = sizeBefore; slot < pane.size; slot++) this.#join(pane.slots.keyId(slot))
    for (const state of this.#running) state?.grow(this.#slots.size)
    for (const [index, { rows, count }] of filtered.entries()) {
      const slots = new Int32Array(count)
      this.#slots.assign(ids, rows, 0, count, slots)
      this.#running[index]?.update(pane.startMs, rows, slots, count)
    }
  }

  /** Groups of another pane have been added to one that is in; `sizeBefore` is how many groups it had. */
  groupsArrived(pane: Pane, sizeBefore: number, arrived: Pane, from: Int32Array): void {
    for (let slot = sizeBefore; slot < pane.size; slot++) this.#join(pane.slots.keyId(slot))
    const to = from.map((slot) => this.#slots.slot(arrived.slots.keyId(slot)))
    for (const [index, state] of this.#running.entries()) {
      state?.grow(this.#slots.size)
      state?.enter(pane.startMs, arrived.states[index] as AggregateState, from, to, from.length)
    }
  }

  /** The groups of the window by slot, in the order of their keys. */
  sortedSlots(): Int32Array {
    const slots = new Int32Array(this.#groups)
    let count = 0
    for (let slot = 0; slot < this.#slots.size; slot++) if ((this.#panesWith[slot] as number) > 0) slots[count++] = slot
    this.#keys.sort(slots, this.#slots.keyIds)
    return slots
  }

  keyId(slot: number): number {
    return this.#slots.keyId(slot)
  }

  /** What gives the values of each aggregate; those that cannot slide are folded together from the panes. */
  results(): SlotResult[] {
    return this.#running.map((state, index) => state ?? this.#folded(index))
  }

  #folded(index: number): AggregateState {
    const state = (this.#aggregators[index] as Aggregator).newState()
    state.grow(this.#slots.size)
    for (const pane of this.#panes.values()) {
      const { from, to } = this.#mapping(pane)
      state.fold(pane.states[index] as AggregateState, from, to, from.length)
    }
    return state
  }

  #enter(pane: Pane): void {
    for (const keyId of pane.slots.keyIds) this.#join(keyId)
    this.#panes.set(pane.startMs, pane)
    const { from, to } = this.#mapping(pane)
    for (const [index, state] of this.#running.entries()) {
      state?.grow(this.#slots.size)
      state?.enter(pane.startMs, pane.states[index] as AggregateState, from, to, from.length)
    }
  }

  #leave(pane: Pane): void {
    const { from, to } = this.#mapping(pane)
    for (const [index, state] of this.#running.entries()) {
      state?.leave(pane.startMs, pane.states[index] as AggregateState, from, to, from.length)
    }
    this.#panes.delete(pane.startMs)
    this.#slotsOf.delete(pane)
    for (const slot of to) {
      const left = (this.#panesWith[slot] as number) - 1
      this.#panesWith[slot] = left
      if (left > 0) continue
      this.#groups--
      for (const state of this.#running) state?.clear(slot)
    }
  }

  /** One more pane has the group. */
  #join(keyId: number): void {
    const slot = this.#slots.slot(keyId)
    this.#panesWith = grownInts(this.#panesWith, slot + 1)
    if (this.#panesWith[slot] === 0) this.#groups++
    this.#panesWith[slot] = (this.#panesWith[slot] as number) + 1
  }

  /** Slots of the pane's groups, and their slots here. */
  #mapping(pane: Pane): { from: Int32Array; to: Int32Array } {
    const { keyIds } = pane.slots
    let to = this.#slotsOf.get(pane)
    if (to?.length !== keyIds.length) {
      to = new Int32Array(keyIds.length)
      for (let slot = 0; slot < keyIds.length; slot++) to[slot] = this.#slots.slot(keyIds[slot] as number)
      this.#slotsOf.set(pane, to)
    }
    return { from: this.#upTo(keyIds.length), to }
  }

  /** 0, 1, 2, ... */
  #upTo(count: number): Int32Array {
    if (this.#ascending.length < count) this.#ascending = Int32Array.from({ length: count * 2 }, (_, at) => at)
    return this.#ascending.subarray(0, count)
  }
}

/** The rows that one aggregate takes in, after its own filter. */
export interface FilteredRows {
  readonly rows: Int32Array
  readonly count: number
}
