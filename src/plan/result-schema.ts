import { assert, unreachable } from '../base/assert.ts'
import type { Field, Schema } from '../batch/schema.ts'
import type { AggregateSpec } from './aggregate.ts'
import { type QueryPlan, WINDOW_END, WINDOW_START } from './node.ts'
import { queryChain } from './query-chain.ts'

/** Digits after the point of the mean of a decimal. */
export const DECIMAL_AVG_SCALE = 6

/** The columns of a query's result rows: window bounds, keys, aggregates. */
export function resultFields(query: QueryPlan): Field[] {
  const { source, aggregate } = queryChain(query.root)
  assert(aggregate, 'a query ends in an aggregate')
  return [
    { name: WINDOW_START, type: 'timestamp', required: true },
    { name: WINDOW_END, type: 'timestamp', required: true },
    ...aggregate.keys.map((key) => keyField(source.schema, key)),
    ...aggregate.aggregates.map(({ name, spec }) => ({ ...aggregateType(source.schema, spec), name })),
  ]
}

/** Columns that tell the rows of a result apart. */
export function keyColumns(query: QueryPlan): string[] {
  return [WINDOW_START, WINDOW_END, ...(queryChain(query.root).aggregate?.keys ?? [])]
}

function keyField(schema: Schema, name: string): Field {
  const { type, required, scale } = inputField(schema, name)
  return { name, type, required, ...(scale === undefined ? {} : { scale }) }
}

function aggregateType(schema: Schema, spec: AggregateSpec): Omit<Field, 'name'> {
  switch (spec.kind) {
    case 'count':
    case 'countDistinct':
    case 'approxCountDistinct':
      return { type: 'int64', required: true }
    case 'min':
    case 'max':
      return { ...typeOf(inputField(schema, spec.column)), required: false }
    case 'sum': {
      const { type, scale } = inputField(schema, spec.column)
      if (type === 'decimal') return { type, scale: scale ?? 0, required: false }
      return { type: type === 'float64' ? 'float64' : 'int64', required: false }
    }
    case 'avg':
      return inputField(schema, spec.column).type === 'decimal'
        ? { type: 'decimal', scale: DECIMAL_AVG_SCALE, required: false }
        : { type: 'float64', required: false }
    default:
      return unreachable(spec)
  }
}

function typeOf({ type, scale }: Field): Pick<Field, 'type' | 'scale'> {
  return { type, ...(scale === undefined ? {} : { scale }) }
}

function inputField(schema: Schema, name: string): Field {
  const field = schema.fields.find((one) => one.name === name)
  assert(field, `the plan was checked: column ${name} exists`)
  return field
}
