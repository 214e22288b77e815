import { assert } from '../../base/assert.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import { PairNumbers } from '../keys/pair-numbers.ts'
import { type AggregateState, grownInts, type RunningState } from './aggregate.ts'
import type { ColumnValues } from './column-values.ts'
import { DistinctState } from './distinct-state.ts'

/**
 * Different values in a sliding window: for each (group, value) the last pane that has it. Work per pane is what the pane holds,
 * however many panes make a window.
 */
export class RunningDistinct implements RunningState {
  readonly #values: ColumnValues
  /** Panes that are in, by a number that is never given twice. */
  readonly #numbers = new Map<number, number>()
  readonly #starts = new Map<number, number>()
  #lastNumber = 0
  /** By (slot, value id): number of the last pane that has it. */
  readonly #lastPanes = new PairNumbers()
  #counts = new Int32Array(64)
  #slotCount = 0
  /** Pairs in the window. */
  #size = 0
  readonly #interner: ColumnValues['ids']['interner']

  constructor(values: ColumnValues) {
    this.#values = values
    this.#interner = values.ids.interner
  }

  grow(slotCount: number): void {
    this.#slotCount = Math.max(this.#slotCount, slotCount)
    this.#counts = grownInts(this.#counts, slotCount)
  }

  enter(paneMs: number, state: AggregateState, from: Int32Array, to: Int32Array, count: number): void {
    assert(state instanceof DistinctState, 'states of one aggregate come together')
    assert(this.#interner === this.#values.ids.interner, 'a running window is rebuilt when ids change')
    state.sets.rest()
    const number = this.#numberOf(paneMs)
    this.#reserve(state.sets.size)
    const newest = this.#isNewest(paneMs)
    for (let index = 0; index < count; index++) {
      const slot = to[index] as number
      state.sets.each(from[index] as number, (id) => this.#see(slot, id, number, newest))
    }
  }

  leave(paneMs: number, state: AggregateState, from: Int32Array, to: Int32Array, count: number): void {
    assert(state instanceof DistinctState, 'states of one aggregate come together')
    const number = this.#numberOf(paneMs)
    for (let index = 0; index < count; index++) {
      const slot = to[index] as number
      state.sets.each(from[index] as number, (id) => this.#unsee(slot, id, number))
    }
    this.#numbers.delete(paneMs)
    this.#starts.delete(number)
  }

  update(paneMs: number, rows: Int32Array, slots: Int32Array, count: number): void {
    const number = this.#numberOf(paneMs)
    const { byRow } = this.#values
    this.#reserve(count)
    const newest = this.#isNewest(paneMs)
    for (let index = 0; index < count; index++) {
      const id = byRow[rows[index] as number] as number
      if (id >= 0) this.#see(slots[index] as number, id, number, newest)
    }
  }

  clear(slot: number): void {
    assert(this.#counts[slot] === 0, 'a group leaves when all its panes have left')
  }

  result(slot: number, to: ColumnBuilder): void {
    to.number(this.#counts[slot] as number)
  }

  results(slots: Int32Array, to: ColumnBuilder): void {
    to.gather(this.#counts, slots)
  }

  #numberOf(paneMs: number): number {
    let number = this.#numbers.get(paneMs)
    if (number === undefined) {
      number = ++this.#lastNumber
      this.#numbers.set(paneMs, number)
      this.#starts.set(number, paneMs)
    }
    return number
  }

  #reserve(pairs: number): void {
    this.#lastPanes.reserve(this.#slotCount, this.#values.ids.interner.size, this.#size + pairs)
  }

  #isNewest(paneMs: number): boolean {
    for (const startMs of this.#numbers.keys()) if (startMs > paneMs) return false
    return true
  }

  #see(slot: number, id: number, number: number, newest: boolean): void {
    const at = this.#lastPanes.place(slot, id)
    const { numbers } = this.#lastPanes
    const last = numbers[at] as number
    if (last === 0) {
      this.#counts[slot] = (this.#counts[slot] as number) + 1
      this.#size++
    }
    // Panes may enter out of order: the later one in time counts.
    if (newest || last === 0 || this.#startOf(last) < this.#startOf(number)) numbers[at] = number
  }

  /** The pane leaves: what it has seen last is in the window no more. */
  #unsee(slot: number, id: number, number: number): void {
    const at = this.#lastPanes.place(slot, id)
    const { numbers } = this.#lastPanes
    if (numbers[at] !== number) return
    numbers[at] = 0
    this.#counts[slot] = (this.#counts[slot] as number) - 1
    this.#size--
  }

  #startOf(number: number): number {
    return this.#starts.get(number) ?? Number.NEGATIVE_INFINITY
  }
}
