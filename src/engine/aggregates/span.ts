import { assert } from '../../base/assert.ts'
import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import type { AggregateState, Aggregator } from './aggregate.ts'
import { ExtremeState } from './min-max.ts'
import { NumberInput } from './number-input.ts'

/** Seconds from the earliest to the latest time of a column, both cut to the second before. */
export function span(columnIndex: number): Aggregator {
  const input = new NumberInput(columnIndex)
  return {
    begin: (batch) => input.begin(batch),
    newState: () => new SpanState(new ExtremeState(input, 1), new ExtremeState(input, -1)),
  }
}

/** State: the earliest and the latest time per group. */
class SpanState implements AggregateState {
  readonly #earliest: ExtremeState
  readonly #latest: ExtremeState

  constructor(earliest: ExtremeState, latest: ExtremeState) {
    this.#earliest = earliest
    this.#latest = latest
  }

  grow(slotCount: number): void {
    this.#earliest.grow(slotCount)
    this.#latest.grow(slotCount)
  }

  update(rows: Int32Array, slots: Int32Array, count: number): void {
    this.#earliest.update(rows, slots, count)
    this.#latest.update(rows, slots, count)
  }

  fold(other: AggregateState, from: Int32Array, to: Int32Array, count: number): void {
    assert(other instanceof SpanState, 'states of one aggregate are folded')
    this.#earliest.fold(other.#earliest, from, to, count)
    this.#latest.fold(other.#latest, from, to, count)
  }

  clear(slot: number): void {
    this.#earliest.clear(slot)
    this.#latest.clear(slot)
  }

  /** NaN, which is null, when there is no time yet. */
  result(slot: number, to: ColumnBuilder): void {
    to.number(seconds(this.#latest.best(slot)) - seconds(this.#earliest.best(slot)))
  }

  write(slots: Int32Array, count: number, writer: ByteWriter): void {
    this.#earliest.write(slots, count, writer)
    this.#latest.write(slots, count, writer)
  }

  merge(slots: Int32Array, count: number, reader: ByteReader): void {
    this.#earliest.merge(slots, count, reader)
    this.#latest.merge(slots, count, reader)
  }
}

function seconds(timeMs: number): number {
  return Math.floor(timeMs / 1000)
}
