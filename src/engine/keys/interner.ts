import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { MillraceError } from '../../base/error.ts'
import { mixed } from '../../base/mixed.ts'
import { copyShort } from '../../batch/dictionary.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import { decodeKeyPart } from './key-codec.ts'
import { compareFrom, type Slab, sortByBytes } from './value-sort.ts'

/**
 * Byte strings as dense ids, for the life of an operator's state: the same bytes give the same id whichever dictionary, batch or
 * partition they came from. Open addressing at a load of at most one half; the hash mixes every 4 bytes with two odd multipliers drawn
 * from the seed, so that whoever does not know it cannot choose values that collide.
 */
export class Interner {
  #slab = new Uint8Array(4096)
  #slabLength = 0
  /** End of each value in the slab. */
  #ends = new Int32Array(64)
  #hashes = new Int32Array(64)
  #table: Int32Array = new Int32Array(256).fill(-1)
  #size = 0
  readonly #seed: number
  readonly #multiplier1: number
  readonly #multiplier2: number

  constructor(seed: number) {
    this.#seed = mixed(seed | 0)
    this.#multiplier1 = mixed(this.#seed ^ 0x2545f491) | 1
    this.#multiplier2 = mixed(this.#multiplier1 ^ 0x6c8e9cf5) | 1
  }

  get size(): number {
    return this.#size
  }

  /** A view of the value's bytes, valid until the next `intern`. */
  bytes(id: number): Uint8Array {
    return this.#slab.subarray(this.#start(id), this.#ends[id] as number)
  }

  /** Appends the parts of a key, one to each column. */
  decode(id: number, to: readonly ColumnBuilder[]): void {
    const end = this.#ends[id] as number
    let at = this.#start(id)
    for (let part = 0; part < to.length; part++) at = decodeKeyPart(to[part] as ColumnBuilder, this.#slab, at, end)
  }

  /** Orders two values as `compareBytes` does. */
  compare(left: number, right: number): number {
    return left === right ? 0 : compareFrom(this.#values, left, right, 0)
  }

  /** Sorts items in place by the bytes of the values that they stand for, `ids[item]`; equal ones stay in their order. */
  sort(items: Int32Array, ids: Int32Array): void {
    sortByBytes(items, ids, this.#values)
  }

  /** Appends the value's bytes with their length. */
  write(id: number, writer: ByteWriter): void {
    writer.slice(this.#slab, this.#start(id), this.#ends[id] as number)
  }

  /** The id of the first `length` bytes, a new one when they are new. */
  intern(bytes: Uint8Array, length: number = bytes.length): number {
    const hash = this.#hash(bytes, 0, length)
    const at = this.#place(bytes, 0, length, hash)
    const id = this.#table[at] as number
    return id >= 0 ? id : this.#append(bytes, 0, length, hash, at)
  }

  /** The id of what `write` has written. */
  read(reader: ByteReader): number {
    const length = reader.varint()
    const start = reader.skip(length)
    const { source } = reader
    const hash = this.#hash(source, start, length)
    const at = this.#place(source, start, length, hash)
    const id = this.#table[at] as number
    return id >= 0 ? id : this.#append(source, start, length, hash, at)
  }

  /** The id of a value, or -1 when it has none. */
  find(bytes: Uint8Array): number {
    return this.#table[this.#place(bytes, 0, bytes.length, this.#hash(bytes, 0, bytes.length))] as number
  }

  /** Where the value stands in the table, or the free place where it belongs. */
  #place(bytes: Uint8Array, start: number, length: number, hash: number): number {
    const mask = this.#table.length - 1
    let at = hash & mask
    for (let id = this.#table[at] as number; id >= 0; id = this.#table[at] as number) {
      if (this.#hashes[id] === hash && this.#same(id, bytes, start, length)) return at
      at = (at + 1) & mask
    }
    return at
  }

  #hash(bytes: Uint8Array, start: number, length: number): number {
    const multiplier1 = this.#multiplier1
    const multiplier2 = this.#multiplier2
    let hash = this.#seed ^ length
    const end = start + length
    let at = start
    for (; at + 4 <= end; at += 4) {
      hash = Math.imul(hash ^ word(bytes, at), multiplier1)
      hash = Math.imul(hash ^ (hash >>> 16), multiplier2)
    }
    let tail = 0
    for (; at < end; at++) tail = (tail << 8) | (bytes[at] as number)
    hash = Math.imul(hash ^ tail, multiplier1)
    return hash ^ (hash >>> 15)
  }

  #same(id: number, bytes: Uint8Array, start: number, length: number): boolean {
    const slab = this.#slab
    const own = this.#start(id)
    if ((this.#ends[id] as number) - own !== length) return false
    for (let index = 0; index < length; index++) {
      if (slab[own + index] !== bytes[start + index]) return false
    }
    return true
  }

  get #values(): Slab {
    return { bytes: this.#slab, ends: this.#ends }
  }

  #start(id: number): number {
    return id === 0 ? 0 : (this.#ends[id - 1] as number)
  }

  /** A new value, at a free place of the table. */
  #append(bytes: Uint8Array, start: number, length: number, hash: number, at: number): number {
    const id = this.#size++
    this.#table[at] = id
    const end = this.#slabLength + length
    if (end > 2 ** 31 - 1) throw tooMuchText()
    if (end > this.#slab.length) {
      const grown = new Uint8Array(Math.max(end, this.#slab.length * 2))
      grown.set(this.#slab)
      this.#slab = grown
    }
    copyShort(bytes, start, length, this.#slab, this.#slabLength)
    this.#slabLength = end
    if (id >= this.#ends.length) {
      this.#ends = doubled(this.#ends)
      this.#hashes = doubled(this.#hashes)
    }
    this.#ends[id] = end
    this.#hashes[id] = hash
    if (this.#size * 2 > this.#table.length) this.#rehash()
    return id
  }

  #rehash(): void {
    const table = new Int32Array(this.#table.length * 2).fill(-1)
    const mask = table.length - 1
    for (let id = 0; id < this.#size; id++) {
      let at = (this.#hashes[id] as number) & mask
      while ((table[at] as number) >= 0) at = (at + 1) & mask
      table[at] = id
    }
    this.#table = table
  }
}

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}

function doubled(values: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(values.length * 2)
  grown.set(values)
  return grown
}

function tooMuchText(): MillraceError {
  return new MillraceError('unsupported', 'the keys of one query hold more than 2 GB of text', {
    hint: 'group by a shorter column, or use smaller windows',
  })
}
