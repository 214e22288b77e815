import { assert } from '../base/assert.ts'
import type { Column } from '../batch/column.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import type { Field } from '../batch/schema.ts'
import { type TableColumnsSpec, tableColumns, tableKey } from '../plan/table-columns.ts'
import type { SinkContext } from './sink.ts'

/** Which columns a table has, under which names, and what tells its rows apart. */
export class TableLayout {
  readonly fields: readonly Field[]
  readonly key: readonly string[]
  readonly #indexes: readonly number[]

  constructor(spec: TableColumnsSpec, { fields, keyColumns }: Pick<SinkContext, 'fields' | 'keyColumns'>) {
    const columns = tableColumns(spec, fields)
    this.fields = columns.map(({ name, field }) => ({ ...field, name }))
    this.key = tableKey(spec, keyColumns)
    this.#indexes = columns.map(({ field }) => fields.indexOf(field))
    assert(
      this.key.every((name) => columns.some((one) => one.name === name)),
      'the plan was checked: the key is in the table',
    )
  }

  /** The rows of the query as the table has them. */
  rowsOf(rows: ResultBatch): ResultBatch {
    return { ...rows, fields: this.fields, columns: this.#indexes.map((index) => rows.columns[index] as Column) }
  }
}
