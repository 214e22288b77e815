import { sqlText } from './sql.ts'

/** The times that columns hold, ms since 1970: from 1970 on, before 2201. */
const TIME_END_MS = Date.UTC(2201, 0, 1)

/** Java's `$` also matches before a last line break, `\z` does not. */
const SHAPE = '^\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?(Z|[+-]\\d\\d:\\d\\d)?\\z'
const WITH_OFFSET = '(Z|[+-]\\d\\d:\\d\\d)\\z'

/**
 * Text of ISO-8601 as a time; null when it is none, or outside of 1970 to 2200. Of what Spark would take as a time, only what has the shape
 * that both engines read alike is one. What is finer than a millisecond is cut off.
 */
export function timeFromText(text: string, timeZone = 'UTC'): string {
  const plain = `try_to_timestamp(${text})`
  const zoned =
    timeZone === 'UTC'
      ? plain
      : `CASE WHEN ${text} RLIKE ${sqlText(WITH_OFFSET)} THEN ${plain} ELSE to_utc_timestamp(${plain}, ${sqlText(timeZone)}) END`
  return within(`date_trunc('MILLISECOND', CASE WHEN ${text} RLIKE ${sqlText(SHAPE)} THEN ${zoned} END)`)
}

/** Whole ms since 1970 as a time; null outside of 1970 to 2200. */
export function timeFromMillis(ms: string): string {
  return `CASE WHEN ${ms} >= 0 AND ${ms} < ${TIME_END_MS} THEN timestamp_millis(CAST(${ms} AS BIGINT)) END`
}

/** A constant time. */
export function timeLiteral(ms: number): string {
  return `timestamp_millis(${ms})`
}

/** As texts have it: ISO-8601 in UTC with milliseconds. */
export function timeText(time: string): string {
  return `date_format(${time}, ${sqlText("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'")})`
}

/** What clocks in a time zone show at a time. */
export function wallTime(time: string, timeZone: string): string {
  return timeZone === 'UTC' ? time : `from_utc_timestamp(${time}, ${sqlText(timeZone)})`
}

/** The time at which clocks in a time zone show this. */
export function fromWallTime(wall: string, timeZone: string): string {
  return timeZone === 'UTC' ? wall : `to_utc_timestamp(${wall}, ${sqlText(timeZone)})`
}

function within(time: string): string {
  const [first, end] = [timeLiteral(0), timeLiteral(TIME_END_MS)]
  // Evaluated once, whatever the text of the time is.
  return `try_element_at(filter(array(${time}), t -> t >= ${first} AND t < ${end}), 1)`
}
