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

/** A port of this machine; 0 stands for any free one. */
export function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('Write a port, 0 to 65535.')
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

/** A condition on the numbers of a report. */
export interface LoadAssertion {
  readonly source: string
  readonly name: (typeof ASSERTED)[number]
  holds(report: Readonly<Record<(typeof ASSERTED)[number], number>>): boolean
}

const ASSERTED = ['rate', 'mbps', 'p50', 'p90', 'p99', 'max', 'errors'] as const

/** `rate>=1e6` and the like. */
export function assertion(source: string): LoadAssertion {
  const [, word = '', operator = '', limitText = ''] = /^\s*(\w+)\s*(>=|<=|>|<)\s*(\S+)\s*$/.exec(source) ?? []
  const name = ASSERTED.find((one) => one === word)
  const limit = Number(limitText)
  if (name === undefined || limitText === '' || Number.isNaN(limit)) {
    throw new InvalidArgumentError(`Write one of ${ASSERTED.join(', ')}, then >=, <=, > or <, and a number: rate>=1e6.`)
  }
  return { source, name, holds: (report) => COMPARISONS[operator](report[name], limit) }
}

const COMPARISONS: Readonly<Record<string, (value: number, limit: number) => boolean>> = {
  '>=': (value, limit) => value >= limit,
  '<=': (value, limit) => value <= limit,
  '>': (value, limit) => value > limit,
  '<': (value, limit) => value < limit,
}

/** For an option that may be given several times, each parsed. */
export function collectWith<T>(parse: (value: string) => T): (value: string, before: readonly T[] | undefined) => T[] {
  return (value, before) => [...(before ?? []), parse(value)]
}
