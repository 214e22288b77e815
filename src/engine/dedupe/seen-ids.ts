import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { HashKey } from '../keys/key-table.ts'
import { hashAll, PLACE_WORDS } from './id-hash.ts'
import { ID_WORDS, type WideIds } from './wide-ids.ts'

type Ids = Pick<WideIds, 'words' | 'nulls'>

/** A power of two, as every capacity. */
const CAPACITY_MIN = 256
/** Entries that go at a stretch. */
const STRETCH = 4096
const ENTRY_BYTES = ID_WORDS * 4 + 8

/**
 * Ids that were seen, with the event time of the row that brought each. What lies at or before the horizon counts as not there.
 *
 *   entries   ... | oldest | ... | newest | ...   a ring of ids (four words) and times (ms), in the order in which they came
 *   places    slot in the ring + 1, hash | 0, 0   open addressing, half of it free; the hash alone tells nearly all other ids
 *
 * Times and arrival are nearly in the same order, so what is forgotten is nearly always at the old end, and leaves there a few entries at
 * a time: nothing is ever built anew but when the ring has to grow. One that is forgotten between others waits until those are.
 */
export class SeenIds {
  readonly #key: HashKey
  #places = new Int32Array(2 * CAPACITY_MIN * PLACE_WORDS)
  #ids = new Int32Array(CAPACITY_MIN * ID_WORDS)
  #times = new Float64Array(CAPACITY_MIN)
  /** Slot of the oldest entry. */
  #oldest = 0
  #count = 0
  #horizonMs = Number.NEGATIVE_INFINITY
  #hashes = new Int32Array(STRETCH + 1)

  constructor(key: HashKey) {
    this.#key = key
  }

  /** Entries up to this time are forgotten; it never goes back. */
  forget(upToMs: number): void {
    this.#horizonMs = Math.max(this.#horizonMs, upToMs)
  }

