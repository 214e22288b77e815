import { assert } from '../../base/assert.ts'
import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import { SlotCounts } from '../keys/slot-counts.ts'
import type { GroupOrder } from '../operator.ts'
import type { AggregateState } from './aggregate.ts'

/** What is counted per group, by number. */
export interface CountedValues {
  /** Number of each row's value in the current batch; negative for null. */
  readonly byRow: Int32Array
  /** No value has a number as large as this. */
  readonly valueCount: number
  /** The order in which values are written. */
  compare(left: number, right: number): number
  write(value: number, writer: ByteWriter): void
  read(reader: ByteReader): number
  /** The result of a group out of its counts. */
  result(counts: SlotCounts, slot: number, approximate: boolean, to: ColumnBuilder): void
}

/** How often each group has which value. It can be taken out again, so that it slides. */
export class ValueCountsState implements AggregateState {
  readonly counts: SlotCounts = new SlotCounts()
  /** By slot of a group that values were left out of: how many such states have come together there. */
  readonly #approximate = new Map<number, number>()
  readonly #values: CountedValues

  constructor(values: CountedValues) {
    this.#values = values
  }

  grow(slotCount: number): void {
    this.counts.grow(slotCount)
  }

  update(rows: Int32Array, slots: Int32Array, count: number): void {
    this.counts.addRows(this.#values.valueCount, this.#values.byRow, rows, slots, count)
  }

  fold(other: AggregateState, from: Int32Array, to: Int32Array, count: number): void {
    this.#addState(other, from, to, count, 1)
  }

  unfold(other: AggregateState, from: Int32Array, to: Int32Array, count: number): void {
    this.#addState(other, from, to, count, -1)
  }

  clear(slot: number): void {
    this.counts.clear(slot)
    this.#approximate.delete(slot)
  }

  result(slot: number, to: ColumnBuilder): void {
    this.#values.result(this.counts, slot, this.#approximate.has(slot), to)
  }

  write(slots: Int32Array, count: number, writer: ByteWriter, order: GroupOrder = 'canonical'): void {
    for (let index = 0; index < count; index++) {
      const slot = slots[index] as number
      const held: [value: number, times: number][] = []
      this.counts.each(slot, (value, times) => held.push([value, times]))
      if (order === 'canonical') held.sort(([left], [right]) => this.#values.compare(left, right))
      writer.u8(this.#approximate.has(slot) ? 1 : 0)
      writer.varint(held.length)
      for (const [value, times] of held) {
        this.#values.write(value, writer)
        writer.varint(times)
      }
    }
  }

  merge(slots: Int32Array, count: number, reader: ByteReader): void {
    for (let index = 0; index < count; index++) {
      const slot = slots[index] as number
      if (reader.u8() === 1) this.#markApproximate(slot, 1)
      for (let left = reader.varint(); left > 0; left--) {
        const value = this.#values.read(reader)
        this.counts.add(slot, value, reader.varint())
      }
    }
  }

  /** Keeps these values of a group and no others; what it gives from now on is approximate. */
  keepOnly(slot: number, kept: readonly { readonly value: number; readonly times: number }[]): void {
    this.counts.clear(slot)
    for (const { value, times } of kept) this.counts.add(slot, value, times)
    if (!this.#approximate.has(slot)) this.#markApproximate(slot, 1)
  }

  #addState(other: AggregateState, from: Int32Array, to: Int32Array, count: number, times: 1 | -1): void {
    assert(other instanceof ValueCountsState, 'states of one aggregate are folded')
    this.counts.addCounts(other.counts, from, to, count, times)
    if (other.#approximate.size === 0) return
    for (let index = 0; index < count; index++) {
      if (other.#approximate.has(from[index] as number)) this.#markApproximate(to[index] as number, times)
    }
  }

  #markApproximate(slot: number, change: 1 | -1): void {
    const marks = (this.#approximate.get(slot) ?? 0) + change
    if (marks === 0) this.#approximate.delete(slot)
    else this.#approximate.set(slot, marks)
  }
}
