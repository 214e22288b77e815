import { unreachable } from '../../base/assert.ts'
import { MS_PER_DAY } from '../../base/time.ts'
import { TimeZone } from '../../batch/time-zone.ts'
import type { CalendarUnit } from '../../plan/window.ts'
import { calendarGrid, type WindowGrid } from './window-grid.ts'

/** 1970 began on a Thursday: Monday is three days before. */
const MONDAY_SHIFT = 3

/** Days, weeks (from Monday) or months as the clocks of a time zone show them; a day may have 23 or 25 hours. */
export function calendarWindows(unit: CalendarUnit, timeZone: string): WindowGrid {
  const zone = new TimeZone(timeZone)
  // Events mostly fall into the window of the one before.
  let known = { startMs: Number.NaN, endMs: Number.NaN }
  const windowOf = (timeMs: number): { startMs: number; endMs: number } => {
    if (timeMs >= known.startMs && timeMs < known.endMs) return known
    const localMs = timeMs + zone.offsetAt(timeMs)
    const startLocalMs = unitStart(localMs, unit)
    known = { startMs: zone.toUtc(startLocalMs), endMs: zone.toUtc(unitEnd(startLocalMs, unit)) }
    return known
  }
  return calendarGrid(
    (timeMs) => windowOf(timeMs).startMs,
    (startMs) => windowOf(startMs).endMs,
  )
}

function unitStart(localMs: number, unit: CalendarUnit): number {
  const day = Math.floor(localMs / MS_PER_DAY)
  switch (unit) {
    case 'day':
      return day * MS_PER_DAY
    case 'week':
      return (day - ((((day + MONDAY_SHIFT) % 7) + 7) % 7)) * MS_PER_DAY
    case 'month': {
      const date = new Date(localMs)
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1)
    }
    default:
      return unreachable(unit)
  }
}

function unitEnd(startLocalMs: number, unit: CalendarUnit): number {
  switch (unit) {
    case 'day':
      return startLocalMs + MS_PER_DAY
    case 'week':
      return startLocalMs + 7 * MS_PER_DAY
    case 'month': {
      const date = new Date(startLocalMs)
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
    }
    default:
      return unreachable(unit)
  }
}
