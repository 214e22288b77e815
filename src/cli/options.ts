import { InvalidArgumentError } from 'commander'
import { parseDuration } from '../base/time.ts'

/** A duration option, in ms. */
export function duration(text: string): number {
  const ms = parseDuration(text)
  if (ms === undefined) throw new InvalidArgumentError('Write a number and a unit, such as 30s, "5 minutes" or 1h.')
  return ms
}

/** A whole number that is not negative. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Write a whole number.')
  return Number(text)
}

/** A share: `2%` or `0.02`. */
export function fraction(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text)
  const value = match ? Number(match[1]) / (match[2] === '%' ? 100 : 1) : Number.NaN
  if (!(value >= 0 && value <= 1)) throw new InvalidArgumentError('Write a share such as 2% or 0.02.')
  return value
}

/** A number of bytes: `5GB`, `128 MB`, `1000`. Units are powers of ten. */
export function bytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(b|kb|mb|gb|tb)?$/i.exec(text)
  const scale = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 }[(match?.[2] ?? 'b').toLowerCase()]
  if (!match || scale === undefined) throw new InvalidArgumentError('Write a size such as 500MB or 5GB.')
  return Math.round(Number(match[1]) * scale)
}

/** For an option that may be given several times. */
export function collect(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value]
}
