import { unreachable } from '../base/assert.ts'
import type { Field } from '../batch/schema.ts'
import { only, readOnly, sqlText, sqlType } from './sql.ts'
import { timeFromMillis, timeFromText } from './time-sql.ts'

const UUID = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\z'

/** The value of a field from its member, a VARIANT; null when it is missing, null, or not what the field takes. */
export function memberValue(field: Field, member: string): string {
  const kind = `schema_of_variant(${member})`
  const as = (type: string): string => `try_variant_get(${member}, '$', '${type}')`
  const number = (value: string): string => `CASE WHEN ${kind} RLIKE '^(BIGINT|DECIMAL|DOUBLE)' THEN ${value} END`
  const text = (value: string): string => `CASE WHEN ${kind} = 'STRING' THEN ${value} END`
  switch (field.type) {
    case 'string':
      return text(as('STRING'))
    case 'uuid':
      return text(only(`lower(${as('STRING')})`, `v RLIKE ${sqlText(UUID)}`))
    case 'json':
      return `CASE WHEN ${kind} <> 'VOID' THEN to_json(${member}) END`
    case 'boolean':
      return `CASE WHEN ${kind} = 'BOOLEAN' THEN ${as('BOOLEAN')} END`
    case 'decimal':
      return number(readOnly(as(sqlType('decimal', field.scale)), field.scale))
    case 'float64':
      return number(only(as('DOUBLE'), `abs(v) < double('Infinity')`))
    case 'int64':
      // A double alone would take 2^53 + 1 for 2^53, a decimal alone 1 + 1e-7 for 1.
      return number(`CASE WHEN ${as('DOUBLE')} % 1 = 0 THEN CAST(${readOnly(as('DECIMAL(38,6)'))} AS BIGINT) END`)
    case 'int32':
      return number(`CAST(${only(as('DOUBLE'), 'v = floor(v) AND v BETWEEN -2147483648 AND 2147483647')} AS INT)`)
    case 'timestamp':
      return timeValue(field, { number, text, as })
    default:
      return unreachable(field.type)
  }
}

/** True when the member is missing or null, or has a value that the field takes; the row is refused otherwise. */
export function memberFits(member: string, value: string): string {
  return `(${value} IS NOT NULL OR ${member} IS NULL OR is_variant_null(${member}))`
}

interface Readers {
  number(value: string): string
  text(value: string): string
  as(type: string): string
}

function timeValue({ format = 'iso', timeZone }: Field, { number, text, as }: Readers): string {
  switch (format) {
    case 'iso':
      return text(timeFromText(as('STRING'), timeZone))
    case 'epoch-ms':
      return number(timeFromMillis(only(as('DOUBLE'), 'v = floor(v)')))
    case 'epoch-s':
      // Exact: a double would lose milliseconds.
      return number(timeFromMillis(`floor(${as('DECIMAL(38,12)')} * 1000)`))
    default:
      return unreachable(format)
  }
}
