/** A set of pairs of small integers: open addressing, both halves side by side, at a load of at most one half. */
export class PairSet {
  /** First + 1 (0 is free) and second, alternating. */
  #table = new Int32Array(256)
  #size = 0
  #bySlot: Map<number, number[]> | undefined

  /** True when the pair is new. */
  add(first: number, second: number): boolean {
    const table = this.#table
    const mask = table.length / 2 - 1
    let at = hashPair(first, second) & mask
    for (let key = table[at * 2] as number; key !== 0; key = table[at * 2] as number) {
      if (key === first + 1 && table[at * 2 + 1] === second) return false
      at = (at + 1) & mask
    }
    table[at * 2] = first + 1
    table[at * 2 + 1] = second
    this.#size++
    this.#bySlot = undefined
    if (this.#size * 4 > table.length) this.#rehash()
    return true
  }

  /** The second halves that go with a first one, in no order. */
  valuesOf(first: number): readonly number[] {
    this.#bySlot ??= this.#index()
    return this.#bySlot.get(first) ?? []
  }

  #index(): Map<number, number[]> {
    const index = new Map<number, number[]>()
    for (let at = 0; at < this.#table.length; at += 2) {
      const key = this.#table[at] as number
      if (key === 0) continue
      const values = index.get(key - 1)
      if (values) values.push(this.#table[at + 1] as number)
      else index.set(key - 1, [this.#table[at + 1] as number])
    }
    return index
  }

  #rehash(): void {
    const old = this.#table
    this.#table = new Int32Array(old.length * 2)
    const mask = this.#table.length / 2 - 1
    for (let from = 0; from < old.length; from += 2) {
      const key = old[from] as number
      if (key === 0) continue
      let at = hashPair(key - 1, old[from + 1] as number) & mask
      while (this.#table[at * 2] !== 0) at = (at + 1) & mask
      this.#table[at * 2] = key
      this.#table[at * 2 + 1] = old[from + 1] as number
    }
  }
}

function hashPair(first: number, second: number): number {
  let hash = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b)
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  return hash ^ (hash >>> 13)
}
