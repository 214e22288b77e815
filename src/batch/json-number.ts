/** Digits that a double holds exactly whatever they are. */
const EXACT_DIGITS = 15
/** Largest power of ten that a double holds exactly. */
const EXACT_POWER = 22
const UNITS_MAX = 9007199254740992n
const UNITS_DIGITS = 16
const EXPONENT_MAX = 1e9

const POWERS_OF_TEN = Float64Array.from({ length: EXACT_POWER + 1 }, (_, power) => Number(`1e${power}`))

/**
 * One number as JSON writes it, taken apart: `mantissa * 10^exponent`, with the text kept for what does not fit.
 * Reused for every number.
 */
export class JsonNumber {
  /** Whether the last `scaled` dropped digits that were not all zero. */
  inexact = false
  #bytes: Uint8Array = new Uint8Array(0)
  #start = 0
  #end = 0
  #negative = false
  /** The digits without point as a whole number; meaningful up to `EXACT_DIGITS` significant digits. */
  #mantissa = 0
  #digits = 0
  #exponent = 0

  /** Reads the number that begins at `start`; gives the position behind it, or -1 when none begins there. */
  scan(bytes: Uint8Array, start: number): number {
    let at = start
    let byte = bytes[at]
    this.#negative = byte === MINUS
    if (this.#negative) byte = bytes[++at]
    if (byte < ZERO || byte > NINE) return -1
    let mantissa = byte - ZERO
    let digits = mantissa === 0 ? 0 : 1
    const leadingZero = mantissa === 0
    for (byte = bytes[++at]; byte >= ZERO && byte <= NINE; byte = bytes[++at]) {
      if (leadingZero) return -1
      mantissa = mantissa * 10 + (byte - ZERO)
      digits++
    }
    let exponent = 0
    if (byte === POINT) {
      const pointAt = at
      for (byte = bytes[++at]; byte >= ZERO && byte <= NINE; byte = bytes[++at]) {
        mantissa = mantissa * 10 + (byte - ZERO)
        if (mantissa !== 0) digits++
      }
      exponent = pointAt + 1 - at
      if (exponent === 0) return -1
    }
    this.#bytes = bytes
    this.#start = start
    this.#mantissa = mantissa
    this.#digits = digits
    this.#exponent = exponent
    this.#end = at
    return (byte | 0x20) === LETTER_E ? this.#scanExponent(at + 1) : at
  }

  #scanExponent(from: number): number {
    const bytes = this.#bytes
    let at = from
    const negative = bytes[at] === MINUS
    if (negative || bytes[at] === PLUS) at++
    const digitsAt = at
    let exponent = 0
    for (let byte = bytes[at]; byte >= ZERO && byte <= NINE; byte = bytes[++at]) {
      exponent = Math.min(exponent * 10 + (byte - ZERO), EXPONENT_MAX)
    }
    if (at === digitsAt) return -1
    this.#exponent += negative ? -exponent : exponent
    this.#end = at
    return at
  }

  /** The nearest double; infinite when it is too large for one. Exact path: Clinger, "How to Read Floating Point Numbers Accurately" (1990). */
  double(): number {
    const exponent = this.#exponent
    if (this.#digits > EXACT_DIGITS || exponent > EXACT_POWER || exponent < -EXACT_POWER) return Number(this.#text())
    const magnitude =
      exponent < 0 ? this.#mantissa / POWERS_OF_TEN[-exponent] : this.#mantissa * POWERS_OF_TEN[exponent]
    return this.#negative ? -magnitude : magnitude
  }

  /**
   * The number in units of 10^-scale, computed on its decimal digits: rounded half up (away from zero), or cut towards zero.
   * NaN when that is beyond ±2^53. `inexact` tells whether anything was rounded or cut.
   */
  scaled(scale: number, roundHalfUp: boolean): number {
    const shift = this.#exponent + scale
    if (this.#digits > EXACT_DIGITS || this.#digits + shift > EXACT_DIGITS)
      return this.#scaledDigits(shift, roundHalfUp)
    let units = this.#mantissa
    this.inexact = false
    if (shift > 0) units *= POWERS_OF_TEN[shift]
    if (shift < 0) {
      // Half of 10^16 is more than any mantissa here.
      if (shift < -EXACT_DIGITS) {
        this.inexact = units !== 0
        return 0
      }
      const divisor = POWERS_OF_TEN[-shift]
      const dropped = units % divisor
      units = (units - dropped) / divisor
      this.inexact = dropped !== 0
      if (roundHalfUp && dropped * 2 >= divisor) units++
    }
    return this.#negative && units !== 0 ? -units : units
  }

  /** As `scaled`, on the text: for many digits, and for numbers that the scale makes longer. */
  #scaledDigits(shift: number, roundHalfUp: boolean): number {
    this.inexact = false
    const digits = this.#significantDigits()
    if (digits === '') return 0
    const wholeLength = digits.length + shift
    if (shift < 0) this.inexact = /[1-9]/.test(digits.slice(Math.max(0, wholeLength)))
    if (wholeLength > UNITS_DIGITS) return Number.NaN
    let units = BigInt(digits.slice(0, Math.max(0, wholeLength)).padEnd(Math.max(0, wholeLength), '0'))
    if (roundHalfUp && wholeLength >= 0 && wholeLength < digits.length && digits.charCodeAt(wholeLength) >= FIVE)
      units++
    if (units > UNITS_MAX) return Number.NaN
    return this.#negative && units !== 0n ? -Number(units) : Number(units)
  }

  /** The mantissa's digits without point and without leading zeros. */
  #significantDigits(): string {
    const text = this.#text()
    const digits = text.slice(this.#negative ? 1 : 0).split(/[eE]/, 1)[0] ?? ''
    return digits.replace('.', '').replace(/^0+/, '')
  }

  #text(): string {
    return asciiDecoder.decode(this.#bytes.subarray(this.#start, this.#end))
  }
}

const asciiDecoder = new TextDecoder()

const PLUS = 0x2b
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const FIVE = 0x35
const NINE = 0x39
const LETTER_E = 0x65
