import { MS_PER_DAY, MS_PER_HOUR } from '../base/time.ts'
import type { GeneratorSettings } from './settings.ts'

/** How busy each hour of a day (UTC) is, in tenths of the average: quiet nights, a plateau by day, most of it in the evening. */
const HOURS: readonly number[] = [
  ...[4, 3, 2, 2, 2, 3, 5, 8, 11, 12, 13, 13],
  ...[12, 12, 12, 12, 13, 14, 15, 17, 19, 18, 11, 7],
]
const HOURS_TOTAL: number = HOURS.reduce((sum, tenths) => sum + tenths, 0)

/** When events happen: evenly, or more of them in the busy hours of the day. */
export class Timetable {
  readonly #startTimeMs: number
  readonly #eventsPerSecond: number
  /** Undefined when all hours are alike. */
  readonly #day: DayCurve | undefined

  constructor({ eventsPerSecond, diurnalStrength }: GeneratorSettings, startTimeMs: number) {
    this.#startTimeMs = startTimeMs
    this.#eventsPerSecond = eventsPerSecond
    this.#day = diurnalStrength > 0 ? new DayCurve(eventsPerSecond, diurnalStrength, startTimeMs) : undefined
  }

  /** When event `index` happens, in whole milliseconds; never before an event with a lower index. */
  dueMs(index: number): number {
    if (this.#day === undefined) return this.#startTimeMs + Math.floor((index * 1000) / this.#eventsPerSecond)
    return Math.max(this.#startTimeMs, this.#day.dueMs(index)) // It may be one less by rounding.
  }
}

/** Within an hour events are evenly spread, so that everything is exact arithmetic on few numbers, the same on every machine. */
class DayCurve {
  readonly #midnightMs: number
  readonly #perHour = new Float64Array(24)
  /** Events from midnight to the start of each hour; the last one is a whole day's. */
  readonly #before = new Float64Array(25)
  /** Events that would lie between the midnight before the start and the start. */
  readonly #skipped: number

  constructor(eventsPerSecond: number, strength: number, startTimeMs: number) {
    for (const [hour, tenths] of HOURS.entries()) {
      const weight = 1 + strength * ((tenths * 24) / HOURS_TOTAL - 1)
      this.#perHour[hour] = eventsPerSecond * 3600 * weight
      this.#before[hour + 1] = this.#before[hour] + this.#perHour[hour]
    }
    this.#midnightMs = Math.floor(startTimeMs / MS_PER_DAY) * MS_PER_DAY
    const hours = (startTimeMs - this.#midnightMs) / MS_PER_HOUR
    const hour = Math.floor(hours)
    this.#skipped = this.#before[hour] + (hours - hour) * this.#perHour[hour]
  }

  dueMs(index: number): number {
    const before = this.#before
    const position = index + this.#skipped
    const day = Math.floor(position / before[24])
    const rest = position - day * before[24]
    let hour = 0
    while (hour < 23 && rest >= before[hour + 1]) hour++
    const ofHourMs = Math.floor(((rest - before[hour]) * MS_PER_HOUR) / this.#perHour[hour])
    return this.#midnightMs + day * MS_PER_DAY + hour * MS_PER_HOUR + Math.min(ofHourMs, MS_PER_HOUR)
  }
}
