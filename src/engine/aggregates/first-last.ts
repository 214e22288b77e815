import { assert } from '../../base/assert.ts'
import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { Batch } from '../../batch/batch.ts'
import type { Field } from '../../batch/schema.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import { timesOf } from '../event-times.ts'
import { type AggregateState, type Aggregator, grownInts, grownNumbers } from './aggregate.ts'
import { type SingleValues, singleValues } from './single-values.ts'

/** What the aggregate is made for. */
export interface FirstLastOptions {
  readonly field: Field
  readonly columnIndex: number
  readonly eventTimeIndex: number
  readonly seed: number
  /** 1 for the first, -1 for the last. */
  readonly sign: 1 | -1
}

/**
 * Value of the earliest or latest row that has one, by event time, then partition, then offset: no two rows are equal, so the order in
 * which they come does not matter.
 */
export function firstLast({ field, columnIndex, eventTimeIndex, seed, sign }: FirstLastOptions): Aggregator {
  const values = singleValues(field, columnIndex, seed)
  const input = new PlacedInput(values, eventTimeIndex)
  return {
    begin: (batch, rows, count, partition) => input.begin(batch, rows, count, partition),
    newState: () => new PlacedState(input, sign),
    ...(values.forget && {
      forget: (states) =>
        values.forget?.((newValue) => {
          for (const state of states as readonly PlacedState[]) state.renumber(newValue)
        }) ?? false,
    }),
  }
}

/** Rows of the current batch with the places that order them. */
class PlacedInput {
  readonly values: SingleValues
  times: Float64Array = new Float64Array(0)
  offsets: Float64Array = new Float64Array(0)
  partition = 0
  readonly #eventTimeIndex: number

  constructor(values: SingleValues, eventTimeIndex: number) {
    this.values = values
    this.#eventTimeIndex = eventTimeIndex
  }

  begin(batch: Batch, rows: Int32Array, count: number, partition: number): void {
    this.values.begin(batch, rows, count)
    this.times = timesOf(batch, this.#eventTimeIndex)
    this.offsets = batch.offsets
    this.partition = partition
  }
}

/** The row that each group has kept, by slot. */
interface PlacedValues {
  /** NaN where there is none yet. */
  times: Float64Array<ArrayBuffer>
  partitions: Int32Array<ArrayBuffer>
  offsets: Float64Array<ArrayBuffer>
  values: Float64Array<ArrayBuffer>
}

class PlacedState implements AggregateState {
  readonly #input: PlacedInput
  readonly #sign: 1 | -1
  readonly #kept = noValues(64)

  constructor(input: PlacedInput, sign: 1 | -1) {
    this.#input = input
    this.#sign = sign
  }

  grow(slotCount: number): void {
    const kept = this.#kept
    kept.times = grownNumbers(kept.times, slotCount, Number.NaN)
    kept.partitions = grownInts(kept.partitions, slotCount)
    kept.offsets = grownNumbers(kept.offsets, slotCount)
    kept.values = grownNumbers(kept.values, slotCount)
  }

  update(rows: Int32Array, slots: Int32Array, count: number): void {
    const { values, times, offsets, partition } = this.#input
    offerRows(this.#kept, values.byRow, times, offsets, partition, rows, slots, count, this.#sign)
  }

  fold(other: AggregateState, from: Int32Array, to: Int32Array, count: number): void {
    assert(other instanceof PlacedState, 'states of one aggregate are folded')
    offerSlots(this.#kept, other.#kept, from, to, count, this.#sign)
  }

  clear(slot: number): void {
    this.#kept.times[slot] = Number.NaN
  }

  result(slot: number, to: ColumnBuilder): void {
    if (Number.isNaN(this.#kept.times[slot])) to.null()
    else this.#input.values.build(this.#kept.values[slot] as number, to)
  }

  write(slots: Int32Array, count: number, writer: ByteWriter): void {
    const { times, partitions, offsets, values } = this.#kept
    for (let index = 0; index < count; index++) {
      const slot = slots[index] as number
      writer.f64(times[slot] as number)
      if (Number.isNaN(times[slot])) continue
      writer.varint(partitions[slot] as number)
      writer.varint(offsets[slot] as number)
      this.#input.values.write(values[slot] as number, writer)
    }
  }

  merge(slots: Int32Array, count: number, reader: ByteReader): void {
    const read = noValues(1)
    const first = Int32Array.of(0)
    for (let index = 0; index < count; index++) {
      read.times[0] = reader.f64()
      if (Number.isNaN(read.times[0])) continue
      read.partitions[0] = reader.varint()
      read.offsets[0] = reader.varint()
      read.values[0] = this.#input.values.read(reader)
      offerSlots(this.#kept, read, first, slots.subarray(index, index + 1), 1, this.#sign)
    }
  }

  renumber(newValue: (value: number) => number): void {
    const { times, values } = this.#kept
    for (let slot = 0; slot < times.length; slot++) {
      if (!Number.isNaN(times[slot])) values[slot] = newValue(values[slot] as number)
    }
  }
}

function noValues(slots: number): PlacedValues {
  return {
    times: new Float64Array(slots).fill(Number.NaN),
    partitions: new Int32Array(slots),
    offsets: new Float64Array(slots),
    values: new Float64Array(slots),
  }
}

function offerRows(
  kept: PlacedValues,
  byRow: Float64Array,
  rowTimes: Float64Array,
  rowOffsets: Float64Array,
  partition: number,
  rows: Int32Array,
  slots: Int32Array,
  count: number,
  sign: 1 | -1,
): void {
  const { times, partitions, offsets, values } = kept
  for (let index = 0; index < count; index++) {
    const row = rows[index] as number
    const value = byRow[row] as number
    if (Number.isNaN(value)) continue
    const slot = slots[index] as number
    const timeMs = rowTimes[row] as number
    const offset = rowOffsets[row] as number
    if (!wins(sign, timeMs, partition, offset, times[slot], partitions[slot], offsets[slot])) continue
    times[slot] = timeMs
    partitions[slot] = partition
    offsets[slot] = offset
    // -0 and 0 are one value.
    values[slot] = value + 0
  }
}

function offerSlots(
  kept: PlacedValues,
  offered: PlacedValues,
  from: Int32Array,
  to: Int32Array,
  count: number,
  sign: 1 | -1,
): void {
  const { times, partitions, offsets, values } = kept
  for (let index = 0; index < count; index++) {
    const other = from[index] as number
    const slot = to[index] as number
    const timeMs = offered.times[other] as number
    if (Number.isNaN(timeMs)) continue
    const partition = offered.partitions[other] as number
    const offset = offered.offsets[other] as number
    if (!wins(sign, timeMs, partition, offset, times[slot], partitions[slot], offsets[slot])) continue
    times[slot] = timeMs
    partitions[slot] = partition
    offsets[slot] = offset
    values[slot] = offered.values[other] as number
  }
}

/** Whether a row goes before (behind, for sign -1) the one that is kept. Anything wins against none, whose time is NaN. */
function wins(
  sign: 1 | -1,
  timeMs: number,
  partition: number,
  offset: number,
  keptMs: number,
  keptPartition: number,
  keptOffset: number,
): boolean {
  if (timeMs !== keptMs) return !((timeMs - keptMs) * sign >= 0)
  if (partition !== keptPartition) return (partition - keptPartition) * sign < 0
  return (offset - keptOffset) * sign < 0
}
