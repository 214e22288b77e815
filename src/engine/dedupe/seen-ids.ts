import { type ByteReader, ByteWriter } from '../../base/bytes.ts'
import { SHARDS } from '../keys/key-table.ts'

const HASH_WORDS = 4

/**
 * Ids that were seen, as 128-bit hashes with the event time of the row that brought each. Forgetting is free: what lies at or before the
 * horizon counts as not there, and goes when the table is rebuilt.
 *
 *   hashes   four words an entry, all 0 in a free place          times   event time, ms
 */
export class SeenIds {
  #hashes = new Int32Array(HASH_WORDS * 256)
  #times = new Float64Array(256)
  /** Places that are not free. */
  #used = 0
  #horizonMs = Number.NEGATIVE_INFINITY

  /** Entries up to this time are forgotten; it never goes back. */
  forget(upToMs: number): void {
    this.#horizonMs = Math.max(this.#horizonMs, upToMs)
  }

  /** Entries that are remembered. */
  get size(): number {
    let size = 0
    for (let at = 0; at < this.#times.length; at++) if (this.#live(at)) size++
    return size
  }

  /** Whether no more than so many entries are remembered. Those that are forgotten make room when there would be too many otherwise. */
  fits(entriesMax: number): boolean {
    if (this.#used <= entriesMax) return true
    this.#rebuild()
    return this.#used <= entriesMax
  }

  /** True when the id is new; it is then remembered with the time. */
  add(id: IdHash, timeMs: number): boolean {
    const mask = this.#times.length - 1
    let free = -1
    let at = (id.word1 ^ (id.word1 >>> 16)) & mask
    for (; !this.#empty(at); at = (at + 1) & mask) {
      if (!this.#live(at)) {
        if (free < 0) free = at
      } else if (this.#is(at, id)) {
        return false
      }
    }
    if (free >= 0) {
      this.#set(free, id, timeMs)
      return true
    }
    this.#set(at, id, timeMs)
    if (++this.#used * 2 > this.#times.length) this.#rebuild()
    return true
  }

  /** Writes the entries of some shards, each in a section of its own, by hash. */
  write(writer: ByteWriter, shards: readonly number[]): void {
    const byShard: number[][] = Array.from({ length: SHARDS }, () => [])
    for (let at = 0; at < this.#times.length; at++) {
      if (this.#live(at)) byShard[(this.#hashes[at * HASH_WORDS] as number) & (SHARDS - 1)]?.push(at)
    }
    const section = new ByteWriter(1024)
    for (const shard of shards) {
      const places = (byShard[shard] as number[]).sort((left, right) => this.#compare(left, right))
      section.clear()
      section.varint(places.length)
      for (const at of places) {
        for (let word = 0; word < HASH_WORDS; word++) section.u32(this.#hashes[at * HASH_WORDS + word] as number)
        section.f64(this.#times[at] as number)
      }
      writer.bytes(section.view())
    }
  }

  /** Adds what `write` has written, of as many shards. */
  merge(reader: ByteReader, shardCount: number): void {
    for (let shard = 0; shard < shardCount; shard++) {
      const section = reader.section()
      for (let left = section.count(); left > 0; left--) {
        const [word0, word1, word2, word3] = [section.u32(), section.u32(), section.u32(), section.u32()]
        this.add({ word0: word0 | 0, word1: word1 | 0, word2: word2 | 0, word3: word3 | 0 }, section.f64())
      }
    }
  }

  #empty(at: number): boolean {
    const start = at * HASH_WORDS
    return this.#hashes[start] === 0 && this.#hashes[start + 1] === 0
  }

  #live(at: number): boolean {
    return !this.#empty(at) && (this.#times[at] as number) > this.#horizonMs
  }

  #is(at: number, id: IdHash): boolean {
    const start = at * HASH_WORDS
    return (
      this.#hashes[start] === id.word0 &&
      this.#hashes[start + 1] === id.word1 &&
      this.#hashes[start + 2] === id.word2 &&
      this.#hashes[start + 3] === id.word3
    )
  }

  #set(at: number, { word0, word1, word2, word3 }: IdHash, timeMs: number): void {
    const start = at * HASH_WORDS
    this.#hashes[start] = word0
    this.#hashes[start + 1] = word1
    this.#hashes[start + 2] = word2
    this.#hashes[start + 3] = word3
    this.#times[at] = timeMs
  }

  #rebuild(): void {
    const hashes = this.#hashes
    const times = this.#times
    const live = this.size
    const places = live * 4 > times.length ? times.length * 2 : times.length
    this.#hashes = new Int32Array(places * HASH_WORDS)
    this.#times = new Float64Array(places)
    this.#used = live
    for (let from = 0; from < times.length; from++) {
      const start = from * HASH_WORDS
      const empty = hashes[start] === 0 && hashes[start + 1] === 0
      if (empty || (times[from] as number) <= this.#horizonMs) continue
      const word1 = hashes[start + 1] as number
      let at = (word1 ^ (word1 >>> 16)) & (places - 1)
      while (!this.#empty(at)) at = (at + 1) & (places - 1)
      this.#hashes.set(hashes.subarray(start, start + HASH_WORDS), at * HASH_WORDS)
      this.#times[at] = times[from] as number
    }
  }

  #compare(left: number, right: number): number {
    for (let word = 0; word < HASH_WORDS; word++) {
      const difference =
        ((this.#hashes[left * HASH_WORDS + word] as number) >>> 0) -
        ((this.#hashes[right * HASH_WORDS + word] as number) >>> 0)
      if (difference !== 0) return difference
    }
    return 0
  }
}

/** 128 bits that stand for an id. The first two words are never both 0. */
export interface IdHash {
  readonly word0: number
  readonly word1: number
  readonly word2: number
  readonly word3: number
}
