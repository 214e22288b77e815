import { assert } from '../../base/assert.ts'
import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import { IdSets } from '../keys/id-sets.ts'
import type { GroupOrder } from '../operator.ts'
import type { AggregateState } from './aggregate.ts'
import type { ColumnValues } from './column-values.ts'

/** The set of value ids of each group. */
export class DistinctState implements AggregateState {
  readonly sets: IdSets = new IdSets()
  readonly #values: ColumnValues

  constructor(values: ColumnValues) {
    this.#values = values
  }

  grow(slotCount: number): void {
    this.sets.grow(slotCount)
  }

  update(rows: Int32Array, slots: Int32Array, count: number): void {
    const { byRow, ids } = this.#values
    this.sets.addRows(byRow, rows, slots, count, ids.interner.size)
  }

  fold(other: AggregateState, from: Int32Array, to: Int32Array, count: number): void {
    assert(other instanceof DistinctState, 'states of one aggregate are folded')
    for (let index = 0; index < count; index++) {
      const slot = to[index] as number
      other.sets.each(from[index] as number, (id) => this.sets.add(slot, id))
    }
  }

  clear(slot: number): void {
    this.sets.clear(slot)
  }

  result(slot: number, to: ColumnBuilder): void {
    to.number(this.sets.count(slot))
  }

  write(slots: Int32Array, count: number, writer: ByteWriter, order: GroupOrder = 'canonical'): void {
    const { interner } = this.#values.ids
    for (let index = 0; index < count; index++) {
      const slot = slots[index] as number
      writer.varint(this.sets.count(slot))
      if (order === 'canonical') {
        const ids: number[] = []
        this.sets.each(slot, (id) => ids.push(id))
        ids.sort((left, right) => interner.compare(left, right))
        for (const id of ids) interner.write(id, writer)
      } else this.sets.each(slot, (id) => interner.write(id, writer))
    }
  }

  merge(slots: Int32Array, count: number, reader: ByteReader): void {
    const { interner } = this.#values.ids
    for (let index = 0; index < count; index++) {
      const slot = slots[index] as number
      for (let left = reader.varint(); left > 0; left--) this.sets.add(slot, interner.read(reader))
    }
  }
}
