import { MillraceError } from './error.ts'

export const MS_PER_SECOND = 1_000
export const MS_PER_MINUTE = 60_000
export const MS_PER_HOUR = 3_600_000
export const MS_PER_DAY = 86_400_000

/** A length of time as text: `5 minutes`, `30s`, `5m`, `1h`, `250ms`, `2 days`. Whatever takes one throws `invalid-option` for any other text. */
export type Duration = string

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ...names(1, 'ms', 'milli', 'millis', 'millisecond', 'milliseconds'),
  ...names(MS_PER_SECOND, 's', 'sec', 'secs', 'second', 'seconds'),
  ...names(MS_PER_MINUTE, 'm', 'min', 'mins', 'minute', 'minutes'),
  ...names(MS_PER_HOUR, 'h', 'hr', 'hrs', 'hour', 'hours'),
  ...names(MS_PER_DAY, 'd', 'day', 'days'),
  ...names(7 * MS_PER_DAY, 'w', 'week', 'weeks'),
])

function names(unitMs: number, ...all: string[]): [string, number][] {
  return all.map((name) => [name, unitMs])
}

/** Milliseconds of a duration text, or undefined when it is none. Fractions are allowed as long as they are whole milliseconds. */
export function parseDuration(text: string): number | undefined {
  const match = /^\s*(\d{1,12}(?:\.\d{1,6})?)\s*([a-z]{1,12})\s*$/i.exec(text)
  if (!match) return undefined
  const unitMs = UNIT_MS.get((match[2] as string).toLowerCase())
  if (unitMs === undefined) return undefined
  const durationMs = Number(match[1]) * unitMs
  return Number.isSafeInteger(durationMs) ? durationMs : undefined
}

/** Milliseconds of a duration text; throws `invalid-option` that names `what`. */
export function durationMs(text: Duration, what: string): number {
  const parsed = parseDuration(text)
  if (parsed !== undefined) return parsed
  throw new MillraceError('invalid-option', `${what} is not a duration: "${text}"`, {
    hint: 'write a number and a unit, such as "30s", "5 minutes" or "1h"',
  })
}

const FORMAT_UNITS: readonly (readonly [number, string])[] = [
  [MS_PER_DAY, 'd'],
  [MS_PER_HOUR, 'h'],
  [MS_PER_MINUTE, 'm'],
  [MS_PER_SECOND, 's'],
]

/** A duration for people, exact and as short as it gets: `90000` is `1m 30s`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 0) return `-${formatDuration(-durationMs)}`
  const parts: string[] = []
  let rest = durationMs
  for (const [unitMs, unit] of FORMAT_UNITS) {
    const count = Math.floor(rest / unitMs)
    rest -= count * unitMs
    if (count > 0) parts.push(`${count}${unit}`)
  }
  if (rest > 0 || parts.length === 0) parts.push(`${rest}ms`)
  return parts.join(' ')
}

/** ISO-8601 in UTC with milliseconds. Infinite times (a watermark before any event) are spelled `-infinity` and `infinity`. */
export function formatTime(timeMs: number): string {
  if (timeMs === Number.NEGATIVE_INFINITY) return '-infinity'
  if (timeMs === Number.POSITIVE_INFINITY) return 'infinity'
  return new Date(timeMs).toISOString()
}
