import { unreachable } from '../base/assert.ts'
import type { FieldType } from '../batch/schema.ts'

/** Digits of the decimals that columns hold: more than 2^53 units have. */
const DECIMAL_DIGITS = 18

/** Computed whole numbers, and units of decimals, are exact up to here. */
const WHOLE_MAX = Number.MAX_SAFE_INTEGER

/** Those that events have may be so large. */
const READ_MAX = 2 ** 53

/** A name as Spark's SQL takes it, whatever characters it has. */
export function sqlName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

/** A constant text; Spark reads backslashes in it as escapes. Half a surrogate pair is U+FFFD, as in all texts here. */
export function sqlText(text: string): string {
  return `'${text.toWellFormed().replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
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

/** A value for which a condition on `v` is true, else null. Evaluated once, whatever its text is. */
export function only(value: string, condition: string): string {
  return `try_element_at(filter(array(${value}), v -> ${condition}), 1)`
}

/** A computed number as columns here hold it: null beyond 2^53 units and where a double is not finite, never -0. Of other types the value itself. */
export function exactOnly(value: string, type: FieldType, scale = 0): string {
  switch (type) {
    case 'int64':
      return only(value, `abs(v) <= ${WHOLE_MAX}L`)
    case 'decimal':
      return only(value, `abs(v) <= ${decimalText(WHOLE_MAX, scale)}BD`)
    case 'float64':
      return only(`${value} + 0.0D`, `abs(v) < double('Infinity')`)
    default:
      return value
  }
}

/** A whole number that was read, or a decimal of so many digits behind the point, where columns here can hold it. */
export function readOnly(value: string, scale = 0): string {
  const whole = scale === 0 ? 'v = floor(v) AND ' : ''
  return only(value, `${whole}abs(v) <= ${decimalText(READ_MAX, scale)}BD`)
}

/** So many units as a decimal with all its digits. */
function decimalText(units: number, scale: number): string {
  const digits = String(units).padStart(scale + 1, '0')
  return scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
