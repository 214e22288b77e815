import type { Batch } from '../../batch/batch.ts'
import type { Field } from '../../batch/schema.ts'
import type { ColumnFunction } from '../expression/compile.ts'
import type { Stage, StageInput } from './stage.ts'

/** Adds columns to the rows. */
export class DeriveStage implements Stage {
  readonly #fields: readonly Field[]
  readonly #columns: readonly ColumnFunction[]
  readonly #next: readonly Stage[]

  /** `fields` are those of the rows that come out: those of the input, then one for each function. */
  constructor(fields: readonly Field[], columns: readonly ColumnFunction[], next: readonly Stage[]) {
    this.#fields = fields
    this.#columns = columns
    this.#next = next
  }

  process(input: StageInput): void {
    const derived = this.#columns.map((column) => column(input.batch))
    const batch: Batch = { ...input.batch, fields: this.#fields, columns: [...input.batch.columns, ...derived] }
    const rows = { ...input, batch }
    for (const stage of this.#next) stage.process(rows)
  }
}
