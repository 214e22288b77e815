import { MillraceError } from '../../base/error.ts'
import type { Field } from '../../batch/schema.ts'
import { DECIMAL_AVG_SCALE } from '../../plan/result-schema.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import { type AggregateState, type Aggregator, grownNumbers } from './aggregate.ts'
import { exactSum } from './exact-sum.ts'
import { NumberInput } from './number-input.ts'

/** Sum of a column. Whole numbers and decimals are added as integers, exact up to 2^53; doubles by an exact accumulator. */
export function sum(field: Field, columnIndex: number): Aggregator {
  if (field.type === 'float64') return exactSum(columnIndex, (total, to) => to.number(total))
  return integerSum(field, columnIndex, (total, _count, to) => to.number(total))
}

/** Mean of a column. Of a decimal: with six digits, rounded half up. */
export function avg(field: Field, columnIndex: number): Aggregator {
  if (field.type === 'float64') return exactSum(columnIndex, (total, to, count) => to.number(total / count))
  if (field.type !== 'decimal') return integerSum(field, columnIndex, (total, count, to) => to.number(total / count))
  const scaleUp = 10n ** BigInt(DECIMAL_AVG_SCALE - (field.scale ?? 0))
  return integerSum(field, columnIndex, (total, count, to) => {
    to.number(Number(dividedHalfUp(BigInt(total) * scaleUp, BigInt(count))))
  })
}

/** Sums and counts of the values that are not null; `finish` writes the result of a group that has any. */
function integerSum(
  field: Field,
  columnIndex: number,
  finish: (total: number, count: number, to: ColumnBuilder) => void,
): Aggregator {
  const input = new NumberInput(columnIndex)
  return {
    begin: (batch) => input.begin(batch),
    newState: () => integerSumState(field, input, finish),
  }
}

function integerSumState(
  field: Field,
  input: NumberInput,
  finish: (total: number, count: number, to: ColumnBuilder) => void,
): AggregateState {
  let sums = new Float64Array(64)
  let counts = new Float64Array(64)
  return {
    grow(slotCount) {
      sums = grownNumbers(sums, slotCount)
      counts = grownNumbers(counts, slotCount)
    },
    update(rows, slots, count) {
      if (!addBySlot(sums, counts, input.values, rows, slots, count)) throw overflow(field)
    },
    result(slot, to) {
      const count = counts[slot] as number
      if (count === 0) to.null()
      else finish(sums[slot] as number, count, to)
    },
    snapshot(slot, writer) {
      writer.f64(sums[slot] as number)
      writer.varint(counts[slot] as number)
    },
    restore(slot, reader) {
      sums[slot] = reader.f64()
      counts[slot] = reader.varint()
    },
  }
}

/** False when a sum has left the range in which doubles hold every integer. */
function addBySlot(
  sums: Float64Array,
  counts: Float64Array,
  values: Float64Array,
  rows: Int32Array,
  slots: Int32Array,
  count: number,
): boolean {
  let exact = true
  for (let index = 0; index < count; index++) {
    const value = values[rows[index] as number] as number
    if (Number.isNaN(value)) continue
    const slot = slots[index] as number
    const total = (sums[slot] as number) + value
    sums[slot] = total
    counts[slot] = (counts[slot] as number) + 1
    if (total > Number.MAX_SAFE_INTEGER || total < Number.MIN_SAFE_INTEGER) exact = false
  }
  return exact
}

function dividedHalfUp(dividend: bigint, divisor: bigint): bigint {
  const positive = dividend < 0n ? -dividend : dividend
  const quotient = (positive * 2n + divisor) / (divisor * 2n)
  return dividend < 0n ? -quotient : quotient
}

function overflow(field: Field): MillraceError {
  return new MillraceError('unsupported', `a sum of "${field.name}" is beyond 2^53 units and would not be exact`, {
    hint: 'use smaller windows, a smaller scale, or keep out the outliers with a range rule',
  })
}
