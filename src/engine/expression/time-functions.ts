import { unreachable } from '../../base/assert.ts'
import { MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE } from '../../base/time.ts'
import type { Calendar } from '../../batch/calendar.ts'

/** Parts of a time by the name of their function. */
export type DatePart = 'year' | 'month' | 'dayOfMonth' | 'dayOfWeek' | 'hour' | 'minute'

/** Reads a part of times in the zone of a calendar. */
export function datePart(part: DatePart, calendar: Calendar): (timeMs: number) => number {
  switch (part) {
    case 'year':
      return (timeMs) => calendar.day(timeMs).year
    case 'month':
      return (timeMs) => calendar.day(timeMs).month
    case 'dayOfMonth':
      return (timeMs) => calendar.day(timeMs).day
    case 'dayOfWeek':
      return (timeMs) => calendar.day(timeMs).weekday
    case 'hour':
      return (timeMs) => Math.floor(within(calendar.localMs(timeMs), MS_PER_DAY) / MS_PER_HOUR)
    case 'minute':
      return (timeMs) => Math.floor(within(calendar.localMs(timeMs), MS_PER_HOUR) / MS_PER_MINUTE)
    default:
      return unreachable(part)
  }
}

/** How far into its unit a time is. Times before 1970 count from the unit's begin as well. */
function within(localMs: number, unitMs: number): number {
  return localMs - Math.floor(localMs / unitMs) * unitMs
}
