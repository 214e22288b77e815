import { assert, unreachable } from '../../base/assert.ts'
import type { Batch } from '../../batch/batch.ts'
import type { Column } from '../../batch/column.ts'
import type { ResultBatch } from '../../batch/result-batch.ts'
import type { Field } from '../../batch/schema.ts'
import type { RowProperty } from '../../plan/expression.ts'
import { ColumnBuilder } from '../column-builder.ts'
import type { ColumnFunction } from '../expression/compile.ts'
import { FateCode } from '../ledger.ts'
import type { OperatorResults } from '../operator.ts'
import { ColumnCollector } from '../select/column-collector.ts'
import type { BatchContext, Stage, StageInput } from './stage.ts'

/** What the stage is made for. */
export interface SelectOptions {
  readonly query: string
  readonly columns: readonly ColumnFunction[]
  /** Facts about rows that the columns ask for; they stand behind the fields of the input, in this order. */
  readonly properties: readonly RowProperty[]
  readonly inputFields: readonly Field[]
  readonly resultFields: readonly Field[]
  readonly hashSeed: number
}

/** The end of a query without windows: every row that comes gives one. Works when the fates of the batch are decided, and changes none that is. */
export class SelectStage implements Stage {
  readonly query: string
  readonly #options: SelectOptions
  #pending: StageInput | undefined
  /** What was gathered in this epoch, by partition. */
  readonly #gathered = new Map<number, Gathered>()

  constructor(options: SelectOptions) {
    this.query = options.query
    this.#options = options
  }

  process(input: StageInput): void {
    assert(!this.#pending, 'a batch reaches an output once')
    this.#pending = input
  }

  /** Takes in the rows that came, now that their fates are known. A row that nobody judged is accepted by this. */
  finishBatch(): void {
    const input = this.#pending
    if (!input) return
    this.#pending = undefined
    const { rows, count, context } = input
    const batch = this.#withProperties(input.batch, context)
    const gathered = this.#of(context.partition)
    for (const [index, column] of this.#options.columns.entries()) {
      gathered.columns[index]?.append(column(batch), rows, count)
    }
    gathered.rowCount += count
    for (let index = 0; index < count; index++) {
      const row = rows[index] as number
      if (context.fates[row] === FateCode.filtered) context.fates[row] = FateCode.accepted
    }
  }

  /** The rows of the epoch, by partition and offset. */
  close(): OperatorResults {
    return { append: concatenated(this.takeParts(), this.#options.resultFields, this.#options.hashSeed) }
  }

  /** The rows of the epoch by partition. */
  takeParts(): SelectPart[] {
    const { resultFields } = this.#options
    const parts = [...this.#gathered].map(([partition, { columns, rowCount }]): SelectPart => {
      const finished = columns.map((column, index) => column.finish() ?? emptyColumn(resultFields[index] as Field))
      return { partition, rows: { fields: resultFields, columns: finished, rowCount } }
    })
    this.#gathered.clear()
    return parts
  }

  #of(partition: number): Gathered {
    let gathered = this.#gathered.get(partition)
    if (!gathered) {
      gathered = { columns: this.#options.columns.map(() => new ColumnCollector(this.#options.hashSeed)), rowCount: 0 }
      this.#gathered.set(partition, gathered)
    }
    return gathered
  }

  #withProperties(batch: Batch, context: BatchContext): Batch {
    const { properties, inputFields } = this.#options
    if (properties.length === 0) return batch
    const columns = properties.map((property) => propertyColumn(property, batch, context))
    return { ...batch, fields: inputFields, columns: [...batch.columns, ...columns] }
  }
}

/** Rows of one partition. */
export interface SelectPart {
  readonly partition: number
  readonly rows: ResultBatch
}

/** Rows of several partitions in one, by partition. */
export function concatenated(parts: readonly SelectPart[], fields: readonly Field[], hashSeed: number): ResultBatch {
  const sorted = [...parts].sort((left, right) => left.partition - right.partition)
  const only = sorted.length === 1 ? sorted[0] : undefined
  if (only) return only.rows
  const columns = fields.map((field, index): Column => {
    const all = new ColumnCollector(hashSeed)
    for (const { rows } of sorted) all.append(rows.columns[index] as Column, ascending(rows.rowCount), rows.rowCount)
    return all.finish() ?? emptyColumn(field)
  })
  return { fields, columns, rowCount: sorted.reduce((sum, { rows }) => sum + rows.rowCount, 0) }
}

function emptyColumn(field: Field): Column {
  return new ColumnBuilder(field).finish()
}

interface Gathered {
  readonly columns: readonly ColumnCollector[]
  rowCount: number
}

function propertyColumn(property: RowProperty, batch: Batch, context: BatchContext): Column {
  const { partition, partitions, clockMs, fates } = context
  const { rowCount } = batch
  switch (property) {
    case 'late':
      return { kind: 'boolean', values: fates.slice(0, rowCount).map((fate) => (fate === FateCode.late ? 1 : 0)) }
    case 'processing_time':
      return { kind: 'number', values: new Float64Array(rowCount).fill(clockMs) }
    case 'record_time':
      return { kind: 'number', values: batch.recordTimes }
    case 'partition':
      return { kind: 'number', values: partitions ?? new Float64Array(rowCount).fill(partition) }
    case 'offset':
      return { kind: 'number', values: batch.offsets }
    default:
      return unreachable(property)
  }
}

function ascending(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, row) => row)
}
