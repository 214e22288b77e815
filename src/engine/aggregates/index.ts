import { assert, unreachable } from '../../base/assert.ts'
import { type Field, fieldIndex } from '../../batch/schema.ts'
import type { AggregateSpec } from '../../plan/aggregate.ts'
import type { Aggregator } from './aggregate.ts'
import { approxCountDistinct } from './approx-count-distinct.ts'
import { count } from './count.ts'
import { countDistinct } from './count-distinct.ts'
import { firstLast } from './first-last.ts'
import { minMax } from './min-max.ts'
import { quantile } from './quantile.ts'
import { span } from './span.ts'
import { avg, sum } from './sum.ts'
import { topK } from './top-k.ts'

/** What an aggregate knows of the rows. */
export interface AggregatorOptions {
  readonly fields: readonly Field[]
  readonly eventTimeIndex: number
  /** For tables that outsiders' values go into. */
  readonly seed: number
}

/** Makes an aggregate over batches with these fields. */
export function createAggregator(spec: AggregateSpec, options: AggregatorOptions): Aggregator {
  const { fields, eventTimeIndex, seed } = options
  if (spec.kind === 'count') return count()
  const columnIndex = fieldIndex({ fields }, spec.column)
  const field = fields[columnIndex]
  assert(field, `the plan was checked: column ${spec.column} exists`)
  switch (spec.kind) {
    case 'sum':
      return sum(field, columnIndex)
    case 'avg':
      return avg(field, columnIndex)
    case 'min':
      return minMax(field, columnIndex, 1, seed)
    case 'max':
      return minMax(field, columnIndex, -1, seed)
    case 'span':
      return span(columnIndex)
    case 'countDistinct':
      return countDistinct(columnIndex, seed)
    case 'approxCountDistinct':
      return approxCountDistinct(field, columnIndex, spec.rsd)
    case 'first':
      return firstLast({ field, columnIndex, eventTimeIndex, seed, sign: 1 })
    case 'last':
      return firstLast({ field, columnIndex, eventTimeIndex, seed, sign: -1 })
    case 'quantile':
      return quantile(field, columnIndex, spec.q)
    case 'topK':
      return topK({ field, columnIndex, k: spec.k, seed })
    default:
      return unreachable(spec)
  }
}