  /** Entries that are remembered. */
  get size(): number {
    const last = this.#times.length - 1
    let size = 0
    for (let index = 0; index < this.#count; index++) if (this.#live((this.#oldest + index) & last)) size++
    return size
  }

  /** Entries that take room, forgotten ones among them. */
  get held(): number {
    return this.#count
  }

  /** Lets go of what is forgotten. */
  compact(): void {
    if (this.size < this.#count) this.#rebuild(this.#times.length)
  }

  /** Sets `isNew[i]` to 1 where id `i` is new or null, for i < count; those that are new are remembered with their times. */
  addAll({ words, nulls }: Ids, times: Float64Array, count: number, isNew: Uint8Array): void {
    this.#dropOldest()
    if (this.#count + count > this.#times.length) this.#makeRoom(count)
    if (this.#hashes.length <= count) this.#hashes = new Int32Array(count * 2 + 1)
    hashAll(words, count, this.#key, this.#hashes, this.#places)
    for (let index = 0; index < count; index++) {
      const known = nulls[index] === 0 && !this.#add(words, index * ID_WORDS, this.#hashes[index], times[index])
      isNew[index] = known ? 0 : 1
    }
  }

  /** Appends the entries as they came, which is the same for the same epochs. */
  write(writer: ByteWriter): void {
    const runs = this.#liveRuns()
    const { size } = this
    writer.reserve(size * ENTRY_BYTES + 8)
    writer.varint(size)
    for (const { from, to } of runs) writer.raw(bytesOf(this.#ids.subarray(from * ID_WORDS, to * ID_WORDS)))
    for (const { from, to } of runs) writer.raw(bytesOf(this.#times.subarray(from, to)))
  }

  /** Adds what `write` has written. */
  merge(reader: ByteReader): void {
    const count = reader.varint()
    const words = new Int32Array(reader.raw(count * ID_WORDS * 4).slice().buffer)
    const times = new Float64Array(reader.raw(count * 8).slice().buffer)
    this.addAll({ words, nulls: new Uint8Array(count) }, times, count, new Uint8Array(count))
  }

  #add(words: Int32Array, from: number, hash: number, timeMs: number): boolean {
    const places = this.#places
    const last = places.length - 1
    let at = (hash * PLACE_WORDS) & last
    for (; places[at] !== 0; at = (at + PLACE_WORDS) & last) {
      if (places[at + 1] !== hash) continue
      const slot = places[at] - 1
      if (!sameId(this.#ids, slot * ID_WORDS, words, from)) continue
      if (this.#live(slot)) return false
      // Its entry stays behind without a place, until it is the oldest.
      break
    }
    const slot = (this.#oldest + this.#count++) & (this.#times.length - 1)
    copyId(words, from, this.#ids, slot * ID_WORDS)
    this.#times[slot] = timeMs
    places[at] = slot + 1
    places[at + 1] = hash
    return true
  }

  #live(slot: number): boolean {
    return this.#times[slot] > this.#horizonMs
  }

  /** Entries at the old end go as long as they are forgotten. */
  #dropOldest(): void {
    const capacity = this.#times.length
    while (this.#count > 0) {
      const first = this.#oldest
      const stretch = Math.min(this.#count, capacity - first, STRETCH)
      let count = 0
      while (count < stretch && !this.#live(first + count)) count++
      if (count === 0) return
      const ids = this.#ids.subarray(first * ID_WORDS, (first + count) * ID_WORDS)
      hashAll(ids, count, this.#key, this.#hashes, this.#places)
      for (let index = 0; index < count; index++) this.#removePlace(first + index, this.#hashes[index])
      this.#oldest = (first + count) & (capacity - 1)
      this.#count -= count
      if (count < stretch) return
    }
  }

  /** Frees the place of a slot, if it has one; places behind it move up so that each is found from where its hash begins. */
  #removePlace(slot: number, hash: number): void {
    const places = this.#places
    const last = places.length - 1
    let free = (hash * PLACE_WORDS) & last
    while (places[free] !== slot + 1) {
      if (places[free] === 0) return
      free = (free + PLACE_WORDS) & last
    }
    for (let at = (free + PLACE_WORDS) & last; places[at] !== 0; at = (at + PLACE_WORDS) & last) {
      const begin = (places[at + 1] * PLACE_WORDS) & last
      if (((at - begin) & last) < ((at - free) & last)) continue
      places[free] = places[at]
      places[free + 1] = places[at + 1]
      free = at
    }
    places[free] = 0
  }

  /** Makes the ring larger unless a quarter of it is free without what is forgotten. */
  #makeRoom(count: number): void {
    const wanted = this.size + count
    let capacity = this.#times.length
    while (wanted * 4 > capacity * 3) capacity *= 2
    this.#rebuild(capacity)
  }

  /** Begins anew with the entries that are remembered. */
  #rebuild(capacity: number): void {
    const ids = new Int32Array(capacity * ID_WORDS)
    const times = new Float64Array(capacity)
    let count = 0
    for (const { from, to } of this.#liveRuns()) {
      ids.set(this.#ids.subarray(from * ID_WORDS, to * ID_WORDS), count * ID_WORDS)
      times.set(this.#times.subarray(from, to), count)
      count += to - from
    }
    this.#count = count
    this.#oldest = 0
    this.#ids = ids
    this.#times = times
    // What was there goes first, so that not both are held.
    this.#places = new Int32Array(0)
    this.#places = this.#placesFor(capacity)
  }

  /** Slots of entries that are remembered, oldest first, those that lie side by side together. */
  #liveRuns(): { readonly from: number; readonly to: number }[] {
    const last = this.#times.length - 1
    const runs: { from: number; to: number }[] = []
    for (let index = 0; index < this.#count; index++) {
      const slot = (this.#oldest + index) & last
      if (!this.#live(slot)) continue
      const run = runs.at(-1)
      if (run?.to === slot) run.to++
      else runs.push({ from: slot, to: slot + 1 })
    }
    return runs
  }

  /** Places of all entries. */
  #placesFor(capacity: number): Int32Array<ArrayBuffer> {
    const places = new Int32Array(2 * capacity * PLACE_WORDS)
    const last = places.length - 1
    for (let first = 0; first < this.#count; first += STRETCH) {
      const count = Math.min(this.#count - first, STRETCH)
      hashAll(this.#ids.subarray(first * ID_WORDS), count, this.#key, this.#hashes, places)
      for (let index = 0; index < count; index++) {
        let at = (this.#hashes[index] * PLACE_WORDS) & last
        while (places[at] !== 0) at = (at + PLACE_WORDS) & last
        places[at] = first + index + 1
        places[at + 1] = this.#hashes[index]
      }
    }
    return places
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Int32Array | Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function copyId(from: Int32Array, fromAt: number, to: Int32Array, toAt: number): void {
  to[toAt] = from[fromAt]
  to[toAt + 1] = from[fromAt + 1]
  to[toAt + 2] = from[fromAt + 2]
  to[toAt + 3] = from[fromAt + 3]
}

function sameId(left: Int32Array, leftAt: number, right: Int32Array, rightAt: number): boolean {
  return (
    left[leftAt] === right[rightAt] &&
    left[leftAt + 1] === right[rightAt + 1] &&
    left[leftAt + 2] === right[rightAt + 2] &&
    left[leftAt + 3] === right[rightAt + 3]
  )
}
