// Numbers of up to 18 digits, as JSON writes them. What has more digits, or does not come out exactly here, is left to the
// host, as is everything that is refused.

import { LETTER_E, MINUS, PLUS, POINT, SMALL, ZERO } from './characters'

const DIGITS_MAX: u32 = 18
const EXPONENT_MAX: i32 = 9999
/** Largest power of ten that a double holds exactly. */
const EXACT_POWER: i32 = 22
/** Up to here a double holds every whole number. */
const UNITS_MAX: u64 = 1 << 53

/** Powers of ten as doubles, 0 to 22, and as whole numbers, 0 to 18. */
const POWERS: usize = memory.data<f64>([
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
  1e22,
])
const WHOLE_POWERS: usize = memory.data<u64>([
  1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000, 1000000000000,
  10000000000000, 100000000000000, 1000000000000000, 10000000000000000, 100000000000000000, 1000000000000000000,
])

/** The number read last is `mantissa * 10^exponent`, or the negative of it. */
let mantissa: u64 = 0
let exponent: i32 = 0
let negative: bool = false
/** Whether `scaled` dropped digits that were not all zero. */
export let inexact: bool = false

/** Reads the number that begins at `start`; gives the address behind it, or 0. */
@inline
export function readNumber(start: usize): usize {
  let at = start
  let byte = <u32>load<u8>(at)
  negative = byte == MINUS
  if (negative) byte = load<u8>(++at)
  let digit = byte - ZERO
  if (digit > 9) return 0
  const digitsAt = at
  let value: u64 = digit
  digit = <u32>load<u8>(++at) - ZERO
  if (digit <= 9) {
    if (value == 0) return 0
    do {
      value = value * 10 + digit
      digit = <u32>load<u8>(++at) - ZERO
    } while (digit <= 9)
  }
  exponent = 0
  if (digit + ZERO == POINT) {
    const fractionAt = at + 1
    digit = <u32>load<u8>(++at) - ZERO
    if (digit > 9) return 0
    do {
      value = value * 10 + digit
      digit = <u32>load<u8>(++at) - ZERO
    } while (digit <= 9)
    exponent = <i32>(fractionAt - at)
  }
  mantissa = value
  // The point counts as a digit; it is not worth a branch.
  if (<u32>(at - digitsAt) > DIGITS_MAX) return 0
  return ((digit + ZERO) | SMALL) == LETTER_E ? readExponent(at + 1) : at
}

function readExponent(from: usize): usize {
  let at = from
  const sign = <u32>load<u8>(at)
  if (sign == PLUS || sign == MINUS) at++
  const digitsAt = at
  let value: i32 = 0
  let digit = <u32>load<u8>(at) - ZERO
  while (digit <= 9) {
    value = min(value * 10 + <i32>digit, EXPONENT_MAX)
    digit = <u32>load<u8>(++at) - ZERO
  }
  exponent += sign == MINUS ? -value : value
  return at == digitsAt ? 0 : at
}

/** The nearest double, or NaN. Clinger, "How to Read Floating Point Numbers Accurately" (1990). */
@inline
export function double(): f64 {
  if (mantissa > UNITS_MAX || exponent > EXACT_POWER || exponent < -EXACT_POWER) return NaN
  const digits = <f64>mantissa
  const magnitude =
    exponent < 0 ? digits / load<f64>(POWERS + (<usize>-exponent << 3)) : digits * load<f64>(POWERS + (<usize>exponent << 3))
  return negative ? -magnitude : magnitude
}

/** The number in units of 10^-scale, rounded half up (away from zero) or cut towards zero; NaN beyond ±2^53. See `inexact`. */
@inline
export function scaled(scale: i32, roundHalfUp: bool): f64 {
  const shift = exponent + scale
  inexact = false
  let units = mantissa
  if (shift != 0) {
    if (shift < -<i32>DIGITS_MAX || shift > <i32>DIGITS_MAX) return NaN
    units = shifted(shift, roundHalfUp)
  }
  if (units > UNITS_MAX) return NaN
  return negative && units != 0 ? -(<f64>units) : <f64>units
}

/** The mantissa times 10^shift; more than `UNITS_MAX` when it is more than that. */
function shifted(shift: i32, roundHalfUp: bool): u64 {
  if (shift > 0) {
    const power = load<u64>(WHOLE_POWERS + (<usize>shift << 3))
    return mantissa > UNITS_MAX / power ? u64.MAX_VALUE : mantissa * power
  }
  const divisor = load<u64>(WHOLE_POWERS + (<usize>-shift << 3))
  const units = mantissa / divisor
  const dropped = mantissa - units * divisor
  inexact = dropped != 0
  return roundHalfUp && dropped * 2 >= divisor ? units + 1 : units
}
