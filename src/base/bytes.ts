import { MillraceError } from './error.ts'

const encoder = new TextEncoder()
/** A byte order mark is part of a text: without it two texts would be one after a restart. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-8 bytes of a text. */
export function encodeText(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Text of UTF-8 bytes; throws a TypeError when they are none. */
export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

/** Orders byte strings as unsigned numbers, shorter first when one begins with the other: also the order of code points in UTF-8. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const shared = Math.min(left.length, right.length)
  for (let index = 0; index < shared; index++) {
    const difference = (left[index] as number) - (right[index] as number)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

/** Appends little-endian numbers, varints and byte strings to a buffer that grows. */
export class ByteWriter {
  #bytes: Uint8Array
  #view: DataView
  #length = 0

  constructor(capacityBytes = 1024) {
    this.#bytes = new Uint8Array(capacityBytes)
    this.#view = new DataView(this.#bytes.buffer)
  }

  get length(): number {
    return this.#length
  }

  u8(value: number): void {
    const at = this.#claim(1)
    this.#bytes[at] = value
  }

  u32(value: number): void {
    const at = this.#claim(4)
    this.#view.setUint32(at, value, true)
  }

  /** Doubles keep their bits: NaN, -0 and infinities survive. */
  f64(value: number): void {
    const at = this.#claim(8)
    this.#view.setFloat64(at, value, true)
  }

  /** An unsigned whole number up to 2^53 in groups of 7 bits, low group first. */
  varint(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      this.u8((rest % 0x80) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.u8(rest)
  }

  raw(bytes: Uint8Array): void {
    const at = this.#claim(bytes.length)
    this.#bytes.set(bytes, at)
  }

  /** The same as `raw`, faster while the bytes are few. */
  short(bytes: Uint8Array): void {
    let at = this.#claim(bytes.length)
    const own = this.#bytes
    for (let index = 0; index < bytes.length; index++) own[at++] = bytes[index] as number
  }

  /** Length, then the bytes. */
  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length)
    this.raw(bytes)
  }

  /** Length, then the bytes from start to end. Faster than a view of them while they are few. */
  slice(bytes: Uint8Array, start: number, end: number): void {
    this.varint(end - start)
    let at = this.#claim(end - start)
    const own = this.#bytes
    for (let index = start; index < end; index++) own[at++] = bytes[index] as number
  }

  text(text: string): void {
    this.bytes(encodeText(text))
  }

  /** Overwrites four bytes written before, such as a length that is known only now. */
  patchU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true)
  }

  /** Makes room for so many bytes more at once, for those who know what comes. */
  reserve(size: number): void {
    if (this.#length + size > this.#bytes.length) this.#grow(this.#length + size)
  }

  clear(): void {
    this.#length = 0
  }

  /** What was written so far: a view, valid until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  #claim(size: number): number {
    const at = this.#length
    if (at + size > this.#bytes.length) this.#grow(at + size)
    this.#length = at + size
    return at
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes)
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

/** Reads what a `ByteWriter` wrote. Reading past the end throws `corrupt-data`. */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #what: string
  #at = 0

  /** `what` names the bytes in errors, such as `snapshot 12`. */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#what = what
  }

  get position(): number {
    return this.#at
  }

  get remaining(): number {
    return this.#bytes.length - this.#at
  }

  u8(): number {
    return this.#bytes[this.#take(1)] as number
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), true)
  }

  varint(): number {
    let value = 0
    for (let scale = 1; scale <= 2 ** 49; scale *= 0x80) {
      const byte = this.u8()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    throw this.corrupt('a number is longer than 8 bytes')
  }

  /** A view of the next bytes. */
  raw(length: number): Uint8Array {
    const at = this.#take(length)
    return this.#bytes.subarray(at, at + length)
  }

  bytes(): Uint8Array {
    return this.raw(this.varint())
  }

  /** All bytes, for who reads from them without a view of each part. */
  get source(): Uint8Array {
    return this.#bytes
  }

  /** Passes over bytes; gives where they begin in `source`. */
  skip(length: number): number {
    return this.#take(length)
  }

  /** A count of things that take at least a byte each: one that cannot be true is damage, not a reason to allocate. */
  count(): number {
    const count = this.varint()
    if (count > this.remaining) throw this.corrupt(`it counts ${count} things in ${this.remaining} bytes`)
    return count
  }

  /** The next bytes with their length before them, to be read on their own. */
  section(): ByteReader {
    return new ByteReader(this.bytes(), this.#what)
  }

  text(): string {
    try {
      return decodeText(this.bytes())
    } catch (error) {
      if (error instanceof MillraceError) throw error
      throw this.corrupt('a text is not UTF-8')
    }
  }

  #take(size: number): number {
    const at = this.#at
    if (size > this.#bytes.length - at) throw this.corrupt(`${size} bytes wanted, ${this.#bytes.length - at} left`)
    this.#at = at + size
    return at
  }

  /** The error to throw when what was read cannot be; `detail` says why. */
  corrupt(detail: string): MillraceError {
    return new MillraceError('corrupt-data', `${this.#what} is damaged at byte ${this.#at}: ${detail}`, {
      hint: 'restore it from a backup, or remove it to start from an older one',
    })
  }
}
