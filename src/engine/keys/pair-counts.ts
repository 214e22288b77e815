import { hashPair } from './pair-set.ts'

/**
 * Counts by pairs of small integers, such as (group, value): open addressing at a load of at most one half, and a chain through all
 * pairs with the same first half. A pair that is counted down to zero is there no more.
 *
 *   table    first + 1 | second | next in the chain + 1      first + 1 is 0 in a free place, -1 where a pair was taken out
 *   counts   by place
 */
export class PairCounts {
  #table: Int32Array<ArrayBuffer> = new Int32Array(WIDTH * 64)
  #counts = new Float64Array(64)
  /** Place + 1 of the newest pair, by its first half. */
  #heads = new Int32Array(16)
  /** How many pairs with a count there are, by their first half. */
  #sizes = new Int32Array(16)
  /** Places that are not free, those of pairs that are there no more included. */
  #used = 0
  #size = 0

  /** Adds to the pair's count, which must not fall below zero. */
  add(first: number, second: number, count: number): void {
    if (count === 0) return
    const table = this.#table
    const mask = this.#counts.length - 1
    let at = hashPair(first, second) & mask
    for (let key = table[at * WIDTH] as number; key !== FREE; key = table[at * WIDTH] as number) {
      if (key === first + 1 && table[at * WIDTH + 1] === second) {
        this.#change(at, first, count)
        return
      }
      at = (at + 1) & mask
    }
    this.#insert(at, first, second, count)
  }

  /** How many pairs have this first half. */
  size(first: number): number {
    return first < this.#sizes.length ? (this.#sizes[first] as number) : 0
  }

  /** First halves with more pairs than this. */
  largerThan(limit: number): number[] {
    const firsts: number[] = []
    for (let first = 0; first < this.#sizes.length; first++) {
      if ((this.#sizes[first] as number) > limit) firsts.push(first)
    }
    return firsts
  }

  /** Calls back with the second halves that go with a first one, and their counts, in no order. */
  each(first: number, visit: (second: number, count: number) => void): void {
    if (first >= this.#heads.length) return
    // What is added may move all pairs to another table.
    const table = this.#table
    const counts = this.#counts
    for (let place = this.#heads[first] as number; place > 0; ) {
      const count = counts[place - 1] as number
      const at = (place - 1) * WIDTH
      if (count !== 0) visit(table[at + 1] as number, count)
      place = table[at + 2] as number
    }
  }

  /** Takes out all pairs with this first half. */
  clear(first: number): void {
    if (first >= this.#heads.length) return
    for (let place = this.#heads[first] as number; place > 0; ) {
      const at = (place - 1) * WIDTH
      this.#table[at] = REMOVED
      place = this.#table[at + 2] as number
    }
    this.#size -= this.#sizes[first] as number
    this.#heads[first] = 0
    this.#sizes[first] = 0
  }

  /** Gives every second half another number, different ones for different ones. */
  renumber(newNumber: (second: number) => number): void {
    this.#rebuild(this.#counts.length, newNumber)
  }

  #change(at: number, first: number, count: number): void {
    const before = this.#counts[at] as number
    const after = before + count
    this.#counts[at] = after
    const change = (after === 0 ? 0 : 1) - (before === 0 ? 0 : 1)
    this.#sizes[first] = (this.#sizes[first] as number) + change
    this.#size += change
  }

  #insert(at: number, first: number, second: number, count: number): void {
    if (first >= this.#heads.length) this.#growFirsts(first + 1)
    const start = at * WIDTH
    this.#table[start] = first + 1
    this.#table[start + 1] = second
    this.#table[start + 2] = this.#heads[first] as number
    this.#counts[at] = count
    this.#heads[first] = at + 1
    this.#sizes[first] = (this.#sizes[first] as number) + 1
    this.#size++
    if (++this.#used * 2 <= this.#counts.length) return
    // Mostly pairs that are there no more: the same room is enough.
    this.#rebuild(this.#size * 4 > this.#counts.length ? this.#counts.length * 2 : this.#counts.length, (same) => same)
  }

  #growFirsts(count: number): void {
    const length = Math.max(count, this.#heads.length * 2)
    const heads = new Int32Array(length)
    heads.set(this.#heads)
    this.#heads = heads
    const sizes = new Int32Array(length)
    sizes.set(this.#sizes)
    this.#sizes = sizes
  }

  #rebuild(places: number, newNumber: (second: number) => number): void {
    const [oldTable, oldCounts] = [this.#table, this.#counts]
    const table = new Int32Array(places * WIDTH)
    const counts = new Float64Array(places)
    const mask = places - 1
    this.#heads.fill(0)
    for (let from = 0; from < oldCounts.length; from++) {
      const key = oldTable[from * WIDTH] as number
      const count = oldCounts[from] as number
      if (key <= 0 || count === 0) continue
      const second = newNumber(oldTable[from * WIDTH + 1] as number)
      let at = hashPair(key - 1, second) & mask
      while (table[at * WIDTH] !== FREE) at = (at + 1) & mask
      table[at * WIDTH] = key
      table[at * WIDTH + 1] = second
      table[at * WIDTH + 2] = this.#heads[key - 1] as number
      counts[at] = count
      this.#heads[key - 1] = at + 1
    }
    this.#table = table
    this.#counts = counts
    this.#used = this.#size
  }
}

const WIDTH = 3
const FREE = 0
const REMOVED = -1
