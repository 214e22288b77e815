import { formatTime } from '../base/time.ts'
import { BOOLEAN_NULL, type Column } from './column.ts'
import { formatDecimal } from './decimal-text.ts'
import type { Field } from './schema.ts'
import { formatUuid } from './uuid-text.ts'

/**
 * The value of a column in a row, as rows have it (see `Row`): text and JSON as a string, a UUID in lower case,
 * a timestamp in ms since 1970, a decimal as the nearest double.
 */
export function cellValue(column: Column, field: Field, row: number): string | number | boolean | null {
  switch (column.kind) {
    case 'dictionary':
      return column.codes[row] < 0 ? null : column.dictionary.text(column.codes[row])
    case 'string': {
      const start = column.starts[row]
      const length = column.lengths[row]
      return length < 0 ? null : textDecoder.decode(column.data.subarray(start, start + length))
    }
    case 'uuid':
      return column.validity[row] === 0 ? null : formatUuid(column.bytes, 16 * row)
    case 'number': {
      const value = column.values[row]
      if (Number.isNaN(value)) return null
      return field.type === 'decimal' ? value / 10 ** (field.scale ?? 0) : value
    }
    case 'int32':
      return column.validity[row] === 0 ? null : column.values[row]
    case 'boolean':
      return column.values[row] === BOOLEAN_NULL ? null : column.values[row] === 1
  }
}

/** The value of a column in a row for people: times as ISO-8601 in UTC, decimals with all their digits, '' for null. */
export function cellText(column: Column, field: Field, row: number): string {
  const value = cellValue(column, field, row)
  if (value === null) return ''
  if (column.kind !== 'number') return String(value)
  if (field.type === 'decimal') return formatDecimal(column.values[row], field.scale ?? 0)
  return field.type === 'timestamp' ? formatTime(Number(value)) : String(value)
}

const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true })
