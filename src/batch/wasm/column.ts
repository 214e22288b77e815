// The columns that rows are read into. Their arrays are laid out by the host, for `rowsMax` rows:
//
//     operation          values                       extra
//     DICTIONARY         codes i32, -1 is null        the dictionary
//     TEXT, JSON, REST   starts i32                   lengths i32, -1 is null
//     UUID               16 bytes                     validity u8, 0 is null
//     INT32              i32                          validity u8
//     BOOLEAN            u8, 255 is null              -
//     DECIMAL, EPOCH     f64, NaN is null             scale
//     ISO_TIME           f64                          1 when it has a time zone
//     DOUBLE, INT64      f64                          -

import { reserve } from './memory'
import { BOOLEAN, DICTIONARY, INT32, JSON, REST, TEXT, UUID } from './operation'

export const COLUMNS_MAX: u32 = 64

const COLUMN_BITS: usize = 4
const COLUMN_OPERATION: usize = 0
const COLUMN_VALUES: usize = 4
const COLUMN_EXTRA: usize = 8

/** Rows that are made null at a time, before the first of them is read. */
const ROWS_PER_CLEARING: u32 = 256

let columns: usize = 0
let columnCount: u32 = 0
/** Of each row: u8 each. */
let statuses: usize = 0
let errors: usize = 0
let errorFields: usize = 0
/** Rows up to here have been made null. */
let clearedEnd: u32 = 0

/** Makes room for columns; takes the addresses of what is known of each row. */
export function prepareColumns(status: usize, error: usize, errorField: usize): void {
  columns = reserve(COLUMNS_MAX << COLUMN_BITS)
  statuses = status
  errors = error
  errorFields = errorField
}

/** Adds a column; gives its number. */
export function addColumn(operation: u32, values: usize, extra: usize): u32 {
  const column = columns + (columnCount << COLUMN_BITS)
  store<u32>(column, operation, COLUMN_OPERATION)
  store<u32>(column, values, COLUMN_VALUES)
  store<u32>(column, extra, COLUMN_EXTRA)
  return columnCount++
}

/** The operation that reads a column's values. */
export function columnOperation(index: u32): u32 {
  return load<u32>(columns + (index << COLUMN_BITS), COLUMN_OPERATION)
}

/** Address of a column's values. */
export function columnValues(index: u32): usize {
  return load<u32>(columns + (index << COLUMN_BITS), COLUMN_VALUES)
}

/** What else belongs to a column, see above. */
export function columnExtra(index: u32): usize {
  return load<u32>(columns + (index << COLUMN_BITS), COLUMN_EXTRA)
}

/** Begins a batch: no row is null yet. */
export function beginRows(): void {
  clearedEnd = 0
}

/** Sees to it that the row is null in every column. Rows come one by one; there is room for `ROWS_PER_CLEARING` at a time. */
@inline
export function beginRow(row: u32): void {
  if (row == clearedEnd) clearRows()
}

function clearRows(): void {
  const from = <usize>clearedEnd
  const count = <usize>ROWS_PER_CLEARING
  memory.fill(statuses + from, 0, count)
  memory.fill(errors + from, 0, count)
  memory.fill(errorFields + from, 0xff, count)
  for (let index: u32 = 0; index < columnCount; index++) clearColumn(index, from, count)
  clearedEnd += ROWS_PER_CLEARING
}

function clearColumn(index: u32, from: usize, count: usize): void {
  const values = columnValues(index)
  const extra = columnExtra(index)
  switch (columnOperation(index)) {
    case DICTIONARY:
      memory.fill(values + (from << 2), 0xff, count << 2)
      break
    case TEXT:
    case JSON:
    case REST:
      memory.fill(extra + (from << 2), 0xff, count << 2)
      break
    case UUID:
    case INT32:
      memory.fill(extra + from, 0, count)
      break
    case BOOLEAN:
      memory.fill(values + from, 0xff, count)
      break
    default:
      // All bits set are a NaN.
      memory.fill(values + (from << 3), 0xff, count << 3)
  }
}
