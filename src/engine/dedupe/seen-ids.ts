import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { HashKey } from '../keys/key-table.ts'
import { ID_WORDS, type WideIds } from './wide-ids.ts'

type Ids = Pick<WideIds, 'words' | 'nulls'>

/** Words of a place: number of its entry, 0 when free; hash of the entry. */
const PLACE_WORDS = 2

/**
 * Ids that were seen, with the event time of the row that brought each. Forgetting is free: what lies at or before the horizon counts as
 * not there, and goes when room is needed.
 *
 *   places    entry + 1, hash | 0, 0 | ...        open addressing; the hash alone tells nearly all other ids
 *   ids       four words an entry                 entries in the order in which they came: a new id costs one place that is
 *   times     event time, ms                      out of the cache, and the end of two arrays
 */
export class SeenIds {
  readonly #keys: HashKey
  #places = new Int32Array(PLACE_WORDS * 1024)
  #ids = new Int32Array(ID_WORDS * 256)
  #times = new Float64Array(256)
  #count = 0
  #horizonMs = Number.NEGATIVE_INFINITY
  /** Of the ids that are being added. */
  #hashes = new Int32Array(0)

  constructor(keys: HashKey) {
    this.#keys = keys
  }

  /** Entries up to this time are forgotten; it never goes back. */
  forget(upToMs: number): void {
    this.#horizonMs = Math.max(this.#horizonMs, upToMs)
  }

  /** Entries that are remembered. */
  get size(): number {
    let size = 0
    for (let entry = 0; entry < this.#count; entry++) if (this.#live(entry)) size++
    return size
  }

  /** Entries that take room, forgotten ones among them. */
  get held(): number {
    return this.#count
  }

  /** Lets go of what is forgotten. */
  compact(): void {
    if (this.size < this.#count) this.#makeRoom(0)
  }

  /** Sets `isNew[i]` to 1 where id `i` is new or null, for i < count; those that are new are remembered with their times. */
  addAll({ words, nulls }: Ids, times: Float64Array, count: number, isNew: Uint8Array): void {
    if (this.#count + count > this.#times.length) this.#makeRoom(count)
    if (this.#hashes.length <= count) this.#hashes = new Int32Array(count * 2 + 1)
    hashAll(words, count, this.#keys, this.#hashes, this.#places)
    for (let index = 0; index < count; index++) {
      const known = nulls[index] === 0 && !this.#add(words, index * ID_WORDS, this.#hashes[index], times[index])
      isNew[index] = known ? 0 : 1
    }
  }

  /** Appends the entries as they came, which is the same for the same epochs. */
  write(writer: ByteWriter): void {
    this.compact()
    writer.varint(this.#count)
    writer.raw(bytesOf(this.#ids.subarray(0, this.#count * ID_WORDS)))
    writer.raw(bytesOf(this.#times.subarray(0, this.#count)))
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
      const entry = places[at] - 1
      if (!sameId(this.#ids, entry * ID_WORDS, words, from)) continue
      if (this.#live(entry)) return false
      // Its entry stays behind, without a place, until room is made.
      break
    }
    places[at] = this.#append(words, from, timeMs) + 1
    places[at + 1] = hash
    return true
  }

  #append(words: Int32Array, from: number, timeMs: number): number {
    const entry = this.#count++
    const ids = this.#ids
    const to = entry * ID_WORDS
    ids[to] = words[from]
    ids[to + 1] = words[from + 1]
    ids[to + 2] = words[from + 2]
    ids[to + 3] = words[from + 3]
    this.#times[entry] = timeMs
    return entry
  }

  #live(entry: number): boolean {
    return this.#times[entry] > this.#horizonMs
  }

  /** Drops what is forgotten, and makes the arrays larger unless half of them is free then. */
  #makeRoom(count: number): void {
    const [ids, times, entries] = [this.#ids, this.#times, this.#count]
    let capacity = times.length
    while ((this.size + count) * 2 > capacity) capacity *= 2
    this.#ids = new Int32Array(capacity * ID_WORDS)
    this.#times = new Float64Array(capacity)
    this.#count = 0
    for (let entry = 0; entry < entries; entry++) {
      if (times[entry] > this.#horizonMs) this.#append(ids, entry * ID_WORDS, times[entry])
    }
    this.#findPlaces(capacity)
  }

  /** Half of the places stay free even when there are as many entries as there can be. */
  #findPlaces(capacity: number): void {
    const places = new Int32Array(capacity * 2 * PLACE_WORDS)
    const hashes = new Int32Array(this.#count + 1)
    hashAll(this.#ids, this.#count, this.#keys, hashes, places)
    const last = places.length - 1
    for (let entry = 0; entry < this.#count; entry++) {
      let at = (hashes[entry] * PLACE_WORDS) & last
      while (places[at] !== 0) at = (at + PLACE_WORDS) & last
      places[at] = entry + 1
      places[at + 1] = hashes[entry]
    }
    this.#places = places
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Int32Array | Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/**
 * Hashes ids under a key that nobody outside knows, so that nobody can make a crowd in one place. The place where each begins is read once
 * on the way, before the first is looked at: the processor then waits for many of them at a time. Their sum lies behind the last hash, for
 * reads that nobody needs would be left out.
 */
function hashAll(words: Int32Array, count: number, key: HashKey, hashes: Int32Array, places: Int32Array): void {
  const last = places.length - 1
  const [key0, key1] = key
  let sum = 0
  for (let index = 0, at = 0; index < count; index++, at += ID_WORDS) {
    let hash = Math.imul(words[at] ^ key0, 0x9e3779b1)
    hash = Math.imul((hash ^ (hash >>> 15)) + words[at + 1], 0x85ebca77)
    hash = Math.imul((hash ^ (hash >>> 13) ^ key1) + words[at + 2], 0xc2b2ae3d)
    hash = Math.imul((hash ^ (hash >>> 16)) + words[at + 3], 0x27d4eb2f)
    hash ^= hash >>> 15
    hashes[index] = hash
    sum = (sum + places[(hash * PLACE_WORDS) & last]) | 0
  }
  hashes[count] = sum
}

function sameId(left: Int32Array, leftAt: number, right: Int32Array, rightAt: number): boolean {
  return (
    left[leftAt] === right[rightAt] &&
    left[leftAt + 1] === right[rightAt + 1] &&
    left[leftAt + 2] === right[rightAt + 2] &&
    left[leftAt + 3] === right[rightAt + 3]
  )
}
