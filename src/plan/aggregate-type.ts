import { assert, unreachable } from '../base/assert.ts'
import type { Field } from '../batch/schema.ts'
import type { AggregateSpec } from './aggregate.ts'
import type { ValueType } from './value-type.ts'

/** Digits after the point of the mean of a decimal. */
export const DECIMAL_AVG_SCALE = 6

/** Type of an aggregate's results over rows with these fields. Counts are never null, all else is for a group without values. */
export function aggregateType(spec: AggregateSpec, fields: readonly Field[]): ValueType {
  switch (spec.kind) {
    case 'count':
    case 'countDistinct':
    case 'approxCountDistinct':
      return { type: 'int64', required: true }
    case 'min':
    case 'max':
    case 'first':
    case 'last': {
      const { type, scale } = inputField(fields, spec.column)
      return { type, required: false, ...(scale === undefined ? {} : { scale }) }
    }
    case 'sum': {
      const { type, scale } = inputField(fields, spec.column)
      if (type === 'decimal') return { type, scale: scale ?? 0, required: false }
      return { type: type === 'float64' ? 'float64' : 'int64', required: false }
    }
    case 'avg':
      return inputField(fields, spec.column).type === 'decimal'
        ? { type: 'decimal', scale: DECIMAL_AVG_SCALE, required: false }
        : { type: 'float64', required: false }
    case 'span':
      return { type: 'int64', required: false }
    case 'quantile':
      return { type: 'float64', required: false }
    case 'topK':
      return { type: 'json', required: true }
    default:
      return unreachable(spec)
  }
}

function inputField(fields: readonly Field[], name: string): Field {
  const field = fields.find((one) => one.name === name)
  assert(field, `the plan was checked: column ${name} exists`)
  return field
}
