import { Calendar } from '../../batch/calendar.ts'
import type { CalendarUnit } from '../../plan/window.ts'
import type { WindowGrid } from './window-grid.ts'

/** Days, weeks (from Monday) or months as the clocks of a time zone show them; a day may have 23 or 25 hours. */
export function calendarGrid(unit: CalendarUnit, timeZone: string): WindowGrid {
  const calendar = new Calendar(timeZone)
  const start = (timeMs: number): number => calendar.start(unit, timeMs)
  const end = (startMs: number): number => calendar.end(unit, startMs)
  const same = (startMs: number): number => startMs
  return {
    single: true,
    paneAt: start,
    paneEnd: end,
    firstWindow: same,
    lastWindow: same,
    nextWindow: end,
    windowEnd: end,
    openFrom: (watermarkMs) => (Number.isFinite(watermarkMs) ? start(watermarkMs) : watermarkMs),
  }
}
