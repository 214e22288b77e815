import { MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND } from '../base/time.ts'
import { RowError, YEAR_MAX, YEAR_MIN } from './batch.ts'
import { TimeZone } from './time-zone.ts'

/** The timestamps that a column can hold, in ms: from the first on, before the second. */
export const TIME_MIN_MS: number = Date.UTC(YEAR_MIN, 0, 1)
export const TIME_END_MS: number = Date.UTC(YEAR_MAX + 1, 0, 1)

const OFFSET_MAX_MINUTES = 18 * 60
const FRACTION_DIGITS_MAX = 9

/**
 * Reads `YYYY-MM-DD`, `T` or a space, `HH:MM:SS`, an optional fraction of 1 to 9 digits (cut to ms), and `Z`, `+HH:MM`,
 * `-HH:MM` up to 18:00, or nothing, which means the zone given here. The calendar is checked; there is no hour 24 and no
 * second 60.
 */
export class IsoTimestamp {
  /** Why the last text was refused. */
  error: number = RowError.none
  readonly #zone: TimeZone | undefined
  #date1 = 0
  #date2 = 0
  #monthMs = Number.NaN
  #monthDays = 0

  constructor(timeZone: string | undefined) {
    this.#zone = timeZone === undefined || timeZone === 'UTC' ? undefined : new TimeZone(timeZone)
  }

  /** Ms since 1970 of `bytes[start, end)`, or NaN with `error` set. Bytes behind the end may be looked at, not used. */
  parse(view: DataView, bytes: Uint8Array, start: number, end: number): number {
    this.error = RowError.badTimestamp
    if (end - start < 19) return Number.NaN
    const dayMs = this.#date(view, bytes, start)
    const hour = pair(bytes, start + 11)
    const minute = pair(bytes, start + 14)
    const second = pair(bytes, start + 17)
    const separator = bytes[start + 10]
    if ((separator !== LETTER_T && separator !== SPACE) || bytes[start + 13] !== COLON || bytes[start + 16] !== COLON) {
      return Number.NaN
    }
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return Number.NaN
    const wallMs = dayMs + hour * MS_PER_HOUR + minute * MS_PER_MINUTE + second * MS_PER_SECOND
    const timeMs = this.#finish(bytes, start + 19, end, wallMs)
    if (timeMs >= TIME_MIN_MS && timeMs < TIME_END_MS) return timeMs
    if (!Number.isNaN(timeMs)) this.error = RowError.timestampRange
    return Number.NaN
  }

  /** Ms of the day's begin, or NaN when there is no such day. Remembers year and month, since neighbouring events share them. */
  #date(view: DataView, bytes: Uint8Array, start: number): number {
    const word1 = view.getInt32(start, true)
    const word2 = view.getInt32(start + 4, true)
    const day = pair(bytes, start + 8)
    if (word1 !== this.#date1 || word2 !== this.#date2) {
      const century = pair(bytes, start)
      const yearOfCentury = pair(bytes, start + 2)
      const month = pair(bytes, start + 5)
      this.#date1 = word1
      this.#date2 = word2
      this.#monthMs = Number.NaN
      if (bytes[start + 4] !== DASH || bytes[start + 7] !== DASH) return Number.NaN
      if (century < 0 || yearOfCentury < 0 || month < 1 || month > 12) return Number.NaN
      const year = century * 100 + yearOfCentury
      this.#monthMs = daysToMonth(year, month) * MS_PER_DAY
      this.#monthDays = daysOfMonth(year, month)
    }
    return day >= 1 && day <= this.#monthDays ? this.#monthMs + (day - 1) * MS_PER_DAY : Number.NaN
  }

  /** Adds what stands behind the seconds. */
  #finish(bytes: Uint8Array, from: number, end: number, wallMs: number): number {
    let at = from
    let timeMs = wallMs
    if (at < end && bytes[at] === POINT) {
      let unitMs = 100
      for (at++; at < end; at++) {
        const digit = bytes[at] - ZERO
        if (digit < 0 || digit > 9) break
        timeMs += digit * unitMs
        unitMs = unitMs > 1 ? unitMs / 10 : 0
      }
      const digits = at - from - 1
      if (digits < 1 || digits > FRACTION_DIGITS_MAX) return Number.NaN
    }
    if (at === end) return this.#fromZone(timeMs)
    const sign = bytes[at]
    if (sign === LETTER_Z) return at + 1 === end ? timeMs : Number.NaN
    if ((sign !== PLUS && sign !== DASH) || end - at !== 6 || bytes[at + 3] !== COLON) return Number.NaN
    const hours = pair(bytes, at + 1)
    const minutes = pair(bytes, at + 4)
    const offsetMinutes = hours * 60 + minutes
    if (hours < 0 || minutes < 0 || minutes > 59 || offsetMinutes > OFFSET_MAX_MINUTES) return Number.NaN
    return sign === PLUS ? timeMs - offsetMinutes * MS_PER_MINUTE : timeMs + offsetMinutes * MS_PER_MINUTE
  }

  #fromZone(wallMs: number): number {
    if (this.#zone === undefined) return wallMs
    // No offset brings a time from outside of this into the range.
    const near = wallMs > TIME_MIN_MS - MS_PER_DAY && wallMs < TIME_END_MS + MS_PER_DAY
    return near ? this.#zone.toUtc(wallMs) : wallMs
  }
}

/** Value of two decimal digits, negative when they are none. */
function pair(bytes: Uint8Array, at: number): number {
  const tens = bytes[at] - ZERO
  const ones = bytes[at + 1] - ZERO
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1
}

/** Days from 1970-01-01 to the first of a month of the proleptic Gregorian calendar. Howard Hinnant, "chrono-compatible low-level date algorithms". */
function daysToMonth(year: number, month: number): number {
  const marchYear = month <= 2 ? year - 1 : year
  const era = Math.floor(marchYear / 400)
  const yearOfEra = marchYear - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5)
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146097 + dayOfEra - 719468
}

function daysOfMonth(year: number, month: number): number {
  if (month !== 2) return 30 + ((month + (month >> 3)) & 1)
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  return leap ? 29 : 28
}

const SPACE = 0x20
const PLUS = 0x2b
const DASH = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const COLON = 0x3a
const LETTER_T = 0x54
const LETTER_Z = 0x5a
