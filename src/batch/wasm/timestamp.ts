// Timestamps as ISO-8601 writes them; the grammar is that of `iso-timestamp.ts`, which also judges what is refused here.
//
//     2026-11-24T10:00:00.123Z"
//     |--------------|             minute: neighbouring events share it, so its time is remembered
//                     |------|     eight characters, checked and added up as one number

import { COLON, LETTER_UPPER_T, LETTER_UPPER_Z, MINUS, PLUS, POINT, QUOTE, SPACE, ZERO } from './characters'
import { plainEnd } from './json-scan'

const MS_PER_DAY: f64 = 86_400_000
const MS_PER_MINUTE: f64 = 60_000
/** Of 1970-01-01, and of 2201-01-01. */
const TIME_MIN_MS: f64 = 0
const TIME_END_MS: f64 = 7_289_654_400_000
const OFFSET_MAX_MINUTES: u32 = 18 * 60
const FRACTION_DIGITS_MAX: usize = 9

const MINUTE_LENGTH: usize = 16
const LENGTH_MIN: usize = 19
/** Of `:SS.mmmZ`. */
const USUAL_REST_LENGTH: usize = 8
/** `:00.000Z` as a little-endian number: xor leaves the digits' values, and zero where there is no digit. */
const USUAL_REST: u64 = 0x5a3030302e30303a
const NO_DIGITS: u64 = 0xff000000ff0000ff
/** Added to a digit's value it sets the high bit when that is above 9. */
const ABOVE_NINE: u64 = 0x0076767600767600
const ABOVE_NINE_BITS: u64 = 0x0080808000808000

/** Lines of 32 bytes, by the last character of the minute: its 16 characters, then its time. */
const MINUTES: usize = memory.data(16 * 32, 16)
const MINUTE_TIME: usize = 16

/** Fills the lines so that none of them matches: the last character belongs to another line. */
export function prepareTimes(): void {
  for (let line: usize = 0; line < 16; line++) store<u8>(MINUTES + (line << 5), <u8>(line + 1), MINUTE_LENGTH - 1)
}

/** Reads the time in the string whose content begins at `at` to `out`; gives the address of the closing quote, or 0. */
@inline
export function readTime(at: usize, out: usize, zoned: bool): usize {
  const line = lineOf(at)
  if (v128.any_true(v128.xor(v128.load(at), v128.load(line)))) return readAnyTime(at, out, zoned)
  const rest = load<u64>(at, MINUTE_LENGTH) ^ USUAL_REST
  const unusual = (rest & NO_DIGITS) | ((rest | (rest + ABOVE_NINE)) & ABOVE_NINE_BITS)
  if (unusual != 0 || load<u8>(at, MINUTE_LENGTH + USUAL_REST_LENGTH) != QUOTE) return readAnyTime(at, out, zoned)
  const second = (<u32>(rest >> 8) & 15) * 10 + (<u32>(rest >> 16) & 15)
  if (second > 59) return 0
  const ms = (<u32>(rest >> 32) & 15) * 100 + (<u32>(rest >> 40) & 15) * 10 + (<u32>(rest >> 48) & 15)
  store<f64>(out, load<f64>(line, MINUTE_TIME) + <f64>(second * 1000 + ms))
  return at + MINUTE_LENGTH + USUAL_REST_LENGTH
}

/** Whether a time is one that a column can hold. */
@inline
export function inRange(timeMs: f64): bool {
  return timeMs >= TIME_MIN_MS && timeMs < TIME_END_MS
}

@inline
function lineOf(at: usize): usize {
  return MINUTES + ((<usize>load<u8>(at, MINUTE_LENGTH - 1) & 15) << 5)
}

function readAnyTime(at: usize, out: usize, zoned: bool): usize {
  const end = plainEnd(at)
  if (load<u8>(end) != QUOTE || end - at < LENGTH_MIN) return 0
  const minuteMs = readMinute(at)
  const second = pair(at + 17)
  if (isNaN(minuteMs) || load<u8>(at, 16) != COLON || second > 59) return 0
  const timeMs = readRest(at + LENGTH_MIN, end, minuteMs + <f64>second * 1000, zoned)
  if (!inRange(timeMs)) return 0
  store<f64>(out, timeMs)
  return end
}

