import type { Dictionary } from './dictionary.ts'

/**
 * The values of one field for the rows of a batch, as typed arrays. An array may be longer than the batch has rows;
 * what lies behind is undefined. How a null looks depends on the kind.
 */
export type Column = DictionaryColumn | StringColumn | UuidColumn | NumberColumn | Int32Column | BooleanColumn

/** Text with repeating values: a code per row, -1 for null. Codes mean something only in `dictionary`. */
export interface DictionaryColumn {
  readonly kind: 'dictionary'
  codes: Int32Array
  readonly dictionary: Dictionary
}

/** Text or raw JSON as slices of `data` (UTF-8): row r is `data[starts[r], starts[r] + lengths[r])`; length -1 is null. */
export interface StringColumn {
  readonly kind: 'string'
  data: Uint8Array
  starts: Int32Array
  lengths: Int32Array
}

/** 16 bytes a row; `validity` is 0 for null. */
export interface UuidColumn {
  readonly kind: 'uuid'
  bytes: Uint8Array
  validity: Uint8Array
}

/**
 * `timestamp` (ms since 1970), `decimal` (whole units of 10^-scale), `float64` and `int64`; NaN is null.
 * JSON knows no NaN, so it is free to mean that.
 */
export interface NumberColumn {
  readonly kind: 'number'
  values: Float64Array
}

/** `validity` is 0 for null. */
export interface Int32Column {
  readonly kind: 'int32'
  values: Int32Array
  validity: Uint8Array
}

/** 0 false, 1 true, 255 null. */
export interface BooleanColumn {
  readonly kind: 'boolean'
  values: Uint8Array
}

/** Value of a boolean column that stands for null. */
export const BOOLEAN_NULL = 255
