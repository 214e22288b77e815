/** Where some of a segment's batches begin, by offset, so that a reader need not walk from the start. Rebuilt by whoever walks. */
export class SparseIndex {
  readonly #offsets: number[]
  readonly #positions: number[] = [0]

  constructor(baseOffset: number) {
    this.#offsets = [baseOffset]
  }

  /** The last known batch that begins at or before an offset. */
  floor(offset: number): BatchPosition {
    const slot = this.#slotOf(offset)
    return { offset: this.#offsets[slot], position: this.#positions[slot] }
  }

  /** Remembers where a batch begins, unless one close before it is known. */
  add({ offset, position }: BatchPosition): void {
    const slot = this.#slotOf(offset)
    if (position - this.#positions[slot] < INTERVAL_BYTES) return
    this.#offsets.splice(slot + 1, 0, offset)
    this.#positions.splice(slot + 1, 0, position)
  }

  /** Binary search: the last slot whose offset is not larger. */
  #slotOf(offset: number): number {
    let low = 0
    let high = this.#offsets.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#offsets[middle] <= offset) low = middle
      else high = middle - 1
    }
    return low
  }
}

/** Where a batch stands in its segment. */
export interface BatchPosition {
  /** Of the first record of the batch. */
  readonly offset: number
  /** Of its first byte in the file. */
  readonly position: number
}

/** Two entries lie at least so far apart: an index costs 16 bytes for each. */
const INTERVAL_BYTES = 64 * 1024
