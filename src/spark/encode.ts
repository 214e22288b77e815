import type { Field } from '../batch/schema.ts'
import { project, type Relation } from './relation.ts'
import { sqlName } from './sql.ts'

/**
 * Rows as JSON texts that Millrace reads back without loss, in a column `value`: times as ms since 1970, money with all its digits, nulls
 * spelled out. JSON columns are texts in them.
 */
export function jsonRows(rows: Relation, fields: readonly Field[]): Relation {
  const columns = fields.map(({ name, type }) =>
    type === 'timestamp' ? `unix_millis(${sqlName(name)}) AS ${sqlName(name)}` : sqlName(name),
  )
  return project(rows, `to_json(struct(${columns.join(', ')}), map('ignoreNullFields', 'false')) AS value`)
}

/** The fields of such texts. */
export function jsonRowFields(fields: readonly Field[]): Field[] {
  return fields.map(({ name, type, scale }) => ({
    name,
    type: type === 'json' ? 'string' : type,
    required: false,
    // Read once: nothing is gained by a dictionary.
    cardinality: 'unique',
    ...(scale !== undefined && { scale }),
    ...(type === 'timestamp' && { format: 'epoch-ms' }),
  }))
}
