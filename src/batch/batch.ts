import type { Column } from './column.ts'
import type { Field } from './schema.ts'

/**
 * Rows as columns: what the decoder gives and what operators loop over.
 * A batch and everything it refers to is valid until its decoder's next call; dictionaries live longer.
 */
export interface Batch {
  readonly fields: readonly Field[]
  /** One for each field, in the same order. */
  readonly columns: readonly Column[]
  rowCount: number
  /** What the decoder says of each row, see `RowStatus`. A row that is not fine has null in every column. */
  status: Uint8Array
  /** For each row that is not fine: why, see `RowError`; 0 otherwise. */
  error: Uint8Array
  /** For each row with status wrongType: index of the field at fault; 255 otherwise. */
  errorField: Uint8Array
  /** Position of each row in its partition. */
  offsets: Float64Array
  /** Timestamp of each row's record, ms since 1970; NaN when the source has none. */
  recordTimes: Float64Array
  /** The encoded records: the value of row r is `bytes[valueStarts[r], valueStarts[r] + valueLengths[r])`. */
  bytes: Uint8Array
  valueStarts: Int32Array
  valueLengths: Int32Array
  /** Members that came more than once in their row (the last one won), over the whole batch. */
  duplicateMembers: number
}

/** Verdict of the decoder on a row. */
export const RowStatus = {
  fine: 0,
  /** Not one JSON object in valid UTF-8, or over a limit. */
  malformed: 1,
  /** A field has a value that its type does not take. */
  wrongType: 2,
} as const

/** Why the decoder refused a row; the text that people see is `rowErrorText`. */
export const RowError = {
  none: 0,
  empty: 1,
  notJson: 2,
  notUtf8: 3,
  notObject: 4,
  tooDeep: 5,
  tooLarge: 6,
  trailingBytes: 7,
  wrongKind: 8,
  badTimestamp: 9,
  timestampRange: 10,
  numberRange: 11,
  notInteger: 12,
  badUuid: 13,
} as const

const ROW_ERROR_TEXTS: readonly string[] = [
  'fine',
  'empty line',
  'not JSON',
  'not UTF-8',
  'not a JSON object',
  'nested deeper than 32 levels',
  'larger than 1 MB',
  'something after the object',
  'wrong type',
  'not a valid timestamp',
  'timestamp outside of 1970 to 2200',
  'number out of range',
  'not a whole number',
  'not a UUID',
]

/** What a `RowError` means, in words. */
export function rowErrorText(error: number): string {
  return ROW_ERROR_TEXTS[error] ?? `error ${error}`
}

/** Limits on one event, the same for every decoder. */
export const EVENT_BYTES_MAX: number = 1 << 20
export const NESTING_DEPTH_MAX = 32
export const YEAR_MIN = 1970
export const YEAR_MAX = 2200
