import { type AggregateState, grownInts } from '../aggregates/aggregate.ts'

/** Sessions whose values go into other sessions, gathered so that each aggregate takes all of them at a time. */
export class SessionFolds {
  #from = new Int32Array(64)
  #to = new Int32Array(64)
  #count = 0

  add(gone: number, kept: number): void {
    this.#from = grownInts(this.#from, this.#count + 1)
    this.#to = grownInts(this.#to, this.#count + 1)
    this.#from[this.#count] = gone
    this.#to[this.#count++] = kept
  }

  /** Before the slots of those that are gone are given to others. */
  apply(states: readonly AggregateState[], slotCount: number): void {
    if (this.#count === 0) return
    const gone = this.#from.subarray(0, this.#count)
    for (const state of states) {
      state.grow(slotCount)
      state.fold(state, gone, this.#to, this.#count)
      for (const slot of gone) state.clear(slot)
    }
    this.#count = 0
  }
}
