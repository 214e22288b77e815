import { assert } from '../base/assert.ts'
import { mixed } from '../base/mixed.ts'
import { copyShort, type Dictionary } from './dictionary.ts'

/** A dictionary takes no more values into the same object beyond this many bytes; see `full`. */
export const DICTIONARY_BYTES_MAX: number = 1 << 26

const CHUNK_BITS = 20
const CHUNK_BYTES_MAX = 1 << CHUNK_BITS
const CHUNK_BYTES_FIRST = 1 << 14
const SLOTS_FIRST = 64
/** Slots of the old table that move with each new value; 2 would be enough to be done before the next growth. */
const SLOTS_PER_MOVE = 16

/**
 * A growing set of byte strings with dense codes.
 *
 *     slots   [hash, code + 1] [0, 0] [hash, code + 1] ...      open addressing, at most half full, linear probing
 *     chunks  |value|value|....| |value|...                     up to 1 MB each, values begin at multiples of 4
 *
 * Growing never stalls: a larger table begins empty and each new value moves a few slots of the old one; until all have moved,
 * a look-up that misses the new table asks the old one. Chunks are never copied.
 * The hash mixes every 4 bytes with two odd multipliers drawn from the seed: whoever does not know it cannot choose values
 * that collide.
 */
export class InternedDictionary implements Dictionary {
  readonly #multiplier1: number
  readonly #multiplier2: number
  readonly #seed: number
  #slots = new Int32Array(2 * SLOTS_FIRST)
  #oldSlots: Int32Array | undefined
  #moved = 0
  #size = 0
  /** For each code: chunk number in the high bits, place in the chunk in the low 20. */
  #positions = new Int32Array(SLOTS_FIRST)
  #lengths = new Int32Array(SLOTS_FIRST)
  #chunks: DataView[] = []
  #chunkUsed = CHUNK_BYTES_MAX
  #byteLength = 0
  #texts: (string | undefined)[] = []
  #copy = new Uint8Array(64)
  #copyView = new DataView(this.#copy.buffer)

  constructor(seed: number) {
    this.#seed = mixed(seed | 0)
    this.#multiplier1 = mixed(this.#seed ^ 0x2545f491) | 1
    this.#multiplier2 = mixed(this.#multiplier1 ^ 0x6c8e9cf5) | 1
  }

  get size(): number {
    return this.#size
  }

  /** Bytes of all values together. */
  get byteLength(): number {
    return this.#byteLength
  }

  /** Whether it is time for a new generation: it holds `entriesMax` values, or more bytes than a dictionary may. */
  full(entriesMax: number): boolean {
    return this.#size >= entriesMax || this.#byteLength >= DICTIONARY_BYTES_MAX
  }

