import { MS_PER_MINUTE } from '../base/time.ts'
import { writeTwoDigits } from './text-digits.ts'

/** Bytes that a target must have behind the start of a time: they are written in three steps of eight. */
export const TIME_TEXT_BYTES = 24

/** Of `2026-11-24T12:30:`; seconds and milliseconds follow. */
const MINUTE_TEXT_LENGTH = 17
const ZERO = 0x30
const POINT = 0x2e

/** Spells times as ISO-8601 up to the milliseconds, in UTC without the `Z`; what neighbouring times share is spelled once. */
export class TimeText {
  #minuteStartMs = Number.NaN
  /** Doubles keep the bits of such text, see `TextFragments`. */
  readonly #minuteText = new DataView(new ArrayBuffer(TIME_TEXT_BYTES))

  /** Writes a whole number of milliseconds in the years 0 to 9999; returns the position behind it. */
  write(target: DataView, start: number, timeMs: number): number {
    if (!(timeMs >= this.#minuteStartMs && timeMs < this.#minuteStartMs + MS_PER_MINUTE)) this.#spellMinute(timeMs)
    const minuteText = this.#minuteText
    target.setFloat64(start, minuteText.getFloat64(0, true), true)
    target.setFloat64(start + 8, minuteText.getFloat64(8, true), true)
    target.setFloat64(start + 16, minuteText.getFloat64(16, true), true)
    const rest = timeMs - this.#minuteStartMs
    const seconds = (rest / 1000) | 0
    const milliseconds = rest - seconds * 1000
    const tenths = (milliseconds / 100) | 0
    const at = writeTwoDigits(target, start + MINUTE_TEXT_LENGTH, seconds)
    target.setUint8(at, POINT)
    target.setUint8(at + 1, ZERO + tenths)
    return writeTwoDigits(target, at + 2, milliseconds - tenths * 100)
  }

  #spellMinute(timeMs: number): void {
    this.#minuteStartMs = Math.floor(timeMs / MS_PER_MINUTE) * MS_PER_MINUTE
    const text = new Date(this.#minuteStartMs).toISOString()
    for (let index = 0; index < MINUTE_TEXT_LENGTH; index++) this.#minuteText.setUint8(index, text.charCodeAt(index))
  }
}
