import { MillraceError } from '../../base/error.ts'

/**
 * Byte strings as dense ids, for the life of an operator's state: the same bytes give the same id whichever dictionary, batch or
 * partition they came from. Hashed by FNV-1a folded with a seed, open addressing at a load of at most one half.
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

  constructor(seed: number) {
    this.#seed = seed | 0
  }

  get size(): number {
    return this.#size
  }

  /** A view of the value's bytes, valid until the next `intern`. */
  bytes(id: number): Uint8Array {
    return this.#slab.subarray(this.#start(id), this.#ends[id] as number)
  }

  /** Orders two values as `compareBytes` does. */
  compare(left: number, right: number): number {
    if (left === right) return 0
    const slab = this.#slab
    let leftAt = this.#start(left)
    let rightAt = this.#start(right)
    const leftLength = (this.#ends[left] as number) - leftAt
    const rightLength = (this.#ends[right] as number) - rightAt
    const sharedEnd = leftAt + Math.min(leftLength, rightLength)
    while (leftAt < sharedEnd) {
      const difference = (slab[leftAt++] as number) - (slab[rightAt++] as number)
      if (difference !== 0) return difference
    }
    return leftLength - rightLength
  }

  intern(bytes: Uint8Array): number {
    const hash = hashBytes(bytes, this.#seed)
    const mask = this.#table.length - 1
    let at = hash & mask
    for (let id = this.#table[at] as number; id >= 0; id = this.#table[at] as number) {
      if (this.#hashes[id] === hash && this.#same(id, bytes)) return id
      at = (at + 1) & mask
    }
    this.#table[at] = this.#size
    return this.#append(bytes, hash)
  }

  #same(id: number, bytes: Uint8Array): boolean {
    const start = this.#start(id)
    if ((this.#ends[id] as number) - start !== bytes.length) return false
    for (let index = 0; index < bytes.length; index++) {
      if (this.#slab[start + index] !== bytes[index]) return false
    }
    return true
  }

  #start(id: number): number {
    return id === 0 ? 0 : (this.#ends[id - 1] as number)
  }

  #append(bytes: Uint8Array, hash: number): number {
    const id = this.#size++
    const end = this.#slabLength + bytes.length
    if (end > 2 ** 31 - 1) throw tooMuchText()
    if (end > this.#slab.length) {
      const grown = new Uint8Array(Math.max(end, this.#slab.length * 2))
      grown.set(this.#slab)
      this.#slab = grown
    }
    this.#slab.set(bytes, this.#slabLength)
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

function hashBytes(bytes: Uint8Array, seed: number): number {
  let hash = seed ^ 0x811c9dc5
  for (let index = 0; index < bytes.length; index++) hash = Math.imul(hash ^ (bytes[index] as number), 0x01000193)
  hash ^= hash >>> 15
  return Math.imul(hash, 0x2c1b3c6d) ^ (hash >>> 13)
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
