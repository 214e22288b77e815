import { encodeText } from '../../base/bytes.ts'
import { IsoTimestamp, TIME_END_MS, TIME_MIN_MS } from '../../batch/iso-timestamp.ts'
import { floats, type NumberVector, type TextVector } from './vector.ts'

/** A number made of each text; null for null, and where it is NaN. */
export function parsed(operand: TextVector, parse: (text: string) => number): NumberVector {
  let values = new Float64Array(0)
  return (batch) => {
    values = floats(values, batch.rowCount)
    const texts = operand(batch)
    for (let row = 0; row < batch.rowCount; row++) {
      const text = texts[row]
      values[row] = text === null ? Number.NaN : parse(text)
    }
    return values
  }
}

/** Sign, whole part, fraction, exponent. A digit is in one place only, so matching takes one pass. */
const NUMBER = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,6}))?$/
const TEXT_LENGTH_MAX = 400

/** A text such as `-12.5` or `1e3` as a double; NaN when it is none or not finite. */
export function textToNumber(text: string): number {
  if (text.length > TEXT_LENGTH_MAX || !NUMBER.test(text)) return Number.NaN
  return finite(Number(text))
}

/** A text that is a number as a whole number, digits behind the point cut off; NaN beyond 2^53. */
export function textToInteger(text: string): number {
  return toInteger(textToNumber(text))
}

/** Without the digits behind the point; NaN beyond 2^53. */
export function toInteger(value: number): number {
  return safe(Math.trunc(value))
}

/** A text that is a number as units of 10^-scale, rounded half up (away from zero); NaN beyond 2^53 units. */
export function textToUnits(text: string, scale: number): number {
  const match = text.length > TEXT_LENGTH_MAX ? null : NUMBER.exec(text)
  if (!match) return Number.NaN
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  const digits = whole + fraction
  // Digits that stand before the point once the number is written in units.
  const kept = whole.length + Number(exponent) + scale
  if (kept < 0) return 0
  const units =
    kept <= digits.length ? digits.slice(0, kept) : digits + '0'.repeat(Math.min(kept - digits.length, TEXT_LENGTH_MAX))
  const rounded = Number(units === '' ? '0' : units) + ((digits[kept] ?? '0') >= '5' ? 1 : 0)
  return safe(sign === '-' ? -rounded : rounded)
}

/** A double as units of 10^-scale, by the shortest decimal that stands for it, rounded half up; NaN beyond 2^53 units. */
export function numberToUnits(value: number, scale: number): number {
  return textToUnits(String(value), scale)
}

/** Units of a coarser scale: `divisor` of the old are one of the new, rounded half up. */
export function coarserUnits(units: number, divisor: number): number {
  const magnitude = Math.abs(units)
  const rest = magnitude % divisor
  const quotient = (magnitude - rest) / divisor + (rest * 2 >= divisor ? 1 : 0)
  return safe(units < 0 ? -quotient : quotient)
}

/** Reads ISO-8601 texts, those without an offset in a time zone; NaN for what is none. */
export function timeParser(timeZone: string): (text: string) => number {
  const timestamp = new IsoTimestamp(timeZone)
  const bytes = new Uint8Array(64)
  const view = new DataView(bytes.buffer)
  return (text) => {
    // The longest text has 35 characters, and the parser may look behind the end.
    if (text.length > 40) return Number.NaN
    const encoded = encodeText(text)
    if (encoded.length > 40) return Number.NaN
    bytes.set(encoded)
    return timestamp.parse(view, bytes, 0, encoded.length)
  }
}

/** Ms since 1970 as a time; NaN outside of 1970 to 2200. */
export function millisToTime(ms: number): number {
  return ms >= TIME_MIN_MS && ms < TIME_END_MS ? ms : Number.NaN
}

function safe(value: number): number {
  return Number.isSafeInteger(value) ? value + 0 : Number.NaN
}

function finite(value: number): number {
  return Number.isFinite(value) ? value + 0 : Number.NaN
}
