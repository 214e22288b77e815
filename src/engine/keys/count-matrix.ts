/** Values below it have a column; it doubles up to the most. */
const WIDTH_MIN = 4

/**
 * Counts by pairs (slot, value) where all values are small numbers: for what has few different values, such as types of events.
 *
 *   counts   slot 0: value 0, value 1, ... | slot 1: ... |
 */
export class CountMatrix {
  /** Values that there can be. */
  static readonly VALUES_MAX = 16
  #width = WIDTH_MIN
  #counts = new Float64Array(0)

  /** Makes room for slots and values below these. */
  reserve(slotCount: number, valueCount: number): void {
    let width = this.#width
    while (width < valueCount) width *= 2
    const slots = this.#slots
    if (width === this.#width && slotCount <= slots) return
    const before = this.#counts
    const counts = new Float64Array((slotCount <= slots ? slots : Math.max(slotCount, slots * 2)) * width)
    if (width === this.#width) counts.set(before)
    else
      for (let at = 0; at < before.length; at++)
        counts[Math.floor(at / this.#width) * width + (at % this.#width)] = before[at]
    this.#width = width
    this.#counts = counts
  }

  /** Adds to the count of a pair that there is room for. */
  add(slot: number, value: number, count: number): void {
    this.#counts[slot * this.#width + value] += count
  }

  /** Counts each `byRow[rows[i]]` of `slots[i]`, i < count, for which there is room; negative ones are left out. */
  addRows(byRow: Int32Array, rows: Int32Array, slots: Int32Array, count: number): void {
    countRows(this.#counts, this.#width, byRow, rows, slots, count)
  }

  /** Adds, `times` times, the counts that another matrix has at `from[i]` to `to[i]`, i < count. */
  addMatrix(other: CountMatrix, from: Int32Array, to: Int32Array, count: number, times: 1 | -1): void {
    this.reserve(0, other.#width)
    const width = other.#width
    for (let index = 0; index < count; index++) {
      const source = from[index] * width
      const target = to[index] * this.#width
      for (let value = 0; value < width; value++) this.#counts[target + value] += other.#counts[source + value] * times
    }
  }

  /** How many values a slot has a count of. */
  size(slot: number): number {
    let size = 0
    this.each(slot, () => size++)
    return size
  }

  /** Calls back with the values of a slot and their counts. */
  each(slot: number, visit: (value: number, count: number) => void): void {
    if (slot >= this.#slots) return
    const start = slot * this.#width
    for (let value = 0; value < this.#width; value++) {
      const count = this.#counts[start + value]
      if (count !== 0) visit(value, count)
    }
  }

  /** Calls back with every pair. */
  eachPair(visit: (slot: number, value: number, count: number) => void): void {
    for (let slot = 0; slot < this.#slots; slot++) this.each(slot, (value, count) => visit(slot, value, count))
  }

  clear(slot: number): void {
    if (slot < this.#slots) this.#counts.fill(0, slot * this.#width, (slot + 1) * this.#width)
  }

  get #slots(): number {
    return this.#counts.length / this.#width
  }
}

function countRows(
  counts: Float64Array,
  width: number,
  byRow: Int32Array,
  rows: Int32Array,
  slots: Int32Array,
  count: number,
): void {
  for (let index = 0; index < count; index++) {
    const value = byRow[rows[index]]
    if (value >= 0) counts[slots[index] * width + value]++
  }
}
