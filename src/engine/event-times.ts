import { assert } from '../base/assert.ts'
import type { Batch } from '../batch/batch.ts'

/** Event times by row, ms since 1970. A row that has passed validation has one. */
export function timesOf(batch: Batch, columnIndex: number): Float64Array {
  const column = batch.columns[columnIndex]
  assert(column?.kind === 'number', 'event time is a timestamp')
  return column.values
}
