/**
 * A set of pairs of small integers, such as (group, value): open addressing at a load of at most one half, and a chain through all
 * pairs with the same first half.
 *
 *   table   first + 1 | second | next in the chain + 1      first + 1 is 0 in a free place, -1 where a pair was taken out
 */
export class PairSet {
  #table: Int32Array<ArrayBuffer> = new Int32Array(WIDTH * 64)
  /** Place + 1 of the newest pair, by its first half. */
  #heads = new Int32Array(16)
  #counts = new Int32Array(16)
  /** Places that are not free, those of removed pairs included. */
  #used = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  /** True when the pair is new. */
  add(first: number, second: number): boolean {
    const table = this.#table
    const mask = table.length / WIDTH - 1
    let at = hashPair(first, second) & mask
    for (let key = table[at * WIDTH] as number; key !== FREE; key = table[at * WIDTH] as number) {
      if (key === first + 1 && table[at * WIDTH + 1] === second) return false
      at = (at + 1) & mask
    }
    this.#insert(at, first, second)
    return true
  }

  has(first: number, second: number): boolean {
    const table = this.#table
    const mask = table.length / WIDTH - 1
    let at = hashPair(first, second) & mask
    for (let key = table[at * WIDTH] as number; key !== FREE; key = table[at * WIDTH] as number) {
      if (key === first + 1 && table[at * WIDTH + 1] === second) return true
      at = (at + 1) & mask
    }
    return false
  }

  /** How many pairs have this first half. */
  count(first: number): number {
    return first < this.#counts.length ? (this.#counts[first] as number) : 0
  }

  /** Calls back with the second halves that go with a first one, in no order. Pairs with another first one may be added meanwhile. */
  each(first: number, visit: (second: number) => void): void {
    if (first >= this.#heads.length) return
    // What is added may move all pairs to another table.
    const table = this.#table
    for (let place = this.#heads[first] as number; place > 0; ) {
      const at = (place - 1) * WIDTH
      visit(table[at + 1] as number)
      place = table[at + 2] as number
    }
  }

  /** Writes the second halves that go with a first one, in no order, and gives how many there are; there has to be room. */
  copyTo(first: number, into: Int32Array): number {
    if (first >= this.#heads.length) return 0
    const table = this.#table
    let count = 0
    for (let place = this.#heads[first] as number; place > 0; ) {
      const at = (place - 1) * WIDTH
      into[count++] = table[at + 1] as number
      place = table[at + 2] as number
    }
    return count
  }

  /** Takes out all pairs with this first half. */
  clear(first: number): void {
    if (this.count(first) === 0) return
    for (let place = this.#heads[first] as number; place > 0; ) {
      const at = (place - 1) * WIDTH
      this.#table[at] = REMOVED
      place = this.#table[at + 2] as number
    }
    this.#size -= this.#counts[first] as number
    this.#heads[first] = 0
    this.#counts[first] = 0
  }

  /** Gives every second half another number, different ones for different ones. */
  renumber(newNumber: (second: number) => number): void {
    this.#rebuild(this.#table.length, newNumber)
  }

  #insert(at: number, first: number, second: number): void {
    if (first >= this.#heads.length) this.#growFirsts(first + 1)
    const start = at * WIDTH
    this.#table[start] = first + 1
    this.#table[start + 1] = second
    this.#table[start + 2] = this.#heads[first] as number
    this.#heads[first] = at + 1
    this.#counts[first] = (this.#counts[first] as number) + 1
    this.#size++
    if (++this.#used * 2 * WIDTH <= this.#table.length) return
    // Mostly removed pairs: the same room is enough.
    const length = this.#size * 4 * WIDTH > this.#table.length ? this.#table.length * 2 : this.#table.length
    this.#rebuild(length, (same) => same)
  }

  #growFirsts(count: number): void {
    const length = Math.max(count, this.#heads.length * 2)
    const heads = new Int32Array(length)
    heads.set(this.#heads)
    this.#heads = heads
    const counts = new Int32Array(length)
    counts.set(this.#counts)
    this.#counts = counts
  }

  #rebuild(length: number, newNumber: (second: number) => number): void {
    const old = this.#table
    const table = new Int32Array(length)
    const mask = length / WIDTH - 1
    this.#heads.fill(0)
    for (let from = 0; from < old.length; from += WIDTH) {
      const key = old[from] as number
      if (key <= 0) continue
      const second = newNumber(old[from + 1] as number)
      let at = hashPair(key - 1, second) & mask
      while (table[at * WIDTH] !== FREE) at = (at + 1) & mask
      table[at * WIDTH] = key
      table[at * WIDTH + 1] = second
      table[at * WIDTH + 2] = this.#heads[key - 1] as number
      this.#heads[key - 1] = at + 1
    }
    this.#table = table
    this.#used = this.#size
  }
}

const WIDTH = 3
const FREE = 0
const REMOVED = -1

/** Spreads pairs of small integers over all bits. */
export function hashPair(first: number, second: number): number {
  let hash = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b)
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  return hash ^ (hash >>> 13)
}
