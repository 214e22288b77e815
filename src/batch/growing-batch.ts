import type { Batch } from './batch.ts'
import type { Column } from './column.ts'
import type { FieldColumn } from './field-column.ts'
import type { Field } from './schema.ts'

const CAPACITY_FIRST = 1024

/** A batch that a decoder fills row by row, and again for each call. A row begins as fine, with null in every column. */
export class GrowingBatch implements Batch {
  readonly fields: readonly Field[]
  readonly columns: Column[]
  rowCount = 0
  status: Uint8Array = new Uint8Array(0)
  error: Uint8Array = new Uint8Array(0)
  errorField: Uint8Array = new Uint8Array(0)
  offsets: Float64Array = new Float64Array(0)
  recordTimes: Float64Array = new Float64Array(0)
  bytes: Uint8Array = new Uint8Array(0)
  valueStarts: Int32Array = new Int32Array(0)
  valueLengths: Int32Array = new Int32Array(0)
  duplicateMembers = 0
  readonly #fieldColumns: readonly FieldColumn[]

  constructor(fieldColumns: readonly FieldColumn[]) {
    this.#fieldColumns = fieldColumns
    this.fields = fieldColumns.map((column) => column.field)
    this.columns = fieldColumns.map((column) => column.column)
  }

  /** Forgets all rows, and expects about as many new ones. */
  begin(bytes: Uint8Array, rowsExpected: number): void {
    for (const column of this.#fieldColumns) column.clear(0, this.rowCount)
    this.rowCount = 0
    this.duplicateMembers = 0
    this.bytes = bytes
    if (rowsExpected > this.status.length) this.#grow(rowsExpected)
  }

  /** Adds a row and gives its number. */
  add(offset: number, recordTimeMs: number): number {
    const row = this.rowCount++
    if (row === this.status.length) this.#grow(row + 1)
    this.status[row] = 0
    this.error[row] = 0
    this.errorField[row] = FIELD_NONE
    this.offsets[row] = offset
    this.recordTimes[row] = recordTimeMs
    return row
  }

  setValue(row: number, start: number, end: number): void {
    this.valueStarts[row] = start
    this.valueLengths[row] = end - start
  }

  refuse(row: number, status: number, error: number, fieldIndex: number = FIELD_NONE): void {
    this.status[row] = status
    this.error[row] = error
    this.errorField[row] = fieldIndex
    this.clearRow(row)
  }

  clearRow(row: number): void {
    for (const column of this.#fieldColumns) column.clearRow(row)
  }

  /** Completes the columns; `data` is what slices of text point into. */
  finish(data: Uint8Array, view: DataView, entriesMax: number): void {
    for (const column of this.#fieldColumns) {
      column.fillFrom(this.recordTimes, this.status, this.rowCount)
      column.finish(data, view, this.rowCount, entriesMax)
      this.columns[column.index] = column.column
    }
  }

  #grow(rowsMin: number): void {
    const capacity = Math.max(CAPACITY_FIRST, 2 ** Math.ceil(Math.log2(rowsMin)))
    this.status = grown(this.status, new Uint8Array(capacity))
    this.error = grown(this.error, new Uint8Array(capacity))
    this.errorField = grown(this.errorField, new Uint8Array(capacity))
    this.offsets = grown(this.offsets, new Float64Array(capacity))
    this.recordTimes = grown(this.recordTimes, new Float64Array(capacity))
    this.valueStarts = grown(this.valueStarts, new Int32Array(capacity))
    this.valueLengths = grown(this.valueLengths, new Int32Array(capacity))
    for (const column of this.#fieldColumns) column.grow(capacity)
  }
}

/** `errorField` of a row in which no field is at fault. */
const FIELD_NONE = 255

function grown<T extends Uint8Array | Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from)
  return to
}