/** Ms of the begin of the minute whose 16 characters begin at `at`, or NaN when there is none. */
function readMinute(at: usize): f64 {
  const line = lineOf(at)
  if (!v128.any_true(v128.xor(v128.load(at), v128.load(line)))) return load<f64>(line, MINUTE_TIME)
  const year = pair(at) * 100 + pair(at + 2)
  const month = pair(at + 5)
  const day = pair(at + 8)
  const hour = pair(at + 11)
  const minute = pair(at + 14)
  const separator = <u32>load<u8>(at, 10)
  if (pair(at) > 99 || pair(at + 2) > 99 || load<u8>(at, 4) != MINUS || load<u8>(at, 7) != MINUS) return NaN
  if (month < 1 || month > 12 || day < 1 || day > daysOfMonth(year, month)) return NaN
  if ((separator != LETTER_UPPER_T && separator != SPACE) || load<u8>(at, 13) != COLON) return NaN
  if (hour > 23 || minute > 59) return NaN
  const minuteMs = <f64>(daysToMonth(year, month) + <i32>day - 1) * MS_PER_DAY + <f64>(hour * 60 + minute) * MS_PER_MINUTE
  if (inRange(minuteMs)) {
    v128.store(line, v128.load(at))
    store<f64>(line, minuteMs, MINUTE_TIME)
  }
  return minuteMs
}

/** Adds what stands behind the seconds; NaN when it is none of what may stand there. */
function readRest(from: usize, end: usize, wallMs: f64, zoned: bool): f64 {
  let at = from
  let timeMs = wallMs
  if (load<u8>(at) == POINT) {
    let unitMs: u32 = 100
    let digit = <u32>load<u8>(++at) - ZERO
    while (digit <= 9) {
      timeMs += <f64>(digit * unitMs)
      unitMs /= 10
      digit = <u32>load<u8>(++at) - ZERO
    }
    const digits = at - from - 1
    if (digits < 1 || digits > FRACTION_DIGITS_MAX) return NaN
  }
  if (at == end) return zoned ? NaN : timeMs
  const sign = <u32>load<u8>(at)
  if (sign == LETTER_UPPER_Z) return at + 1 == end ? timeMs : NaN
  if ((sign != PLUS && sign != MINUS) || end - at != 6 || load<u8>(at, 3) != COLON) return NaN
  const hours = pair(at + 1)
  const minutes = pair(at + 4)
  if (hours > 99 || minutes > 59 || hours * 60 + minutes > OFFSET_MAX_MINUTES) return NaN
  const offsetMs = <f64>(hours * 60 + minutes) * MS_PER_MINUTE
  return sign == PLUS ? timeMs - offsetMs : timeMs + offsetMs
}

/** Value of two decimal digits; more than 99 when they are none. */
function pair(at: usize): u32 {
  const tens = <u32>load<u8>(at) - ZERO
  const ones = <u32>load<u8>(at, 1) - ZERO
  return tens <= 9 && ones <= 9 ? tens * 10 + ones : 0xff
}

/** Days from 1970-01-01 to the first of a month. Howard Hinnant, "chrono-compatible low-level date algorithms". */
function daysToMonth(year: u32, month: u32): i32 {
  // Years count from March of year -400 on, so that nothing is negative.
  const marchYear = (month <= 2 ? year - 1 : year) + 400
  const era = marchYear / 400
  const yearOfEra = marchYear - era * 400
  const dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5
  const dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
  return (<i32>era - 1) * 146097 + <i32>dayOfEra - 719468
}

function daysOfMonth(year: u32, month: u32): u32 {
  if (month != 2) return 30 + ((month + (month >> 3)) & 1)
  const leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
  return leap ? 29 : 28
}
