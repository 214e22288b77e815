import { assert } from '../../base/assert.ts'
import type { Batch } from '../../batch/batch.ts'

/** The values of a numeric column of the current batch as doubles, NaN for null, whatever the column's kind. */
export class NumberInput {
  values: Float64Array = new Float64Array(0)
  readonly #columnIndex: number
  #converted = new Float64Array(0)

  constructor(columnIndex: number) {
    this.#columnIndex = columnIndex
  }

  begin(batch: Batch): void {
    const column = batch.columns[this.#columnIndex]
    if (column?.kind === 'number') {
      this.values = column.values
      return
    }
    assert(column?.kind === 'int32', 'the plan was checked: the column is numeric')
    if (this.#converted.length < batch.rowCount) this.#converted = new Float64Array(batch.rowCount * 2)
    for (let row = 0; row < batch.rowCount; row++) {
      this.#converted[row] = column.validity[row] === 0 ? Number.NaN : (column.values[row] as number)
    }
    this.values = this.#converted
  }
}
