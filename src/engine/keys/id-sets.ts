import { IdBits } from './id-bits.ts'
import { PairSet } from './pair-set.ts'

/** Bits that sets may take whatever they hold: 8 KB. */
const BITS_MIN = 1 << 16
/** Bits a pair up to which an array of bits is the smaller and faster form. */
const BITS_PER_PAIR = 64
/** Up to 2 MB of bits that only tell what was seen. */
const SEEN_BITS_MAX = 1 << 24
const NOTHING_SEEN = new Int32Array(0)

/**
 * A set of small integers, such as ids of values, for each slot. While few of all possible pairs are there, they are kept in a hash table,
 * and as bits once those take less room; the answers are the same.
 */
export class IdSets {
  #pairs: PairSet | undefined = new PairSet()
  #bits: IdBits | undefined
  #slotCount = 1
  /** A bit by (slot, id) that is set once the hash table has the pair: most rows repeat one, and bits stay in the cache. */
  #seen: Int32Array = NOTHING_SEEN
  #seenIdBits = 0

  get size(): number {
    return this.#bits?.size ?? this.#pairs?.size ?? 0
  }

  /** Slots below it are in use. */
  grow(slotCount: number): void {
    this.#slotCount = Math.max(this.#slotCount, slotCount)
  }

  /** Adds the pairs `slots[i]`, `byRow[rows[i]]`, i < count, without those of a negative id. Ids are below `idCount`. */
  addRows(byRow: Int32Array, rows: Int32Array, slots: Int32Array, count: number, idCount: number): void {
    this.#chooseForm(idCount)
    if (this.#bits) this.#bits.addRows(byRow, rows, slots, count)
    else if (this.#pairs) this.#addToPairs(this.#pairs, byRow, rows, slots, count, idCount)
  }

  add(slot: number, id: number): void {
    this.grow(slot + 1)
    if (this.#bits) this.#chooseForm(id + 1)
    if (this.#bits) this.#bits.add(slot, id)
    else this.#pairs?.add(slot, id)
  }

  count(slot: number): number {
    return this.#bits?.count(slot) ?? this.#pairs?.count(slot) ?? 0
  }

  /** Calls back with the ids of a slot, in no order. */
  each(slot: number, visit: (id: number) => void): void {
    if (this.#bits) this.#bits.each(slot, visit)
    else this.#pairs?.each(slot, visit)
  }

  /** Empties the set of a slot. */
  clear(slot: number): void {
    this.#bits?.clear(slot)
    this.#pairs?.clear(slot)
    this.rest()
  }

  /** Gives every id another number, different ones for different ones. */
  renumber(newId: (id: number) => number): void {
    this.rest()
    if (this.#pairs) this.#pairs.renumber(newId)
    else this.#becomePairs(newId)
  }

  /** Gives back what only serves to take in rows fast. */
  rest(): void {
    this.#seen = NOTHING_SEEN
    this.#seenIdBits = 0
  }

  /** Where it chooses bits, they have room for all slots and ids. */
  #chooseForm(idsWanted: number): void {
    const bits = this.#bits
    if (bits && idsWanted <= bits.idsMax && this.#slotCount <= bits.slotsMax) return
    const idCount = Math.max(idsWanted, bits?.idsMax ?? 0)
    // Between the two limits it stays what it is, so as not to go back and forth.
    const bitsPerPair = bits ? 4 * BITS_PER_PAIR : BITS_PER_PAIR
    const fits = this.#slotCount * idCount <= Math.max(BITS_MIN, this.size * bitsPerPair)
    if (fits) this.#becomeBits(idCount)
    else if (bits) this.#becomePairs((same) => same)
  }

  #becomeBits(idCount: number): void {
    const slotsMax = this.#bits && this.#slotCount > this.#bits.slotsMax ? this.#bits.slotsMax * 2 : 0
    const bits = new IdBits(Math.max(this.#slotCount, slotsMax), idCount)
    const add = (slot: number, id: number): void => void bits.add(slot, id)
    this.#bits?.eachPair(add)
    for (let slot = 0; this.#pairs && slot < this.#slotCount; slot++) this.#pairs.each(slot, (id) => add(slot, id))
    this.#bits = bits
    this.#pairs = undefined
    this.rest()
  }

  #becomePairs(newId: (id: number) => number): void {
    const pairs = new PairSet()
    this.#bits?.eachPair((slot, id) => pairs.add(slot, newId(id)))
    this.#bits = undefined
    this.#pairs = pairs
  }

  #addToPairs(
    pairs: PairSet,
    byRow: Int32Array,
    rows: Int32Array,
    slots: Int32Array,
    count: number,
    idCount: number,
  ): void {
    if (this.#slotCount * idCount > SEEN_BITS_MAX) {
      addPairs(pairs, byRow, rows, slots, count)
      return
    }
    this.#growSeen(idCount)
    addUnseen(pairs, this.#seen, this.#seenIdBits, byRow, rows, slots, count)
  }

  /** Makes room for bits of all ids in each slot; those that were set are set again by the rows that come. */
  #growSeen(idCount: number): void {
    const idBits = Math.max(8, Math.ceil(Math.log2(idCount + 1)))
    const length = (this.#slotCount << idBits) >>> 5
    if (idBits === this.#seenIdBits && length <= this.#seen.length) return
    this.#seenIdBits = idBits
    this.#seen = new Int32Array(length * 2)
  }
}

function addPairs(pairs: PairSet, byRow: Int32Array, rows: Int32Array, slots: Int32Array, count: number): void {
  for (let index = 0; index < count; index++) {
    const id = byRow[rows[index] as number] as number
    if (id >= 0) pairs.add(slots[index] as number, id)
  }
}

/** Adds the pairs whose bit is not set yet, and sets it. */
function addUnseen(
  pairs: PairSet,
  seen: Int32Array,
  idBits: number,
  byRow: Int32Array,
  rows: Int32Array,
  slots: Int32Array,
  count: number,
): void {
  for (let index = 0; index < count; index++) {
    const id = byRow[rows[index] as number] as number
    if (id < 0) continue
    const slot = slots[index] as number
    const bit = (slot << idBits) | id
    const word = seen[bit >>> 5] as number
    if ((word >>> (bit & 31)) & 1) continue
    seen[bit >>> 5] = word | (1 << (bit & 31))
    pairs.add(slot, id)
  }
}
