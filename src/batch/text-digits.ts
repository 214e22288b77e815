/** Writes numbers digit by digit, as ASCII, and returns the position behind them. */

const ZERO = 0x30

/** Two hexadecimal digits per byte, the first one in the lower half: as `setUint16` writes them, little-endian. */
const HEX_PAIRS = Uint16Array.from({ length: 256 }, (_, byte) => pair(byte.toString(16)))
const DECIMAL_PAIRS = Uint16Array.from({ length: 100 }, (_, value) => pair(value.toString()))

/** 8 bits, two digits. */
export function writeHexByte(target: DataView, at: number, bits: number): number {
  target.setUint16(at, HEX_PAIRS[bits], true)
  return at + 2
}

/** 32 bits, eight digits. */
export function writeHex32(target: DataView, at: number, bits: number): number {
  target.setUint16(at, HEX_PAIRS[bits >>> 24], true)
  target.setUint16(at + 2, HEX_PAIRS[(bits >>> 16) & 0xff], true)
  target.setUint16(at + 4, HEX_PAIRS[(bits >>> 8) & 0xff], true)
  target.setUint16(at + 6, HEX_PAIRS[bits & 0xff], true)
  return at + 8
}

/** 16 bits, four digits. */
export function writeHex16(target: DataView, at: number, bits: number): number {
  target.setUint16(at, HEX_PAIRS[bits >>> 8], true)
  target.setUint16(at + 2, HEX_PAIRS[bits & 0xff], true)
  return at + 4
}

/** A whole number from 0 to 99, two digits. */
export function writeTwoDigits(target: DataView, at: number, value: number): number {
  target.setUint16(at, DECIMAL_PAIRS[value], true)
  return at + 2
}

/** A whole number from 0 to 9,999,999, seven digits. */
export function writeSevenDigits(target: DataView, at: number, value: number): number {
  const upper = (value / 10_000) | 0
  const lower = value - upper * 10_000
  const first = (upper / 100) | 0
  const third = (lower / 100) | 0
  target.setUint8(at, ZERO + first)
  target.setUint16(at + 1, DECIMAL_PAIRS[upper - first * 100], true)
  target.setUint16(at + 3, DECIMAL_PAIRS[third], true)
  target.setUint16(at + 5, DECIMAL_PAIRS[lower - third * 100], true)
  return at + 7
}

/** A whole number from 0 to 2^31 - 1, as many digits as it has. */
export function writeNumber(target: DataView, start: number, value: number): number {
  let digits = 1
  for (let rest = value; rest >= 10; rest = (rest / 10) | 0) digits++
  return writeDigits(target, start, value, digits)
}

/** The last so many digits of a whole number from 0 to 2^31 - 1. */
export function writeDigits(target: DataView, start: number, value: number, digits: number): number {
  let rest = value
  for (let at = start + digits - 1; at >= start; at--) {
    const quotient = (rest / 10) | 0
    target.setUint8(at, ZERO + rest - quotient * 10)
    rest = quotient
  }
  return start + digits
}

function pair(text: string): number {
  const two = text.padStart(2, '0')
  return two.charCodeAt(0) | (two.charCodeAt(1) << 8)
}
