import { assert } from '../base/assert.ts'
import type { ByteReader } from '../base/bytes.ts'
import type { Batch } from '../batch/batch.ts'

/** Event times by row, ms since 1970. A row that has passed validation has one. */
export function timesOf(batch: Batch, columnIndex: number): Float64Array {
  const column = batch.columns[columnIndex]
  assert(column?.kind === 'number', 'event time is a timestamp')
  return column.values
}

/** A century behind the last year that events may have. */
export const TIME_MAX_MS: number = Date.UTC(2300, 0, 1)

/** A time out of a snapshot: an infinity stands for none yet, or for the end of all. */
export function readTime(reader: ByteReader): number {
  const timeMs = reader.f64()
  if (Number.isNaN(timeMs) || (Number.isFinite(timeMs) && Math.abs(timeMs) > TIME_MAX_MS)) {
    throw reader.corrupt(`no event has the time ${timeMs}`)
  }
  return timeMs
}

/** The time of an event out of a snapshot. */
export function readEventTime(reader: ByteReader): number {
  const timeMs = readTime(reader)
  if (!Number.isInteger(timeMs)) throw reader.corrupt(`no event has the time ${timeMs}`)
  return timeMs
}
