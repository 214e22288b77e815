import { IsoTimestamp, TIME_END_MS, TIME_MIN_MS } from '../batch/iso-timestamp.ts'
import type { LiteralValue } from './expression.ts'

/** `2026-11-24T07:30:00.123456789+05:30` has 35. */
const CHARACTERS_MAX = 40

/**
 * Ms since 1970 of a literal that is compared with a time: ISO-8601 text as events have it (UTC unless it has an offset), or
 * whole milliseconds. Undefined when it is neither, or not between 1970 and 2200.
 */
export function timeLiteralMs(value: LiteralValue): number | undefined {
  if (typeof value === 'number') {
    return Number.isInteger(value) && value >= TIME_MIN_MS && value < TIME_END_MS ? value : undefined
  }
  if (typeof value !== 'string' || value.length > CHARACTERS_MAX) return undefined
  // A character has three bytes at most, and the parser may look behind the end.
  const bytes = new Uint8Array(4 * CHARACTERS_MAX)
  const { written } = new TextEncoder().encodeInto(value, bytes)
  const timeMs = new IsoTimestamp(undefined).parse(new DataView(bytes.buffer), bytes, 0, written)
  return Number.isNaN(timeMs) ? undefined : timeMs
}
