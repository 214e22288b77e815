import { encodeText } from '../../base/bytes.ts'
import type { Column } from '../../batch/column.ts'
import { likeliest } from '../../ml/class-learner.ts'
import { labelClasses, predictionFields } from '../../plan/model-fields.ts'
import type { LabelSpec } from '../../plan/node.ts'
import { ColumnBuilder } from '../column-builder.ts'

/** What is said of the rows of a batch, as the columns of `predictionFields`. */
export class PredictionColumns {
  readonly #label: LabelSpec
  readonly #names: readonly Uint8Array[]
  /** By what is said: one probability, or one for each class. */
  readonly #probabilities: readonly Float64Array[]
  readonly #versions: Float64Array

  constructor(label: LabelSpec, rowCount: number) {
    this.#label = label
    this.#names = labelClasses(label).map(encodeText)
    const said = Math.max(1, this.#names.length)
    this.#probabilities = Array.from({ length: said }, () => new Float64Array(rowCount))
    this.#versions = new Float64Array(rowCount)
  }

  /** What is said of a row, by a version of the model. */
  set(row: number, told: Float64Array, version: number): void {
    for (let index = 0; index < this.#probabilities.length; index++) {
      const column = this.#probabilities[index] as Float64Array
      column[row] = told[index] as number
    }
    this.#versions[row] = version
  }

  finish(): Column[] {
    const versions: Column = { kind: 'number', values: this.#versions }
    const said = this.#probabilities.map((values): Column => ({ kind: 'number', values }))
    if (this.#names.length === 0) return [...said, versions]
    const [predictions, best] = predictionFields(this.#label).map(
      (field) => new ColumnBuilder(field, this.#versions.length),
    )
    const told = new Float64Array(this.#names.length)
    for (let row = 0; row < this.#versions.length; row++) {
      for (const [index, values] of this.#probabilities.entries()) told[index] = values[row] as number
      const first = likeliest(told, told.length)
      predictions?.bytes(this.#names[first] as Uint8Array)
      best?.number(told[first] as number)
    }
    return [...[predictions, best].flatMap((builder) => (builder ? [builder.finish()] : [])), ...said, versions]
  }
}
