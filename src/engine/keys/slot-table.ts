import { grownInts } from '../aggregates/aggregate.ts'

/** Up to here an array by key id is the smallest table there is. */
const DENSE_MAX = 4096

/**
 * Which keys have a slot: slots are dense, in the order of first sight. By an array while key ids are small numbers or most of them are
 * here, by open addressing when few of many keys are.
 */
export class SlotTable {
  /** Slot + 1 by key id; empty when hashed. */
  #dense = new Int32Array(64)
  /** Slot + 1 by hash of the key id; empty when dense. */
  #hashed = new Int32Array(0)
  #keys = new Int32Array(64)
  #size = 0

  get size(): number {
    return this.#size
  }

  keyId(slot: number): number {
    return this.#keys[slot] as number
  }

  /** Key ids by slot, `size` of them; a view. */
  get keyIds(): Int32Array {
    return this.#keys.subarray(0, this.#size)
  }

  /** The key's slot, or -1. */
  find(keyId: number): number {
    if (this.#hashed.length === 0) return keyId < this.#dense.length ? (this.#dense[keyId] as number) - 1 : -1
    return (this.#hashed[place(this.#hashed, this.#keys, keyId)] as number) - 1
  }

  /** The key's slot, made when it has none. */
  slot(keyId: number): number {
    const known = this.find(keyId)
    return known >= 0 ? known : this.#add(keyId)
  }

  /** Writes the slots of `ids[rows[i]]`, from <= i < to, one after the other. */
  assign(ids: Int32Array, rows: Int32Array, from: number, to: number, slots: Int32Array): void {
    let index = from
    while (index < to) {
      if (this.#hashed.length === 0) index = findDense(this.#dense, ids, rows, index, to, from, slots)
      else index = findHashed(this.#hashed, this.#keys, ids, rows, index, to, from, slots)
      if (index === to) return
      slots[index - from] = this.#add(ids[rows[index] as number] as number)
      index++
    }
  }

  /** Gives every key another id. */
  renumber(newId: (keyId: number) => number): void {
    const keys = this.#keys.slice(0, this.#size)
    this.clear()
    for (const keyId of keys) this.#add(newId(keyId))
  }

  clear(): void {
    this.#dense = new Int32Array(64)
    this.#hashed = new Int32Array(0)
    this.#size = 0
  }

  #add(keyId: number): number {
    const slot = this.#size++
    this.#keys = grownInts(this.#keys, this.#size)
    this.#keys[slot] = keyId
    if (this.#hashed.length === 0 && keyId >= this.#dense.length) this.#widen(keyId)
    if (this.#hashed.length === 0) this.#dense[keyId] = slot + 1
    else this.#addHashed(keyId, slot)
    return slot
  }

  #widen(keyId: number): void {
    if (keyId < DENSE_MAX || this.#size * 8 > keyId) this.#dense = grownInts(this.#dense, keyId + 1)
    else this.#rehash(Math.max(64, capacityFor(this.#size)))
  }

  #addHashed(keyId: number, slot: number): void {
    if (this.#size * 2 > this.#hashed.length) this.#rehash(this.#hashed.length * 2)
    this.#hashed[place(this.#hashed, this.#keys, keyId)] = slot + 1
  }

  #rehash(capacity: number): void {
    this.#dense = new Int32Array(0)
    this.#hashed = new Int32Array(capacity)
    for (let slot = 0; slot < this.#size - 1; slot++) {
      this.#hashed[place(this.#hashed, this.#keys, this.#keys[slot] as number)] = slot + 1
    }
  }
}

function capacityFor(size: number): number {
  return 2 ** Math.ceil(Math.log2(size * 4))
}

/** Goes on until a key has no slot, and gives its index. */
function findDense(
  dense: Int32Array,
  ids: Int32Array,
  rows: Int32Array,
  first: number,
  to: number,
  from: number,
  slots: Int32Array,
): number {
  for (let index = first; index < to; index++) {
    const keyId = ids[rows[index] as number] as number
    const slot = keyId < dense.length ? (dense[keyId] as number) : 0
    if (slot === 0) return index
    slots[index - from] = slot - 1
  }
  return to
}

/** The same in a hashed table. */
function findHashed(
  hashed: Int32Array,
  keys: Int32Array,
  ids: Int32Array,
  rows: Int32Array,
  first: number,
  to: number,
  from: number,
  slots: Int32Array,
): number {
  for (let index = first; index < to; index++) {
    const slot = hashed[place(hashed, keys, ids[rows[index] as number] as number)] as number
    if (slot === 0) return index
    slots[index - from] = slot - 1
  }
  return to
}

/** Where the key stands, or the free place where it belongs. */
function place(hashed: Int32Array, keys: Int32Array, keyId: number): number {
  const mask = hashed.length - 1
  let hash = Math.imul(keyId, 0x9e3779b1)
  hash ^= hash >>> 15
  let at = hash & mask
  for (let slot = hashed[at] as number; slot !== 0 && keys[slot - 1] !== keyId; slot = hashed[at] as number) {
    at = (at + 1) & mask
  }
  return at
}
