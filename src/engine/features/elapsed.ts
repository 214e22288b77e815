import { assert } from '../../base/assert.ts'
import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { type AggregateState, type Aggregator, grownNumbers } from '../aggregates/aggregate.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import { timesOf } from '../event-times.ts'

/** Seconds from the first event to the last. State: both, ms. */
export function elapsed(eventTimeIndex: number): Aggregator {
  let times = new Float64Array(0)
  return {
    begin(batch) {
      times = timesOf(batch, eventTimeIndex) as Float64Array<ArrayBuffer>
    },
    newState: () => new ElapsedState(() => times),
  }
}

class ElapsedState implements AggregateState {
  readonly #times: () => Float64Array
  #firsts = new Float64Array(64).fill(Number.POSITIVE_INFINITY)
  #lasts = new Float64Array(64).fill(Number.NEGATIVE_INFINITY)

  constructor(times: () => Float64Array) {
    this.#times = times
  }

  grow(slotCount: number): void {
    this.#firsts = grownNumbers(this.#firsts, slotCount, Number.POSITIVE_INFINITY)
    this.#lasts = grownNumbers(this.#lasts, slotCount, Number.NEGATIVE_INFINITY)
  }

  update(rows: Int32Array, slots: Int32Array, count: number): void {
    const times = this.#times()
    for (let index = 0; index < count; index++) {
      const timeMs = times[rows[index] as number] as number
      this.#include(slots[index] as number, timeMs, timeMs)
    }
  }

  fold(other: AggregateState, from: Int32Array, to: Int32Array, count: number): void {
    assert(other instanceof ElapsedState, 'states of one aggregate are folded')
    for (let index = 0; index < count; index++) {
      const slot = from[index] as number
      this.#include(to[index] as number, other.#firsts[slot] as number, other.#lasts[slot] as number)
    }
  }

  clear(slot: number): void {
    this.#firsts[slot] = Number.POSITIVE_INFINITY
    this.#lasts[slot] = Number.NEGATIVE_INFINITY
  }

  result(slot: number, to: ColumnBuilder): void {
    to.number(((this.#lasts[slot] as number) - (this.#firsts[slot] as number)) / 1000)
  }

  write(slots: Int32Array, count: number, writer: ByteWriter): void {
    for (let index = 0; index < count; index++) {
      writer.f64(this.#firsts[slots[index] as number] as number)
      writer.f64(this.#lasts[slots[index] as number] as number)
    }
  }

  merge(slots: Int32Array, count: number, reader: ByteReader): void {
    for (let index = 0; index < count; index++) this.#include(slots[index] as number, reader.f64(), reader.f64())
  }

  #include(slot: number, firstMs: number, lastMs: number): void {
    if (firstMs < (this.#firsts[slot] as number)) this.#firsts[slot] = firstMs
    if (lastMs > (this.#lasts[slot] as number)) this.#lasts[slot] = lastMs
  }
}
