import { assert } from '../../base/assert.ts'
import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { MillraceError } from '../../base/error.ts'
import type { Batch } from '../../batch/batch.ts'
import type { Field } from '../../batch/schema.ts'
import { DECIMAL_AVG_SCALE } from '../../plan/result-schema.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import { type AggregateState, type Aggregator, grownNumbers } from './aggregate.ts'
import { addSlots } from './count.ts'
import { exactSum } from './exact-sum.ts'
import { NumberInput } from './number-input.ts'
import { subtracting } from './subtracting.ts'

/** Sum of a column. Whole numbers and decimals are added as integers, exact up to 2^53; doubles by an exact accumulator. */
export function sum(field: Field, columnIndex: number): Aggregator {
  if (field.type === 'float64') return exactSum(columnIndex, (scaled, scale, to) => finiteOrNull(scaled * scale, to))
  return integerSum(field, columnIndex, (total, _count, to) => to.number(total))
}

/** Mean of a column. Of a decimal: with six digits, rounded half up. */
export function avg(field: Field, columnIndex: number): Aggregator {
  if (field.type === 'float64') {
    return exactSum(columnIndex, (scaled, scale, to, count) => finiteOrNull((scaled / count) * scale, to))
  }
  if (field.type !== 'decimal') return integerSum(field, columnIndex, (total, count, to) => to.number(total / count))
  const scaleUp = 10n ** BigInt(DECIMAL_AVG_SCALE - (field.scale ?? 0))
  return integerSum(field, columnIndex, (total, count, to) => {
    to.number(Number(dividedHalfUp(BigInt(total) * scaleUp, BigInt(count))))
  })
}

function finiteOrNull(value: number, to: ColumnBuilder): void {
  if (Number.isFinite(value)) to.number(value)
  else to.null()
}

type Finish = (total: number, count: number, to: ColumnBuilder) => void

/** Sums and counts of the values that are not null; `finish` writes the result of a group that has any. */
function integerSum(field: Field, columnIndex: number, finish: Finish): Aggregator {
  const input = new NumberInput(columnIndex)
  const newState = (): IntegerSumState => new IntegerSumState(field, input, finish)
  return {
    begin: (batch: Batch) => input.begin(batch),
    newState,
    newRunning: () => subtracting(newState()),
  }
}

class IntegerSumState implements AggregateState {
  readonly #field: Field
  readonly #input: NumberInput
  readonly #finish: Finish
  #sums = new Float64Array(64)
  #counts = new Float64Array(64)

  constructor(field: Field, input: NumberInput, finish: Finish) {
    this.#field = field
    this.#input = input
    this.#finish = finish
  }

  grow(slotCount: number): void {
    this.#sums = grownNumbers(this.#sums, slotCount)
    this.#counts = grownNumbers(this.#counts, slotCount)
  }

  update(rows: Int32Array, slots: Int32Array, count: number): void {
    if (!addBySlot(this.#sums, this.#counts, this.#input.values, rows, slots, count)) throw overflow(this.#field)
  }

  fold(other: AggregateState, from: Int32Array, to: Int32Array, count: number): void {
    assert(other instanceof IntegerSumState, 'states of one aggregate are folded')
    addSlots(this.#sums, other.#sums, from, to, count, 1)
    addSlots(this.#counts, other.#counts, from, to, count, 1)
    this.#assertExact(to, count)
  }

  unfold(other: AggregateState, from: Int32Array, to: Int32Array, count: number): void {
    assert(other instanceof IntegerSumState, 'states of one aggregate are folded')
    addSlots(this.#sums, other.#sums, from, to, count, -1)
    addSlots(this.#counts, other.#counts, from, to, count, -1)
  }

  clear(slot: number): void {
    this.#sums[slot] = 0
    this.#counts[slot] = 0
  }

  result(slot: number, to: ColumnBuilder): void {
    const count = this.#counts[slot] as number
    if (count === 0) to.null()
    else this.#finish(this.#sums[slot] as number, count, to)
  }

  write(slots: Int32Array, count: number, writer: ByteWriter): void {
    for (let index = 0; index < count; index++) {
      const slot = slots[index] as number
      writer.f64((this.#sums[slot] as number) + 0)
      writer.varint(this.#counts[slot] as number)
    }
  }

  merge(slots: Int32Array, count: number, reader: ByteReader): void {
    for (let index = 0; index < count; index++) {
      const slot = slots[index] as number
      const total = reader.f64()
      if (!Number.isSafeInteger(total)) throw reader.corrupt(`a sum of whole units is ${total}`)
      this.#sums[slot] = (this.#sums[slot] as number) + total
      this.#counts[slot] = (this.#counts[slot] as number) + reader.varint()
    }
    this.#assertExact(slots, count)
  }

  #assertExact(slots: Int32Array, count: number): void {
    for (let index = 0; index < count; index++) {
      if (Math.abs(this.#sums[slots[index] as number] as number) > Number.MAX_SAFE_INTEGER) throw overflow(this.#field)
    }
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
