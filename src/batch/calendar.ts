import { MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE } from '../base/time.ts'
import { TimeZone } from './time-zone.ts'

/** Units that times can be cut to. Weeks begin on Monday. */
export const TIME_UNITS = ['minute', 'hour', 'day', 'week', 'month', 'year'] as const

/** `minute`, `hour`, `day`, `week` (from Monday), `month` or `year`. */
export type TimeUnit = (typeof TIME_UNITS)[number]

/** A day as clocks and calendars in a time zone show it. */
export interface CalendarDay {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  /** Of the month, 1 to 31. */
  readonly day: number
  /** 1 (Monday) to 7 (Sunday). */
  readonly weekday: number
}

/**
 * The calendar of one time zone: what its clocks show, and when its days, weeks, months and years begin. All times are ms since
 * 1970 UTC. A day begins when clocks show midnight for the first time, or, when they skip it, at the midnight by the offset from
 * before the change; so each time is in one day, whatever clocks do.
 *
 * Remembers the last day and the last span that it was asked for: neighbouring events share them.
 */
export class Calendar {
  readonly #zone: TimeZone | undefined
  #dayNumber = Number.NaN
  #day: CalendarDay = { year: 1970, month: 1, day: 1, weekday: 4 }
  #unit: TimeUnit = 'day'
  #startMs = Number.NaN
  #endMs = Number.NaN

  /** Throws `invalid-plan` when there is no such zone. */
  constructor(timeZone: string) {
    this.#zone = timeZone === 'UTC' ? undefined : new TimeZone(timeZone)
  }

  /** What clocks show at a time, in ms: a wall time read as if it were UTC. */
  localMs(timeMs: number): number {
    return this.#zone === undefined ? timeMs : this.#zone.toLocal(timeMs)
  }

  /** The day at a time. */
  day(timeMs: number): CalendarDay {
    const dayNumber = Math.floor(this.localMs(timeMs) / MS_PER_DAY)
    if (dayNumber !== this.#dayNumber) {
      this.#dayNumber = dayNumber
      this.#day = civilDay(dayNumber)
    }
    return this.#day
  }

  /** When the unit began that a time is in: start <= time < end. */
  start(unit: TimeUnit, timeMs: number): number {
    if (timeMs < this.#startMs || !(timeMs < this.#endMs) || unit !== this.#unit) this.#find(unit, timeMs)
    return this.#startMs
  }

  /** When the unit ends that a time is in, which is when the next one begins. */
  end(unit: TimeUnit, timeMs: number): number {
    this.start(unit, timeMs)
    return this.#endMs
  }

  #find(unit: TimeUnit, timeMs: number): void {
    this.#unit = unit
    if (unit === 'minute' || unit === 'hour') {
      const unitMs = unit === 'minute' ? MS_PER_MINUTE : MS_PER_HOUR
      const localMs = this.localMs(timeMs)
      this.#startMs = timeMs - (localMs - Math.floor(localMs / unitMs) * unitMs)
      this.#endMs = this.#startMs + unitMs
      return
    }
    let dayNumber = startOfSpan(unit, Math.floor(this.localMs(timeMs) / MS_PER_DAY))
    // Clocks that go back over midnight show one day in two pieces.
    while (this.#midnight(dayNumber) > timeMs) dayNumber = startOfSpan(unit, dayNumber - 1)
    while (this.#midnight(nextSpan(unit, dayNumber)) <= timeMs) dayNumber = nextSpan(unit, dayNumber)
    this.#startMs = this.#midnight(dayNumber)
    this.#endMs = this.#midnight(nextSpan(unit, dayNumber))
  }

  #midnight(dayNumber: number): number {
    const localMs = dayNumber * MS_PER_DAY
    return this.#zone === undefined ? localMs : this.#zone.toUtc(localMs)
  }
}

/** Number of the first day of the week, month or year that a day is in. Days are counted from 1 January 1970, a Thursday. */
function startOfSpan(unit: TimeUnit, dayNumber: number): number {
  if (unit === 'day') return dayNumber
  const { year, day, weekday } = civilDay(dayNumber)
  if (unit === 'week') return dayNumber - weekday + 1
  return unit === 'month' ? dayNumber - day + 1 : dayOf(year, 1)
}

/** Number of the first day of the span behind the one that begins with a day. */
function nextSpan(unit: TimeUnit, startDayNumber: number): number {
  if (unit === 'day') return startDayNumber + 1
  if (unit === 'week') return startDayNumber + 7
  const { year, month } = civilDay(startDayNumber)
  return unit === 'month' ? dayOf(year, month + 1) : dayOf(year + 1, 1)
}

/** Number of the first day of a month; month 13 is the next year's first. */
function dayOf(year: number, month: number): number {
  return Date.UTC(year, month - 1, 1) / MS_PER_DAY
}

function civilDay(dayNumber: number): CalendarDay {
  const date = new Date(dayNumber * MS_PER_DAY)
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: ((date.getUTCDay() + 6) % 7) + 1,
  }
}
