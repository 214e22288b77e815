import { assert, unreachable } from '../base/assert.ts'
import type { Field } from '../batch/schema.ts'
import type { AggregateSpec } from '../plan/aggregate.ts'
import { aggregateType } from '../plan/aggregate-type.ts'
import type { NamedAggregate } from '../plan/node.ts'
import { expressionSql } from './expression.ts'
import { exactOnly, sqlName, sqlType } from './sql.ts'

/** Values that a sketch of frequent values holds, and gives: it is exact as long as there are fewer than three quarters of so many. */
const FREQUENT_MAX = 16_384

/**
 * An aggregate in two steps: what Spark adds up for a group, and what is made of it when the window has closed. Exact numbers of different
 * values are sizes of sets, since DISTINCT is not for streams.
 */
export interface AggregateSql {
  readonly added: string
  readonly result: string
}

/** An aggregate of a checked plan over rows with these columns; event time orders what goes by order. */
export function aggregateSql(
  { name, spec }: NamedAggregate,
  fields: readonly Field[],
  eventTime: string,
): AggregateSql {
  const { type, scale } = aggregateType(spec, fields)
  const column = sqlName(name)
  const added = `${addedSql(spec, fields, sqlName(eventTime))} AS ${column}`
  const result = (value: string): AggregateSql => ({ added, result: `${value} AS ${column}` })
  switch (spec.kind) {
    case 'sum':
    case 'avg':
      // Doubles beyond the largest are null; other numbers may be larger there than they could be here.
      return result(
        type === 'float64'
          ? exactOnly(`CAST(${column} AS DOUBLE)`, type)
          : `try_cast(${column} AS ${sqlType(type, scale)})`,
      )
    case 'countDistinct':
      return result(`CAST(size(${column}) AS BIGINT)`)
    case 'topK':
      return result(frequentJson(column, spec.k))
    default:
      return { added, result: column }
  }
}

function addedSql(spec: AggregateSpec, fields: readonly Field[], eventTime: string): string {
  const where = spec.where ? [expressionSql(spec.where, fields)] : []
  const over = (call: string, ...conditions: readonly string[]): string => {
    const all = [...where, ...conditions]
    return all.length === 0 ? call : `${call} FILTER (WHERE ${all.join(' AND ')})`
  }
  if (spec.kind === 'count') return over('count(1)')
  const column = sqlName(spec.column)
  switch (spec.kind) {
    case 'sum':
    case 'min':
    case 'max':
    case 'avg':
      return over(`${spec.kind}(${column})`)
    case 'span':
      return `unix_seconds(${over(`max(${column})`)}) - unix_seconds(${over(`min(${column})`)})`
    case 'countDistinct':
      return over(`collect_set(${column})`)
    case 'approxCountDistinct':
      return over(`approx_count_distinct(${hashed(spec.column, fields)}, ${spec.rsd}D)`)
    case 'first':
      return over(`min_by(${column}, ${eventTime})`, `${column} IS NOT NULL`)
    case 'last':
      return over(`max_by(${column}, ${eventTime})`, `${column} IS NOT NULL`)
    case 'topK':
      return over(`approx_top_k(${column}, ${FREQUENT_MAX}, ${FREQUENT_MAX})`, `${column} IS NOT NULL`)
    case 'quantile':
      return assert(false, 'quantiles are refused before') as never
    default:
      return unreachable(spec)
  }
}

/** What is hashed of a value: of a UUID its bytes, as here; all other values are hashed alike. */
function hashed(name: string, fields: readonly Field[]): string {
  const isUuid = fields.find((field) => field.name === name)?.type === 'uuid'
  return isUuid ? `unhex(replace(${sqlName(name)}, '-', ''))` : sqlName(name)
}

/** As the engine writes it: the most frequent first, those that came equally often by their bytes. */
function frequentJson(column: string, k: number): string {
  const sorted = `array_sort(transform(${column}, one -> struct(-one.count AS rank, one.item AS value)))`
  const shown = `transform(slice(${sorted}, 1, ${k}), one -> struct(one.value AS value, -one.rank AS count))`
  return `coalesce(to_json(${shown}), '[]')`
}
