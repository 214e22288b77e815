import { formatTime, MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND } from '../base/time.ts'
import { formatDecimal } from './decimal-text.ts'

const INT32_MAX = 2_147_483_647
/** Days, counted from 1970, of the years that ISO-8601 writes with four digits. */
const DAY_MIN = Date.parse('0000-01-01') / MS_PER_DAY
const DAY_MAX = Date.parse('9999-12-31') / MS_PER_DAY

/** Text as UTF-8 bytes in a buffer that grows: what encoders write cells into, without making strings. */
export class TextBuffer {
  #bytes: Uint8Array<ArrayBuffer>
  #length = 0
  #day = Number.NaN
  #dayText: Uint8Array = new Uint8Array(0)

  constructor(capacityBytes: number = 1 << 16) {
    this.#bytes = new Uint8Array(capacityBytes)
  }

  get length(): number {
    return this.#length
  }

  /** What was written, as a view that is valid until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** A copy of what was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length)
  }

  clear(): void {
    this.#length = 0
  }

  byte(byte: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = byte
  }

  raw(source: Uint8Array): void {
    this.slice(source, 0, source.length)
  }

  slice(source: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start)
    const bytes = this.#bytes
    let to = this.#length
    if (end - start > 64) {
      bytes.set(source.subarray(start, end), to)
      to += end - start
    } else {
      for (let from = start; from < end; from++) bytes[to++] = source[from]
    }
    this.#length = to
  }

  /** Text in ASCII. */
  ascii(text: string): void {
    this.#reserve(text.length)
    for (let index = 0; index < text.length; index++) this.#bytes[this.#length++] = text.charCodeAt(index)
  }

  /** A number as JavaScript writes it: the shortest text that reads back as the same double; -0 is 0. */
  number(value: number): void {
    if (Number.isInteger(value) && Math.abs(value) <= INT32_MAX) this.#integer(value)
    else this.ascii(String(value))
  }

  /** Units of 10^-scale with exactly `scale` digits behind the point. */
  decimal(units: number, scale: number): void {
    if (Math.abs(units) > INT32_MAX || scale === 0) {
      this.ascii(formatDecimal(units, scale))
      return
    }
    const divisor = 10 ** scale
    const magnitude = Math.abs(units)
    const whole = Math.trunc(magnitude / divisor)
    if (units < 0) this.byte(MINUS)
    this.#integer(whole)
    this.byte(POINT)
    this.#digits(magnitude - whole * divisor, scale)
  }

  /** ISO-8601 in UTC with milliseconds. */
  timestamp(timeMs: number): void {
    const day = Math.floor(timeMs / MS_PER_DAY)
    if (!(day >= DAY_MIN && day <= DAY_MAX)) {
      this.ascii(formatTime(timeMs))
      return
    }
    if (day !== this.#day) {
      this.#day = day
      this.#dayText = Uint8Array.from(new Date(day * MS_PER_DAY).toISOString().slice(0, 11), charCode)
    }
    this.raw(this.#dayText)
    const ofDayMs = Math.floor(timeMs - day * MS_PER_DAY)
    this.#digits(Math.trunc(ofDayMs / MS_PER_HOUR), 2)
    this.byte(COLON)
    this.#digits(Math.trunc(ofDayMs / MS_PER_MINUTE) % 60, 2)
    this.byte(COLON)
    this.#digits(Math.trunc(ofDayMs / MS_PER_SECOND) % 60, 2)
    this.byte(POINT)
    this.#digits(ofDayMs % MS_PER_SECOND, 3)
    this.byte(LETTER_Z)
  }

  /** A whole number of at most 31 bits. */
  #integer(value: number): void {
    let magnitude = value
    if (value < 0) {
      this.byte(MINUS)
      magnitude = -value
    }
    let digits = 1
    for (let rest = magnitude; rest >= 10; rest = Math.trunc(rest / 10)) digits++
    this.#digits(magnitude, digits)
  }

  /** The last `count` decimal digits of a whole number. */
  #digits(value: number, count: number): void {
    this.#reserve(count)
    let rest = value | 0
    for (let at = this.#length + count - 1; at >= this.#length; at--) {
      this.#bytes[at] = ZERO + (rest % 10)
      rest = (rest / 10) | 0
    }
    this.#length += count
  }

  #reserve(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length))
    grown.set(this.view())
    this.#bytes = grown
  }
}

function charCode(character: string): number {
  return character.charCodeAt(0)
}

const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const COLON = 0x3a
const LETTER_Z = 0x5a
