import { type AggregateState, type Aggregator, grownNumbers } from './aggregate.ts'

/** Number of rows. State: one number per group. */
export function count(): Aggregator {
  return { begin() {}, newState: countState }
}

function countState(): AggregateState {
  let counts = new Float64Array(64)
  return {
    grow(slotCount) {
      counts = grownNumbers(counts, slotCount)
    },
    update(_rows, slots, count) {
      countBySlot(counts, slots, count)
    },
    result(slot, to) {
      to.number(counts[slot] as number)
    },
    snapshot(slot, writer) {
      writer.varint(counts[slot] as number)
    },
    restore(slot, reader) {
      counts[slot] = reader.varint()
    },
  }
}

function countBySlot(counts: Float64Array, slots: Int32Array, count: number): void {
  for (let index = 0; index < count; index++) {
    const slot = slots[index] as number
    counts[slot] = (counts[slot] as number) + 1
  }
}
