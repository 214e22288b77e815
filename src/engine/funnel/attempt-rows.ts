import { encodeText } from '../../base/bytes.ts'
import type { Batch } from '../../batch/batch.ts'
import type { Field } from '../../batch/schema.ts'
import type { FunnelNode } from '../../plan/node.ts'
import { ColumnBuilder } from '../column-builder.ts'
import { decodeKeyPart } from '../keys/key-codec.ts'
import { computedBatch } from '../stages/released-rows.ts'
import type { Attempt } from './attempts.ts'

/** Rows of attempts, one for each step that was done. */
export class AttemptRows {
  readonly #fields: readonly Field[]
  readonly #names: readonly Uint8Array[]
  #columns: readonly ColumnBuilder[] = []
  #rowCount = 0

  /** `fields` are `attemptFields`. */
  constructor({ steps }: FunnelNode, fields: readonly Field[]) {
    this.#fields = fields
    this.#names = steps.map(({ name }) => encodeText(name))
    this.#columns = this.#newColumns()
  }

  /** `key` is who made the attempt. */
  add({ steps, times }: Attempt, key: Uint8Array): void {
    const [start, who, number, name, time, converted, seconds] = this.#columns as Columns
    for (let index = 0; index < steps.length; index++) {
      start.number(times[0] as number)
      decodeKeyPart(who, key, 0)
      number.number(index + 1)
      name.bytes(this.#names[steps[index] as number] as Uint8Array)
      time.number(times[index] as number)
      if (index === this.#names.length - 1) converted.null()
      else converted.boolean(index + 1 < steps.length)
      if (index + 1 === steps.length) seconds.null()
      else seconds.number((times[index + 1] as number) - (times[index] as number))
    }
    this.#rowCount += steps.length
  }

  /** The rows since the last call; undefined for none. */
  take(): Batch | undefined {
    const rowCount = this.#rowCount
    if (rowCount === 0) return undefined
    const columns = this.#columns.map((column) => column.finish())
    this.#columns = this.#newColumns()
    this.#rowCount = 0
    // Numbers tell apart what happened at one time, as offsets do.
    return {
      ...computedBatch(this.#fields, columns, rowCount),
      offsets: Float64Array.from({ length: rowCount }, (_, row) => row),
    }
  }

  #newColumns(): ColumnBuilder[] {
    return this.#fields.map((field) => new ColumnBuilder(field))
  }
}

type Columns = [ColumnBuilder, ColumnBuilder, ColumnBuilder, ColumnBuilder, ColumnBuilder, ColumnBuilder, ColumnBuilder]
