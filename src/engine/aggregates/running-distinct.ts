import { assert } from '../../base/assert.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import { hashPair } from '../keys/pair-set.ts'
import { type AggregateState, grownInts, type RunningState } from './aggregate.ts'
import type { ColumnValues } from './column-values.ts'
import { DistinctState } from './count-distinct.ts'

const FREE = 0

/**
 * Different values in a sliding window: for each (group, value) the last pane that has it. Work per pane is what the pane holds,
 * however many panes make a window.
 *
 *   table   group slot + 1 | value id | number of the last pane        0 in a free place
 */
export class RunningDistinct implements RunningState {
  readonly #values: ColumnValues
  /** Panes that are in, by a number that is never given twice. */
  readonly #numbers = new Map<number, number>()
  readonly #starts = new Map<number, number>()
  #lastNumber = 0
  #table = new Int32Array(WIDTH * 256)
  #used = 0
  #counts = new Int32Array(64)
  readonly #interner: ColumnValues['ids']['interner']

  constructor(values: ColumnValues) {
    this.#values = values
    this.#interner = values.ids.interner
  }

  grow(slotCount: number): void {
    this.#counts = grownInts(this.#counts, slotCount)
  }

  enter(paneMs: number, state: AggregateState, from: Int32Array, to: Int32Array, count: number): void {
    assert(state instanceof DistinctState, 'states of one aggregate come together')
    assert(this.#interner === this.#values.ids.interner, 'a running window is rebuilt when ids change')
    state.rest()
    const number = this.#numberOf(paneMs)
    for (let index = 0; index < count; index++) {
      const slot = to[index] as number
      state.pairs.each(from[index] as number, (id) => this.#see(slot, id, number))
    }
  }

  leave(paneMs: number, state: AggregateState, from: Int32Array, to: Int32Array, count: number): void {
    assert(state instanceof DistinctState, 'states of one aggregate come together')
    const number = this.#numberOf(paneMs)
    for (let index = 0; index < count; index++) {
      const slot = to[index] as number
      state.pairs.each(from[index] as number, (id) => this.#unsee(slot, id, number))
    }
    this.#numbers.delete(paneMs)
    this.#starts.delete(number)
  }

  update(paneMs: number, rows: Int32Array, slots: Int32Array, count: number): void {
    const number = this.#numberOf(paneMs)
    const { byRow } = this.#values
    for (let index = 0; index < count; index++) {
      const id = byRow[rows[index] as number] as number
      if (id >= 0) this.#see(slots[index] as number, id, number)
    }
  }

  clear(slot: number): void {
    assert(this.#counts[slot] === 0, 'a group leaves when all its panes have left')
  }

  result(slot: number, to: ColumnBuilder): void {
    to.number(this.#counts[slot] as number)
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

  #see(slot: number, id: number, number: number): void {
    const at = this.#find(slot, id)
    if (this.#table[at] !== FREE) {
      const last = this.#table[at + 2] as number
      if (last === 0) this.#counts[slot] = (this.#counts[slot] as number) + 1
      // Panes may enter out of order: the later one in time counts.
      if (last === 0 || this.#startOf(last) < this.#startOf(number)) this.#table[at + 2] = number
      return
    }
    this.#table[at] = slot + 1
    this.#table[at + 1] = id
    this.#table[at + 2] = number
    this.#counts[slot] = (this.#counts[slot] as number) + 1
    if (++this.#used * 2 * WIDTH > this.#table.length) this.#rebuild()
  }

  /** The pane leaves: what it has seen last is in the window no more. */
  #unsee(slot: number, id: number, number: number): void {
    const at = this.#find(slot, id)
    if (this.#table[at] === FREE || this.#table[at + 2] !== number) return
    this.#table[at + 2] = 0
    this.#counts[slot] = (this.#counts[slot] as number) - 1
  }

  #startOf(number: number): number {
    return this.#starts.get(number) ?? Number.NEGATIVE_INFINITY
  }

  #find(slot: number, id: number): number {
    const table = this.#table
    const mask = table.length / WIDTH - 1
    let at = hashPair(slot, id) & mask
    for (let key = table[at * WIDTH] as number; key !== FREE; key = table[at * WIDTH] as number) {
      if (key === slot + 1 && table[at * WIDTH + 1] === id) break
      at = (at + 1) & mask
    }
    return at * WIDTH
  }

  /** Drops pairs that are in no pane, and makes room. */
  #rebuild(): void {
    const old = this.#table
    let live = 0
    for (let from = 0; from < old.length; from += WIDTH) if (old[from] !== FREE && old[from + 2] !== 0) live++
    this.#table = new Int32Array(live * 4 * WIDTH > old.length ? old.length * 2 : old.length)
    this.#used = live
    for (let from = 0; from < old.length; from += WIDTH) {
      if (old[from] === FREE || old[from + 2] === 0) continue
      const at = this.#find((old[from] as number) - 1, old[from + 1] as number)
      this.#table.set(old.subarray(from, from + WIDTH), at)
    }
  }
}

const WIDTH = 3
