import { CountMatrix } from './count-matrix.ts'
import { PairCounts } from './pair-counts.ts'

/** Counts by pairs (slot, value): a matrix while the values are few, and what has a place only for pairs that there are from then on. */
export class SlotCounts {
  #matrix: CountMatrix | undefined = new CountMatrix()
  #pairs = new PairCounts()
  #slotCount = 0

  /** Makes room for slots below the count. */
  grow(slotCount: number): void {
    this.#slotCount = Math.max(this.#slotCount, slotCount)
    this.#matrix?.reserve(slotCount, 0)
  }

  /** Adds to the pair's count, which must not fall below zero. */
  add(slot: number, value: number, count: number): void {
    this.grow(slot + 1)
    const matrix = this.#matrixFor(value + 1)
    if (matrix) matrix.add(slot, value, count)
    else this.#pairs.add(slot, value, count)
  }

  /** Counts each `byRow[rows[i]]`, all below `valueCount`, of `slots[i]`, i < count; negative ones are left out. */
  addRows(valueCount: number, byRow: Int32Array, rows: Int32Array, slots: Int32Array, count: number): void {
    const matrix = this.#matrixFor(valueCount)
    if (matrix) matrix.addRows(byRow, rows, slots, count)
    else countPairs(this.#pairs, byRow, rows, slots, count)
  }

  /** Adds, `times` times, what others have at `from[i]` to `to[i]`, i < count. */
  addCounts(other: SlotCounts, from: Int32Array, to: Int32Array, count: number, times: 1 | -1): void {
    const [matrix, theirs] = [this.#matrix, other.#matrix]
    if (matrix && theirs) {
      matrix.addMatrix(theirs, from, to, count, times)
      return
    }
    for (let index = 0; index < count; index++) {
      other.each(from[index], (value, held) => this.add(to[index], value, held * times))
    }
  }

  /** How many values a slot has. */
  size(slot: number): number {
    return this.#matrix ? this.#matrix.size(slot) : this.#pairs.size(slot)
  }

  /** Slots with more values than this. */
  largerThan(limit: number): number[] {
    if (!this.#matrix) return this.#pairs.largerThan(limit)
    if (limit >= CountMatrix.VALUES_MAX) return []
    const slots: number[] = []
    for (let slot = 0; slot < this.#slotCount; slot++) if (this.#matrix.size(slot) > limit) slots.push(slot)
    return slots
  }

  /** Calls back with the values of a slot and their counts, in no order. */
  each(slot: number, visit: (value: number, count: number) => void): void {
    if (this.#matrix) this.#matrix.each(slot, visit)
    else this.#pairs.each(slot, visit)
  }

  clear(slot: number): void {
    this.#matrix?.clear(slot)
    this.#pairs.clear(slot)
  }

  /** Gives every value another number, different ones for different ones. */
  renumber(newNumber: (value: number) => number): void {
    this.#becomePairs()
    this.#pairs.renumber(newNumber)
  }

  #matrixFor(valueCount: number): CountMatrix | undefined {
    if (valueCount > CountMatrix.VALUES_MAX) this.#becomePairs()
    else this.#matrix?.reserve(0, valueCount)
    return this.#matrix
  }

  #becomePairs(): void {
    this.#matrix?.eachPair((slot, value, count) => this.#pairs.add(slot, value, count))
    this.#matrix = undefined
  }
}

function countPairs(counts: PairCounts, byRow: Int32Array, rows: Int32Array, slots: Int32Array, count: number): void {
  for (let index = 0; index < count; index++) {
    const value = byRow[rows[index]]
    if (value >= 0) counts.add(slots[index], value, 1)
  }
}
