import { assert } from '../../base/assert.ts'
import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { Field } from '../../batch/schema.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import { type AggregateState, type Aggregator, grownNumbers } from './aggregate.ts'
import { textMinMax } from './min-max-text.ts'
import { NumberInput } from './number-input.ts'

/** Smallest (`sign` 1) or largest (`sign` -1) value of a column. Numbers and times by value, text by its UTF-8 bytes. */
export function minMax(field: Field, columnIndex: number, sign: 1 | -1, seed: number): Aggregator {
  if (field.type === 'string') return textMinMax(columnIndex, sign, seed)
  const input = new NumberInput(columnIndex)
  return {
    begin: (batch) => input.begin(batch),
    newState: () => new ExtremeState(input, sign),
  }
}

/** The best value per group; NaN is "none yet". */
export class ExtremeState implements AggregateState {
  readonly #input: NumberInput
  readonly #sign: 1 | -1
  #bests = new Float64Array(64).fill(Number.NaN)

  constructor(input: NumberInput, sign: 1 | -1) {
    this.#input = input
    this.#sign = sign
  }

  grow(slotCount: number): void {
    this.#bests = grownNumbers(this.#bests, slotCount, Number.NaN)
  }

  update(rows: Int32Array, slots: Int32Array, count: number): void {
    keepBest(this.#bests, this.#input.values, rows, slots, count, this.#sign)
  }

  fold(other: AggregateState, from: Int32Array, to: Int32Array, count: number): void {
    assert(other instanceof ExtremeState, 'states of one aggregate are folded')
    keepBest(this.#bests, other.#bests, from, to, count, this.#sign)
  }

  clear(slot: number): void {
    this.#bests[slot] = Number.NaN
  }

  /** The smallest or largest value so far; NaN when there is none. */
  best(slot: number): number {
    return this.#bests[slot] as number
  }

  result(slot: number, to: ColumnBuilder): void {
    to.number(this.#bests[slot] as number)
  }

  results(slots: Int32Array, to: ColumnBuilder): void {
    to.gather(this.#bests, slots)
  }

  write(slots: Int32Array, count: number, writer: ByteWriter): void {
    // -0 and 0 are one value.
    for (let index = 0; index < count; index++) writer.f64((this.#bests[slots[index] as number] as number) + 0)
  }

  merge(slots: Int32Array, count: number, reader: ByteReader): void {
    const value = new Float64Array(1)
    const first = Int32Array.of(0)
    for (let index = 0; index < count; index++) {
      value[0] = reader.f64()
      keepBest(this.#bests, value, first, slots.subarray(index, index + 1), 1, this.#sign)
    }
  }
}

/** Every comparison with NaN is false, so that "none yet" loses against any value and null never wins. */
function keepBest(
  bests: Float64Array,
  values: Float64Array,
  from: Int32Array,
  to: Int32Array,
  count: number,
  sign: 1 | -1,
): void {
  for (let index = 0; index < count; index++) {
    const value = (values[from[index] as number] as number) * sign
    const slot = to[index] as number
    if (!Number.isNaN(value) && !((bests[slot] as number) * sign <= value)) bests[slot] = value * sign
  }
}
