import { assert } from '../../base/assert.ts'
import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import { type AggregateState, type Aggregator, grownNumbers } from './aggregate.ts'
import { subtracting } from './subtracting.ts'

/** Number of rows. State: one number per group. */
export function count(): Aggregator {
  return { begin() {}, newState: () => new CountState(), newRunning: () => subtracting(new CountState()) }
}

class CountState implements AggregateState {
  #counts = new Float64Array(64)

  grow(slotCount: number): void {
    this.#counts = grownNumbers(this.#counts, slotCount)
  }

  update(_rows: Int32Array, slots: Int32Array, count: number): void {
    countBySlot(this.#counts, slots, count)
  }

  fold(other: AggregateState, from: Int32Array, to: Int32Array, count: number): void {
    assert(other instanceof CountState, 'states of one aggregate are folded')
    addSlots(this.#counts, other.#counts, from, to, count, 1)
  }

  unfold(other: AggregateState, from: Int32Array, to: Int32Array, count: number): void {
    assert(other instanceof CountState, 'states of one aggregate are folded')
    addSlots(this.#counts, other.#counts, from, to, count, -1)
  }

  clear(slot: number): void {
    this.#counts[slot] = 0
  }

  result(slot: number, to: ColumnBuilder): void {
    to.number(this.#counts[slot] as number)
  }

  results(slots: Int32Array, to: ColumnBuilder): void {
    to.gather(this.#counts, slots)
  }

  write(slots: Int32Array, count: number, writer: ByteWriter): void {
    for (let index = 0; index < count; index++) writer.varint(this.#counts[slots[index] as number] as number)
  }

  merge(slots: Int32Array, count: number, reader: ByteReader): void {
    for (let index = 0; index < count; index++) {
      const slot = slots[index] as number
      this.#counts[slot] = (this.#counts[slot] as number) + reader.varint()
    }
  }
}

function countBySlot(counts: Float64Array, slots: Int32Array, count: number): void {
  for (let index = 0; index < count; index++) {
    const slot = slots[index] as number
    counts[slot] = (counts[slot] as number) + 1
  }
}

/** Adds numbers, times `sign`, from slots of one array to slots of another. */
export function addSlots(
  into: Float64Array,
  values: Float64Array,
  from: Int32Array,
  to: Int32Array,
  count: number,
  sign: 1 | -1,
): void {
  for (let index = 0; index < count; index++) {
    const slot = to[index] as number
    into[slot] = (into[slot] as number) + sign * (values[from[index] as number] as number)
  }
}
