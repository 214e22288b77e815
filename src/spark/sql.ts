import { unreachable } from '../base/assert.ts'
import type { FieldType } from '../batch/schema.ts'

/** Digits of the decimals that columns hold: more than 2^53 units have. */
const DECIMAL_DIGITS = 18

/** A name as Spark's SQL takes it, whatever characters it has. */
export function sqlName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

/** A constant text; Spark reads backslashes in it as escapes. */
export function sqlText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

/** The SQL type of a column. JSON and UUIDs are text. */
export function sqlType(type: FieldType, scale = 0): string {
  switch (type) {
    case 'string':
    case 'json':
    case 'uuid':
      return 'STRING'
    case 'timestamp':
      return 'TIMESTAMP'
    case 'decimal':
      return `DECIMAL(${DECIMAL_DIGITS},${scale})`
    case 'float64':
      return 'DOUBLE'
    case 'int64':
      return 'BIGINT'
    case 'int32':
      return 'INT'
    case 'boolean':
      return 'BOOLEAN'
    default:
      return unreachable(type)
  }
}
