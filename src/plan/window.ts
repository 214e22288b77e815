import { MillraceError } from '../base/error.ts'
import { type Duration, durationMs, MS_PER_DAY, MS_PER_HOUR, parseDuration } from '../base/time.ts'
import type { Expression } from './expression.ts'

/**
 * How event time is cut. Every window is [start, end).
 *
 *   tumbling(size)        |--------|--------|--------|   side by side, each row in one window
 *   sliding(size, slide)  |--------|                     a window begins with each slide, each row is in about
 *                             |--------|                 size / slide of them
 *                                 |--------|
 *   session(gap)          |-x--xx-x---|      |-x---|     per key, from the first event to the last plus the gap
 *   global()              ------------------------------ one group per key, for ever
 */
export type WindowSpec = TumblingWindow | CalendarWindow | SlidingWindow | SessionWindow | GlobalWindow

/** Windows side by side that do not depend on the rows. */
export type AlignedWindow = TumblingWindow | CalendarWindow

/** Windows of one size, side by side, aligned to Unix time zero. */
export interface TumblingWindow {
  readonly kind: 'tumbling'
  readonly sizeMs: number
}

/**
 * Days, weeks or months as people in a time zone have them, side by side. A day is 23 or 25 hours long where clocks change; a
 * week begins on Monday.
 */
export interface CalendarWindow {
  readonly kind: 'calendar'
  readonly unit: CalendarUnit
  /** IANA name. */
  readonly timeZone: string
}

/** Lengths of calendar windows. */
export type CalendarUnit = 'day' | 'week' | 'month'

/** Windows of one size that begin with each slide, aligned to Unix time zero; slide <= size, so no row is between two. */
export interface SlidingWindow {
  readonly kind: 'sliding'
  readonly sizeMs: number
  readonly slideMs: number
}

/** Events of a key with no more than a gap between one and the next: an event exactly one gap later still belongs. */
export interface SessionWindow {
  readonly kind: 'session'
  readonly gapMs: number
  /** A session that is longer at the end of an epoch closes early; null: however long it gets. */
  readonly durationMaxMs: number | null
  /** A session with more events at the end of an epoch closes early; null: however many they are. */
  readonly eventsMax: number | null
  /** An event for which this is true ends its session. */
  readonly endWhen?: Expression
}

/** All rows of a key, for ever: never closes, so it has no append mode. */
export interface GlobalWindow {
  readonly kind: 'global'
}

const SESSION_DURATION_MAX_MS = 24 * MS_PER_HOUR
const MONTH = /^\s*1\s*months?\s*$/i

/** How tumbling windows are aligned. Default: to Unix time zero. */
export interface TumblingOptions {
  /** IANA name: `1 day`, `1 week` and `1 month` begin with the day, the Monday, the first of the month there. */
  readonly timeZone?: string
  /** As `timeZone`, in UTC. A month is always a calendar month; a week that is none begins on a Thursday, as 1970 did. */
  readonly calendar?: boolean
}

/** Windows of one size, side by side: aligned to Unix time zero, or days, weeks (from Monday) and months of a calendar. */
export function tumbling(size: Duration, options: TumblingOptions = {}): AlignedWindow {
  const month = MONTH.test(size)
  const calendar = options.calendar ?? (options.timeZone !== undefined || month)
  if (!calendar) {
    if (options.timeZone === undefined && !month) {
      return Object.freeze({ kind: 'tumbling', sizeMs: durationMs(size, 'window size') })
    }
    throw new MillraceError('invalid-option', `a window of "${size}" needs a calendar`, {
      hint: 'leave out calendar: false, or give a size in hours and no time zone',
    })
  }
  return Object.freeze({
    kind: 'calendar',
    unit: month ? 'month' : calendarUnit(size),
    timeZone: options.timeZone ?? 'UTC',
  })
}

/** Windows of one size; a new one begins with each slide. The slide is at most the size. */
export function sliding(size: Duration, slide: Duration): SlidingWindow {
  const sizeMs = durationMs(size, 'window size')
  return Object.freeze({ kind: 'sliding', sizeMs, slideMs: durationMs(slide, 'slide') })
}

/** What else ends a session, besides its gap. It is judged at the end of each epoch; no session is cut in two. */
export interface SessionOptions {
  /** The session is longer than this. Default: 24 hours; null: never. */
  readonly maxDuration?: Duration | null
  /** It has more events than this. Default: never. */
  readonly maxEvents?: number | null
  /** It has an event that says so: `eq(col('event_type'), 'session_end')`. */
  readonly endWhen?: Expression
}

/** Session windows: per key, events with no more than `gap` between one and the next. The end of a session is its last event. */
export function session(gap: Duration, options: SessionOptions = {}): SessionWindow {
  const { maxDuration, maxEvents, endWhen } = options
  const durationMaxMs =
    maxDuration === undefined
      ? SESSION_DURATION_MAX_MS
      : maxDuration === null
        ? null
        : durationMs(maxDuration, 'maximal duration')
  return Object.freeze({
    kind: 'session',
    gapMs: durationMs(gap, 'session gap'),
    durationMaxMs,
    eventsMax: maxEvents ?? null,
    ...(endWhen === undefined ? {} : { endWhen }),
  })
}

/** One group per key over all time, for sinks in update or complete mode. */
export function global(): GlobalWindow {
  return Object.freeze({ kind: 'global' })
}

function calendarUnit(size: Duration): CalendarUnit {
  const sizeMs = parseDuration(size)
  if (sizeMs === MS_PER_DAY) return 'day'
  if (sizeMs === 7 * MS_PER_DAY) return 'week'
  throw new MillraceError('invalid-option', `no calendar has windows of "${size}"`, {
    hint: 'use "1 day", "1 week" or "1 month" with a time zone, and other sizes without',
  })
}
