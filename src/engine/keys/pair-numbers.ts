import { hashPair } from './pair-set.ts'

/**
 * A number for each pair of a slot and an id, 0 where there is none: by place in an array. While most pairs have one, a place follows
 * from slot and id; when few do, from a hash table with open addressing at a load of at most one half.
 *
 *   dense    place = slot * ids + id
 *   hashed   keys   slot + 1 | id | slot + 1 | id | ...     0 in a free place
 */
export class PairNumbers {
  /** By place. To be read anew after every call of `place` or `reserve`. */
  numbers: Int32Array = new Int32Array(DENSE_MIN)
  #slotsMax = 1
  #idsMax = DENSE_MIN
  /** Empty in the dense form. */
  #keys: Int32Array = NO_KEYS
  /** Places of the hash table that are not free, those of pairs without a number included. */
  #used = 0

  /** Makes room for slots and ids below these, of which about so many pairs will have a number. */
  reserve(slotCount: number, idCount: number, pairs: number): void {
    const dense = this.#keys.length === 0
    if (dense && slotCount <= this.#slotsMax && idCount <= this.#idsMax) return
    if (slotCount * idCount <= Math.max(DENSE_MIN, pairs * DENSE_PER_PAIR)) this.#becomeDense(slotCount, idCount)
    else if (dense) this.#rehash(HASHED_MIN)
  }

  /** Where the pair's number stands, which is 0 unless it has been set. */
  place(slot: number, id: number): number {
    if (this.#keys.length === 0) return slot * this.#idsMax + id
    let at = this.#find(slot, id)
    if (this.#keys[2 * at] !== FREE) return at
    if ((this.#used + 1) * 2 > this.numbers.length) {
      this.#rehash(this.numbers.length)
      at = this.#find(slot, id)
    }
    this.#used++
    this.#keys[2 * at] = slot + 1
    this.#keys[2 * at + 1] = id
    return at
  }

  #find(slot: number, id: number): number {
    const keys = this.#keys
    const mask = keys.length / 2 - 1
    let at = hashPair(slot, id) & mask
    for (let key = keys[2 * at] as number; key !== FREE; key = keys[2 * at] as number) {
      if (key === slot + 1 && keys[2 * at + 1] === id) break
      at = (at + 1) & mask
    }
    return at
  }

  #becomeDense(slotCount: number, idCount: number): void {
    const dense = this.#keys.length === 0
    const growing = dense && slotCount > this.#slotsMax
    const slotsMax = Math.max(slotCount, growing ? this.#slotsMax * 2 : dense ? this.#slotsMax : 1)
    const idsMax = 2 ** Math.ceil(Math.log2(Math.max(DENSE_MIN, dense ? this.#idsMax : 0, idCount)))
    const numbers = new Int32Array(slotsMax * idsMax)
    this.#each((slot, id, number) => {
      numbers[slot * idsMax + id] = number
    })
    this.numbers = numbers
    this.#slotsMax = slotsMax
    this.#idsMax = idsMax
    this.#keys = NO_KEYS
    this.#used = 0
  }

  /** Drops pairs without a number, and makes room. */
  #rehash(capacityMin: number): void {
    let live = 0
    this.#each(() => live++)
    let capacity = capacityMin
    while (capacity < live * 4) capacity *= 2
    const moved = new PairNumbers()
    moved.#keys = new Int32Array(capacity * 2)
    moved.numbers = new Int32Array(capacity)
    this.#each((slot, id, number) => {
      moved.numbers[moved.place(slot, id)] = number
    })
    this.#keys = moved.#keys
    this.numbers = moved.numbers
    this.#used = live
  }

  /** Calls back with each pair that has a number. */
  #each(visit: (slot: number, id: number, number: number) => void): void {
    const { numbers } = this
    const keys = this.#keys
    const dense = keys.length === 0
    for (let at = 0; at < numbers.length; at++) {
      const number = numbers[at] as number
      if (number === 0) continue
      if (dense) visit(Math.floor(at / this.#idsMax), at % this.#idsMax, number)
      else visit((keys[2 * at] as number) - 1, keys[2 * at + 1] as number, number)
    }
  }
}

const FREE = 0
const NO_KEYS = new Int32Array(0)
/** Places that are there from the first on. */
const DENSE_MIN = 64
/** Places of four bytes a pair up to which the dense form is the smaller one. */
const DENSE_PER_PAIR = 8
const HASHED_MIN = 64
