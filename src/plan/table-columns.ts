import type { Field } from '../batch/schema.ts'
import type { TableColumn } from './connectors.ts'

/** What a table sink says of its columns and their key; both in the names of the table. */
export interface TableColumnsSpec {
  readonly columns?: readonly TableColumn[]
  readonly key?: readonly string[]
}

/** The columns that a table has, each with the field of the query that it takes its values from; unknown ones are left out. */
export function tableColumns({ columns }: TableColumnsSpec, fields: readonly Field[]): NamedField[] {
  if (!columns) return fields.map((field) => ({ name: field.name, field }))
  return columns.flatMap(({ name, column }) => {
    const field = fields.find((one) => one.name === column)
    return field ? [{ name, field }] : []
  })
}

/** A column of a table with what it holds. */
export interface NamedField {
  readonly name: string
  readonly field: Field
}

/** The key of the table: the sink's own, else what the table has of the query's, under the names that it has there. */
export function tableKey({ columns, key }: TableColumnsSpec, queryKey: readonly string[]): readonly string[] {
  if (key) return key
  if (!columns) return queryKey
  return queryKey.flatMap((column) => columns.find((one) => one.column === column)?.name ?? [])
}
