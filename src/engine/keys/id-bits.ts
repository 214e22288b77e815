/**
 * A set of ids for each slot as one bit a pair: for slots that hold a good part of all ids.
 *
 *   words   slot 0: ids 0..31, 32..63, ... | slot 1: ... |
 */
export class IdBits {
  /** Ids below it have a place in each slot; a multiple of 32, a power of two. */
  readonly idsMax: number
  #words: Int32Array
  #counts: Int32Array
  #size = 0

  constructor(slotCount: number, idCount: number) {
    this.idsMax = Math.max(32, 2 ** Math.ceil(Math.log2(idCount)))
    this.#counts = new Int32Array(Math.max(1, slotCount))
    this.#words = new Int32Array((this.#counts.length * this.idsMax) / 32)
  }

  get size(): number {
    return this.#size
  }

  /** Slots below it have a place. */
  get slotsMax(): number {
    return this.#counts.length
  }

  /** True when the id is new in its slot. Both have a place. */
  add(slot: number, id: number): boolean {
    const at = slot * (this.idsMax >>> 5) + (id >>> 5)
    const word = this.#words[at] as number
    if ((word >>> (id & 31)) & 1) return false
    this.#words[at] = word | (1 << (id & 31))
    this.#counts[slot] = (this.#counts[slot] as number) + 1
    this.#size++
    return true
  }

  /** Adds the pairs `slots[i]`, `byRow[rows[i]]`, i < count, without those of a negative id. All have a place. */
  addRows(byRow: Int32Array, rows: Int32Array, slots: Int32Array, count: number): void {
    this.#size += addBits(this.#words, this.#counts, this.idsMax >>> 5, byRow, rows, slots, count)
  }

  has(slot: number, id: number): boolean {
    if (slot >= this.#counts.length || id >= this.idsMax) return false
    return (((this.#words[slot * (this.idsMax >>> 5) + (id >>> 5)] as number) >>> (id & 31)) & 1) === 1
  }

  count(slot: number): number {
    return slot < this.#counts.length ? (this.#counts[slot] as number) : 0
  }

  /** Calls back with the ids of a slot, in their order. */
  each(slot: number, visit: (id: number) => void): void {
    if (this.count(slot) === 0) return
    const wordsPerSlot = this.idsMax >>> 5
    const start = slot * wordsPerSlot
    for (let at = 0; at < wordsPerSlot; at++) {
      for (let word = this.#words[start + at] as number; word !== 0; word &= word - 1) {
        visit((at << 5) + 31 - Math.clz32(word & -word))
      }
    }
  }

  clear(slot: number): void {
    if (this.count(slot) === 0) return
    const wordsPerSlot = this.idsMax >>> 5
    this.#words.fill(0, slot * wordsPerSlot, (slot + 1) * wordsPerSlot)
    this.#size -= this.#counts[slot] as number
    this.#counts[slot] = 0
  }

  /** Calls back with every pair. */
  eachPair(visit: (slot: number, id: number) => void): void {
    for (let slot = 0; slot < this.#counts.length; slot++) this.each(slot, (id) => visit(slot, id))
  }
}

/** Gives how many pairs were new. */
function addBits(
  words: Int32Array,
  counts: Int32Array,
  wordsPerSlot: number,
  byRow: Int32Array,
  rows: Int32Array,
  slots: Int32Array,
  count: number,
): number {
  let added = 0
  for (let index = 0; index < count; index++) {
    const id = byRow[rows[index] as number] as number
    if (id < 0) continue
    const slot = slots[index] as number
    const at = slot * wordsPerSlot + (id >>> 5)
    const word = words[at] as number
    const bit = 1 << (id & 31)
    if ((word & bit) !== 0) continue
    words[at] = word | bit
    counts[slot] = (counts[slot] as number) + 1
    added++
  }
  return added
}