  /** The code of `bytes[start, end)`, a new one when the value is new. Values are at most 1 MB long. */
  intern(bytes: Uint8Array, start: number, end: number): number {
    this.#copyIn(bytes, start, end)
    return this.internAt(this.#copyView, 0, end - start)
  }

  /** The code of `bytes[start, end)`, or -1 when it is not in the dictionary. */
  find(bytes: Uint8Array, start: number, end: number): number {
    this.#copyIn(bytes, start, end)
    return this.findAt(this.#copyView, 0, end - start)
  }

  /** As `intern`, for callers with a view in which the three bytes behind the value can be read, whatever they hold. */
  internAt(view: DataView, start: number, length: number): number {
    const hash = this.#hash(view, start, length)
    const code = this.#lookUp(this.#slots, hash, view, start, length)
    if (code >= 0) return code
    if (this.#oldSlots !== undefined) {
      const oldCode = this.#lookUp(this.#oldSlots, hash, view, start, length)
      if (oldCode >= 0) return oldCode
      this.#moveSlots(this.#oldSlots)
    }
    return this.#add(hash, view, start, length)
  }

  /** As `find`, with the demand of `internAt`. */
  findAt(view: DataView, start: number, length: number): number {
    const hash = this.#hash(view, start, length)
    const code = this.#lookUp(this.#slots, hash, view, start, length)
    if (code >= 0 || this.#oldSlots === undefined) return code
    return this.#lookUp(this.#oldSlots, hash, view, start, length)
  }

  bytes(code: number): Uint8Array {
    assert(code >= 0 && code < this.#size, `code ${code} is not in a dictionary of ${this.#size}`)
    const position = this.#positions[code]
    const chunk = this.#chunks[position >>> CHUNK_BITS]
    return new Uint8Array(chunk.buffer, position & (CHUNK_BYTES_MAX - 1), this.#lengths[code])
  }

  copyTo(code: number, into: Uint8Array, at: number): number {
    const bytes = this.bytes(code)
    return copyShort(bytes, 0, bytes.length, into, at)
  }

  text(code: number): string {
    const known = this.#texts[code]
    if (known !== undefined) return known
    const text = textDecoder.decode(this.bytes(code))
    while (this.#texts.length < this.#size) this.#texts.push(undefined)
    this.#texts[code] = text
    return text
  }

  /** Slots that the longest look-up goes through: how well the hash spreads these values. */
  longestProbe(): number {
    const slots = this.#slots
    const mask = slots.length - 2
    let longest = 0
    for (let slot = 0; slot < slots.length; slot += 2) {
      if (slots[slot + 1] === 0) continue
      const home = (slots[slot] << 1) & mask
      longest = Math.max(longest, ((slot - home) & mask) / 2 + 1)
    }
    return longest
  }

  #hash(view: DataView, start: number, length: number): number {
    const multiplier1 = this.#multiplier1
    const multiplier2 = this.#multiplier2
    let hash = this.#seed ^ length
    const wordsEnd = start + (length & ~3)
    for (let at = start; at < wordsEnd; at += 4) {
      hash = Math.imul(hash ^ view.getInt32(at, true), multiplier1)
      hash = Math.imul(hash ^ (hash >>> 16), multiplier2)
    }
    if ((length & 3) !== 0) {
      hash = Math.imul(hash ^ (view.getInt32(wordsEnd, true) & tailMask(length)), multiplier1)
      hash = Math.imul(hash ^ (hash >>> 16), multiplier2)
    }
    return hash ^ (hash >>> 15)
  }

  #lookUp(slots: Int32Array, hash: number, view: DataView, start: number, length: number): number {
    const mask = slots.length - 2
    for (let slot = (hash << 1) & mask; ; slot = (slot + 2) & mask) {
      const code = slots[slot + 1] - 1
      if (code < 0) return -1
      if (slots[slot] === hash && this.#lengths[code] === length && this.#equals(code, view, start, length)) return code
    }
  }

  #equals(code: number, view: DataView, start: number, length: number): boolean {
    const position = this.#positions[code]
    const chunk = this.#chunks[position >>> CHUNK_BITS]
    const shift = (position & (CHUNK_BYTES_MAX - 1)) - start
    const wordsEnd = start + (length & ~3)
    for (let at = start; at < wordsEnd; at += 4) {
      if (view.getInt32(at, true) !== chunk.getInt32(at + shift, true)) return false
    }
    if ((length & 3) === 0) return true
    return ((view.getInt32(wordsEnd, true) ^ chunk.getInt32(wordsEnd + shift, true)) & tailMask(length)) === 0
  }

  #add(hash: number, view: DataView, start: number, length: number): number {
    const code = this.#size++
    if (code >= this.#positions.length) {
      this.#positions = doubled(this.#positions)
      this.#lengths = doubled(this.#lengths)
    }
    this.#positions[code] = this.#store(view, start, length)
    this.#lengths[code] = length
    this.#byteLength += length
    place(this.#slots, hash, code)
    if (this.#size * 4 > this.#slots.length) this.#growSlots()
    return code
  }

  #store(view: DataView, start: number, length: number): number {
    assert(length < CHUNK_BYTES_MAX, `a dictionary value has ${length} bytes`)
    const needed = (length + 3) & ~3
    let chunk = this.#chunks[this.#chunks.length - 1]
    if (chunk === undefined || this.#chunkUsed + needed > chunk.byteLength) {
      const usual = Math.min(CHUNK_BYTES_MAX, CHUNK_BYTES_FIRST << Math.min(this.#chunks.length, CHUNK_BITS))
      chunk = new DataView(new ArrayBuffer(Math.max(usual, needed)))
      this.#chunks.push(chunk)
      this.#chunkUsed = 0
    }
    const source = new Uint8Array(view.buffer, view.byteOffset + start, length)
    new Uint8Array(chunk.buffer).set(source, this.#chunkUsed)
    const position = ((this.#chunks.length - 1) << CHUNK_BITS) | this.#chunkUsed
    this.#chunkUsed += needed
    return position
  }

  #growSlots(): void {
    while (this.#oldSlots !== undefined) this.#moveSlots(this.#oldSlots)
    this.#oldSlots = this.#slots
    this.#moved = 0
    this.#slots = new Int32Array(this.#slots.length * 2)
  }

  #moveSlots(old: Int32Array): void {
    const end = Math.min(old.length, this.#moved + 2 * SLOTS_PER_MOVE)
    for (let slot = this.#moved; slot < end; slot += 2) {
      if (old[slot + 1] !== 0) place(this.#slots, old[slot], old[slot + 1] - 1)
    }
    this.#moved = end
    if (end === old.length) this.#oldSlots = undefined
  }

  #copyIn(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start
    if (length + 3 > this.#copy.length) {
      this.#copy = new Uint8Array(2 * length + 3)
      this.#copyView = new DataView(this.#copy.buffer)
    }
    this.#copy.set(bytes.subarray(start, end))
  }
}

const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true })

function place(slots: Int32Array, hash: number, code: number): void {
  const mask = slots.length - 2
  let slot = (hash << 1) & mask
  while (slots[slot + 1] !== 0) slot = (slot + 2) & mask
  slots[slot] = hash
  slots[slot + 1] = code + 1
}

function tailMask(length: number): number {
  return (1 << ((length & 3) << 3)) - 1
}

function doubled(values: Int32Array): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(values.length * 2)
  grown.set(values)
  return grown
}
