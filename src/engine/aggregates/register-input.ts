import { unreachable } from '../../base/assert.ts'
import { hashHigh, hashLow, xxhash64 } from '../../base/xxhash64.ts'
import type { Batch } from '../../batch/batch.ts'
import { BOOLEAN_NULL, type Column } from '../../batch/column.ts'
import type { Dictionary } from '../../batch/dictionary.ts'
import type { Field } from '../../batch/schema.ts'
import { registerIndex, registerRank } from './hyperloglog.ts'

/** Spark's seed. */
const SEED = 42
/** Row or code without a value. Ranks begin at 1, so no packed value is 0. */
const NONE = 0

/** The values of a column as HyperLogLog sees them: register index and rank in one integer, `index << 8 | rank`. */
export class RegisterInput {
  /** By row of the current batch; 0 for null. */
  packed: Int32Array = new Int32Array(0)
  readonly #field: Field
  readonly #columnIndex: number
  readonly #precision: number
  /** By code of the dictionary last seen. */
  #byCode = new Int32Array(0)
  #dictionary: Dictionary | undefined
  #known = 0

  constructor(field: Field, columnIndex: number, precision: number) {
    this.#field = field
    this.#columnIndex = columnIndex
    this.#precision = precision
  }

  begin(batch: Batch, rows: Int32Array, count: number): void {
    const column = batch.columns[this.#columnIndex] as Column
    if (this.packed.length < batch.rowCount) this.packed = new Int32Array(batch.rowCount * 2)
    if (column.kind === 'dictionary') {
      this.#learn(column.dictionary)
      gatherByCode(this.packed, this.#byCode, column.codes, rows, count)
      return
    }
    for (let index = 0; index < count; index++) {
      const row = rows[index] as number
      this.packed[row] = hashValue(column, this.#field, row) ? pack(this.#precision) : NONE
    }
  }

  #learn(dictionary: Dictionary): void {
    if (this.#dictionary !== dictionary) {
      this.#dictionary = dictionary
      this.#known = 0
    }
    if (this.#byCode.length < dictionary.size) {
      const grown = new Int32Array(dictionary.size * 2)
      grown.set(this.#byCode)
      this.#byCode = grown
    }
    for (; this.#known < dictionary.size; this.#known++) {
      const bytes = dictionary.bytes(this.#known)
      xxhash64(bytes, 0, bytes.length, SEED)
      this.#byCode[this.#known] = pack(this.#precision)
    }
  }
}

function gatherByCode(byRow: Int32Array, byCode: Int32Array, codes: Int32Array, rows: Int32Array, count: number): void {
  for (let index = 0; index < count; index++) {
    const row = rows[index] as number
    const code = codes[row] as number
    byRow[row] = code < 0 ? NONE : (byCode[code] as number)
  }
}

/** Register index and rank of the hash just computed. */
function pack(precision: number): number {
  return (registerIndex(hashHigh, precision) << 8) | registerRank(hashHigh, hashLow, precision)
}

const scratch = new Uint8Array(8)
const view = new DataView(scratch.buffer)

/** Hashes one value as Spark does; false for null. */
function hashValue(column: Column, field: Field, row: number): boolean {
  switch (column.kind) {
    case 'string': {
      const start = column.starts[row] as number
      const length = column.lengths[row] as number
      if (length < 0) return false
      xxhash64(column.data, start, start + length, SEED)
      return true
    }
    case 'uuid':
      if (column.validity[row] === 0) return false
      xxhash64(column.bytes, row * 16, row * 16 + 16, SEED)
      return true
    case 'number': {
      const value = column.values[row] as number
      if (Number.isNaN(value)) return false
      if (field.type === 'float64') view.setFloat64(0, value + 0, true)
      // Spark keeps times in microseconds.
      else view.setBigInt64(0, BigInt(value) * (field.type === 'timestamp' ? 1000n : 1n), true)
      xxhash64(scratch, 0, 8, SEED)
      return true
    }
    case 'int32':
      if (column.validity[row] === 0) return false
      view.setInt32(0, column.values[row] as number, true)
      xxhash64(scratch, 0, 4, SEED)
      return true
    case 'boolean': {
      const value = column.values[row] as number
      if (value === BOOLEAN_NULL) return false
      view.setInt32(0, value, true)
      xxhash64(scratch, 0, 4, SEED)
      return true
    }
    case 'dictionary': {
      const code = column.codes[row] as number
      if (code < 0) return false
      const bytes = column.dictionary.bytes(code)
      xxhash64(bytes, 0, bytes.length, SEED)
      return true
    }
    default:
      return unreachable(column)
  }
}
