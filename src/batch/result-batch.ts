import type { Column } from './column.ts'
import type { Field } from './schema.ts'

/**
 * Rows that a query gives in one epoch, as columns, sorted by (window start, key bytes). Owned by whoever receives it.
 * The same rows in the same order for any number of workers, so that its bytes can be compared between runs.
 */
export interface ResultBatch {
  readonly fields: readonly Field[]
  /** One for each field, in the same order. */
  readonly columns: readonly Column[]
  readonly rowCount: number
  /** Update mode only: what happened to each row's group, see `RowChange`. */
  readonly changes?: Uint8Array
}

/** Update mode: a group has new values, has its last values, or has ceased to exist. */
export const RowChange = {
  updated: 0,
  final: 1,
  deleted: 2,
} as const
