import { assert, unreachable } from '../../base/assert.ts'
import { type Field, fieldIndex } from '../../batch/schema.ts'
import type { AggregateSpec } from '../../plan/aggregate.ts'
import type { Aggregator } from './aggregate.ts'
import { approxCountDistinct } from './approx-count-distinct.ts'
import { count } from './count.ts'
import { countDistinct } from './count-distinct.ts'
import { minMax } from './min-max.ts'
import { avg, sum } from './sum.ts'

/** Makes an aggregate over a batch with these fields; `seed` is for tables that outsiders' values go into. */
export function createAggregator(spec: AggregateSpec, fields: readonly Field[], seed: number): Aggregator {
  if (spec.kind === 'count') return count()
  const index = fieldIndex({ fields }, spec.column)
  const field = fields[index]
  assert(field, `the plan was checked: column ${spec.column} exists`)
  switch (spec.kind) {
    case 'sum':
      return sum(field, index)
    case 'avg':
      return avg(field, index)
    case 'min':
      return minMax(field, index, 1, seed)
    case 'max':
      return minMax(field, index, -1, seed)
    case 'countDistinct':
      return countDistinct(index, seed)
    case 'approxCountDistinct':
      return approxCountDistinct(field, index, spec.rsd)
    default:
      return unreachable(spec)
  }
}
