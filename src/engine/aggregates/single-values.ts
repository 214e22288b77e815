import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { Batch } from '../../batch/batch.ts'
import type { Field } from '../../batch/schema.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import { ColumnValues } from './column-values.ts'
import { NumberInput } from './number-input.ts'

/** The values of one column as doubles, for aggregates that keep one value per group: numbers as they are, all else by its id. */
export interface SingleValues {
  /** By row of the current batch; NaN for null. */
  readonly byRow: Float64Array
  begin(batch: Batch, rows: Int32Array, count: number): void
  build(value: number, to: ColumnBuilder): void
  write(value: number, writer: ByteWriter): void
  read(reader: ByteReader): number
  /** See `Aggregator.forget`; `renumber` replaces the values that are held. Absent where values are themselves. */
  forget?(renumber: (newValue: (value: number) => number) => void): boolean
}

/** Values of a column of any type that rows can be told apart by; `seed` is for tables that outsiders' values go into. */
export function singleValues(field: Field, columnIndex: number, seed: number): SingleValues {
  const byId = field.type === 'string' || field.type === 'uuid' || field.type === 'boolean'
  return byId ? new IdValues(columnIndex, seed) : new NumberValues(columnIndex)
}

class NumberValues implements SingleValues {
  readonly #input: NumberInput

  constructor(columnIndex: number) {
    this.#input = new NumberInput(columnIndex)
  }

  get byRow(): Float64Array {
    return this.#input.values
  }

  begin(batch: Batch): void {
    this.#input.begin(batch)
  }

  build(value: number, to: ColumnBuilder): void {
    to.number(value)
  }

  write(value: number, writer: ByteWriter): void {
    writer.f64(value)
  }

  read(reader: ByteReader): number {
    return reader.f64()
  }
}

class IdValues implements SingleValues {
  byRow = new Float64Array(0)
  readonly #values: ColumnValues

  constructor(columnIndex: number, seed: number) {
    this.#values = new ColumnValues(columnIndex, seed)
  }

  begin(batch: Batch, rows: Int32Array, count: number): void {
    this.#values.begin(batch, rows, count)
    if (this.byRow.length < batch.rowCount) this.byRow = new Float64Array(batch.rowCount * 2)
    toDoubles(this.#values.byRow, rows, count, this.byRow)
  }

  build(id: number, to: ColumnBuilder): void {
    this.#values.ids.build(id, to)
  }

  write(id: number, writer: ByteWriter): void {
    writer.bytes(this.#values.ids.interner.bytes(id))
  }

  read(reader: ByteReader): number {
    return this.#values.ids.interner.intern(reader.bytes())
  }

  forget(renumber: (newId: (id: number) => number) => void): boolean {
    return this.#values.forget(renumber)
  }
}

function toDoubles(ids: Int32Array, rows: Int32Array, count: number, into: Float64Array): void {
  for (let index = 0; index < count; index++) {
    const row = rows[index] as number
    const id = ids[row] as number
    into[row] = id < 0 ? Number.NaN : id
  }
}
