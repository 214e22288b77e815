/** dividend / divisor of big integers, rounded half up (away from zero). */
export function halfUp(dividend: bigint, divisor: bigint): bigint {
  const positive = dividend < 0n ? -dividend : dividend
  const quotient = (2n * positive + divisor) / (2n * divisor)
  return dividend < 0n ? -quotient : quotient
}

/** Sum of doubles as a fraction of big integers, rounded once. */
export function exactTotal(values: readonly number[]): number {
  return ratio(
    values.reduce((sum, value) => sum + scaled(value), 0n),
    2n ** 1074n,
  )
}

/** A double times 2^1074, exactly. */
function scaled(value: number): bigint {
  const bits = new DataView(new ArrayBuffer(8))
  bits.setFloat64(0, value)
  const raw = bits.getBigUint64(0)
  const exponent = (raw >> 52n) & 0x7ffn
  const fraction = raw & 0xfffffffffffffn
  const magnitude = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n)
  return raw >> 63n === 1n ? -magnitude : magnitude
}

/** dividend / divisor rounded to the nearest double, ties to even; the divisor is a power of two. */
function ratio(dividend: bigint, divisor: bigint): number {
  const negative = dividend < 0n
  let magnitude = negative ? -dividend : dividend
  let exponent = -(divisor.toString(2).length - 1)
  const excess = magnitude.toString(2).length - 53
  if (excess > 0) {
    const shift = BigInt(excess)
    const half = 1n << (shift - 1n)
    const rest = magnitude & ((1n << shift) - 1n)
    magnitude >>= shift
    exponent += excess
    if (rest > half || (rest === half && (magnitude & 1n) === 1n)) magnitude += 1n
  }
  const value = Number(magnitude) * 2 ** Math.max(exponent, -1000) * 2 ** Math.min(0, exponent + 1000)
  return negative && value !== 0 ? -value : value
}
