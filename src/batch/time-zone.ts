import { MillraceError } from '../base/error.ts'
import { MS_PER_DAY, MS_PER_MINUTE, MS_PER_SECOND } from '../base/time.ts'

const QUARTER_MS = 15 * MS_PER_MINUTE
const CACHE_LINES = 64

/**
 * Turns local times of one IANA zone into UTC and back, by the tables that come with the JavaScript engine.
 * A local time that exists twice (clocks went back) is the earlier one; one that does not exist (clocks went forward) is
 * read with the offset from before the change. Spark, Java and Temporal's `compatible` do the same.
 */
export class TimeZone {
  readonly #format: Intl.DateTimeFormat
  /** Quarters of an hour, UTC, whose offset is known to be the same from end to end. */
  readonly #utcQuarters = new Float64Array(CACHE_LINES).fill(Number.NaN)
  readonly #utcOffsets = new Float64Array(CACHE_LINES)
  /** Quarters of an hour, local, whose offset is known to be the same from end to end. */
  readonly #quarters = new Float64Array(CACHE_LINES).fill(Number.NaN)
  readonly #offsets = new Float64Array(CACHE_LINES)

  /** Throws `invalid-plan` when there is no such zone. */
  constructor(name: string) {
    try {
      this.#format = new Intl.DateTimeFormat('en-US', { timeZone: name, ...FORMAT })
    } catch (error) {
      throw new MillraceError('invalid-plan', `"${name}" is not a time zone`, {
        hint: 'use an IANA name such as "Europe/Paris" or "UTC"',
        cause: error,
      })
    }
  }

  /** The UTC time, in ms, at which clocks in this zone show `localMs` (a wall time read as if it were UTC). */
  toUtc(localMs: number): number {
    const quarter = Math.floor(localMs / QUARTER_MS)
    const line = ((quarter % CACHE_LINES) + CACHE_LINES) % CACHE_LINES
    if (this.#quarters[line] === quarter) return localMs - this.#offsets[line]
    const firstOffset = this.#localOffset(quarter * QUARTER_MS)
    if (firstOffset === this.#localOffset((quarter + 1) * QUARTER_MS - 1)) {
      this.#quarters[line] = quarter
      this.#offsets[line] = firstOffset
      return localMs - firstOffset
    }
    return localMs - this.#localOffset(localMs)
  }

  /** What clocks in this zone show at a UTC time, in ms: a wall time read as if it were UTC. */
  toLocal(utcMs: number): number {
    const quarter = Math.floor(utcMs / QUARTER_MS)
    const line = ((quarter % CACHE_LINES) + CACHE_LINES) % CACHE_LINES
    if (this.#utcQuarters[line] === quarter) return utcMs + this.#utcOffsets[line]
    const firstOffset = this.#offsetAt(quarter * QUARTER_MS)
    if (firstOffset === this.#offsetAt((quarter + 1) * QUARTER_MS - 1)) {
      this.#utcQuarters[line] = quarter
      this.#utcOffsets[line] = firstOffset
      return utcMs + firstOffset
    }
    return utcMs + this.#offsetAt(utcMs)
  }

  #localOffset(localMs: number): number {
    const before = this.#offsetAt(localMs - MS_PER_DAY)
    const after = this.#offsetAt(localMs + MS_PER_DAY)
    if (before === after || this.#offsetAt(localMs - before) === before) return before
    return this.#offsetAt(localMs - after) === after ? after : before
  }

  /** What clocks show minus UTC, in ms, at a UTC time. */
  #offsetAt(utcMs: number): number {
    const wholeSecondMs = Math.floor(utcMs / MS_PER_SECOND) * MS_PER_SECOND
    const parts = new Map(this.#format.formatToParts(wholeSecondMs).map((part) => [part.type, Number(part.value)]))
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0
    const shownMs = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'))
    return shownMs - wholeSecondMs
  }
}

const FORMAT: Intl.DateTimeFormatOptions = {
  calendar: 'iso8601',
  numberingSystem: 'latn',
  hourCycle: 'h23',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
}
