import { MS_PER_MINUTE } from '../base/time.ts'
import { writeTwoDigits } from './text-digits.ts'

/** Bytes that a target must have behind the start of a time: they are written in three steps of eight. */
export const TIME_TEXT_BYTES = 24

/** Of `2026-11-24T12:30:`; seconds and milliseconds follow. */
const MINUTE_TEXT_LENGTH = 17
const ZERO = 0x30
const POINT = 0x2e

/** Minutes whose text is kept: a row may have several times, such as the bounds of its window. A power of two. */
const MINUTES_KEPT = 16

/** Spells times as ISO-8601 up to the milliseconds, in UTC without the `Z`; what times share with those before them is spelled once. */
export class TimeText {
  #minuteStartMs = Number.NaN
  /** Where the text of that minute is. */
  #minuteAt = 0
  readonly #keptStartsMs = new Float64Array(MINUTES_KEPT).fill(Number.NaN)
  /** Doubles keep the bits of such text, see `TextFragments`. */
  readonly #minuteTexts = new DataView(new ArrayBuffer(MINUTES_KEPT * TIME_TEXT_BYTES))

  /** Writes a whole number of milliseconds in the years 0 to 9999; returns the position behind it. */
  write(target: DataView, start: number, timeMs: number): number {
    if (!(timeMs >= this.#minuteStartMs && timeMs < this.#minuteStartMs + MS_PER_MINUTE)) this.#turnToMinute(timeMs)
    const minuteTexts = this.#minuteTexts
    const minuteAt = this.#minuteAt
    target.setFloat64(start, minuteTexts.getFloat64(minuteAt, true), true)
    target.setFloat64(start + 8, minuteTexts.getFloat64(minuteAt + 8, true), true)
    target.setFloat64(start + 16, minuteTexts.getFloat64(minuteAt + 16, true), true)
    const rest = timeMs - this.#minuteStartMs
    const seconds = (rest / 1000) | 0
    const milliseconds = rest - seconds * 1000
    const tenths = (milliseconds / 100) | 0
    const at = writeTwoDigits(target, start + MINUTE_TEXT_LENGTH, seconds)
    target.setUint8(at, POINT)
    target.setUint8(at + 1, ZERO + tenths)
    return writeTwoDigits(target, at + 2, milliseconds - tenths * 100)
  }

  #turnToMinute(timeMs: number): void {
    const minute = Math.floor(timeMs / MS_PER_MINUTE)
    const place = minute & (MINUTES_KEPT - 1)
    this.#minuteStartMs = minute * MS_PER_MINUTE
    this.#minuteAt = place * TIME_TEXT_BYTES
    if (this.#keptStartsMs[place] !== this.#minuteStartMs) this.#spellMinute(place)
  }

  #spellMinute(place: number): void {
    this.#keptStartsMs[place] = this.#minuteStartMs
    const text = new Date(this.#minuteStartMs).toISOString()
    for (let index = 0; index < MINUTE_TEXT_LENGTH; index++) {
      this.#minuteTexts.setUint8(this.#minuteAt + index, text.charCodeAt(index))
    }
  }
}
