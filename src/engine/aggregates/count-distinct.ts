import { compareBytes } from '../../base/bytes.ts'
import { ValueIds } from '../value-ids.ts'
import type { AggregateState, Aggregator } from './aggregate.ts'
import { PairSet } from './pair-set.ts'

/** Exact number of different values. State: the set of (group, value) pairs of a window, and each group's count. */
export function countDistinct(columnIndex: number, seed: number): Aggregator {
  const ids = new ValueIds([columnIndex], seed)
  let current: Int32Array = new Int32Array(0)
  return {
    begin(batch, rows, count) {
      current = ids.of(batch, rows, count)
    },
    newState: () => distinctState(ids, () => current),
  }
}

function distinctState(ids: ValueIds, current: () => Int32Array): AggregateState {
  const pairs = new PairSet()
  let counts = new Int32Array(64)
  return {
    grow(slotCount) {
      if (slotCount <= counts.length) return
      const grown = new Int32Array(Math.max(slotCount, counts.length * 2))
      grown.set(counts)
      counts = grown
    },
    update(rows, slots, count) {
      const byRow = current()
      for (let index = 0; index < count; index++) {
        const id = byRow[rows[index] as number] as number
        const slot = slots[index] as number
        if (!ids.null(id) && pairs.add(slot, id)) counts[slot] = (counts[slot] as number) + 1
      }
    },
    result(slot, to) {
      to.number(counts[slot] as number)
    },
    snapshot(slot, writer) {
      const values = pairs.valuesOf(slot).map((id) => ids.interner.bytes(id))
      values.sort(compareBytes)
      writer.varint(values.length)
      for (const value of values) writer.bytes(value)
    },
    restore(slot, reader) {
      const count = reader.varint()
      for (let left = count; left > 0; left--) pairs.add(slot, ids.interner.intern(reader.bytes()))
      counts[slot] = count
    },
  }
}
