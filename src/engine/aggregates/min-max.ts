import { compareBytes } from '../../base/bytes.ts'
import type { Field } from '../../batch/schema.ts'
import { ValueIds } from '../value-ids.ts'
import { type AggregateState, type Aggregator, grownNumbers } from './aggregate.ts'
import { NumberInput } from './number-input.ts'

/** Smallest (`sign` 1) or largest (`sign` -1) value of a column. Numbers and times by value, text by its UTF-8 bytes. */
export function minMax(field: Field, columnIndex: number, sign: 1 | -1, seed: number): Aggregator {
  if (field.type === 'string') return textMinMax(columnIndex, sign, seed)
  const input = new NumberInput(columnIndex)
  return {
    begin: (batch) => input.begin(batch),
    newState: () => numberState(input, sign),
  }
}

function numberState(input: NumberInput, sign: 1 | -1): AggregateState {
  let bests = new Float64Array(64).fill(Number.NaN)
  return {
    grow(slotCount) {
      bests = grownNumbers(bests, slotCount, Number.NaN)
    },
    update(rows, slots, count) {
      for (let index = 0; index < count; index++) {
        const value = (input.values[rows[index] as number] as number) * sign
        const slot = slots[index] as number
        // NaN is "no value yet": every comparison with it is false.
        if (!Number.isNaN(value) && !((bests[slot] as number) * sign <= value)) bests[slot] = value * sign
      }
    },
    result(slot, to) {
      to.number(bests[slot] as number)
    },
    snapshot(slot, writer) {
      writer.f64((bests[slot] as number) + 0)
    },
    restore(slot, reader) {
      bests[slot] = reader.f64()
    },
  }
}

function textMinMax(columnIndex: number, sign: 1 | -1, seed: number): Aggregator {
  const ids = new ValueIds([columnIndex], seed)
  let current: Int32Array = new Int32Array(0)
  return {
    begin(batch, rows, count) {
      current = ids.of(batch, rows, count)
    },
    newState: () => textState(ids, () => current, sign),
  }
}

/** State: the value's id + 1 per group, 0 for none. */
function textState(ids: ValueIds, current: () => Int32Array, sign: 1 | -1): AggregateState {
  let bests = new Int32Array(64)
  const { interner } = ids
  return {
    grow(slotCount) {
      if (slotCount <= bests.length) return
      const grown = new Int32Array(Math.max(slotCount, bests.length * 2))
      grown.set(bests)
      bests = grown
    },
    update(rows, slots, count) {
      const byRow = current()
      for (let index = 0; index < count; index++) {
        const id = byRow[rows[index] as number] as number
        const slot = slots[index] as number
        const best = (bests[slot] as number) - 1
        if (id === best || ids.null(id)) continue
        if (best < 0 || compareBytes(interner.bytes(id), interner.bytes(best)) * sign < 0) bests[slot] = id + 1
      }
    },
    result(slot, to) {
      const best = (bests[slot] as number) - 1
      if (best < 0) to.null()
      else ids.build(best, to)
    },
    snapshot(slot, writer) {
      const best = (bests[slot] as number) - 1
      writer.bytes(best < 0 ? new Uint8Array(0) : interner.bytes(best))
    },
    restore(slot, reader) {
      const bytes = reader.bytes()
      bests[slot] = bytes.length === 0 ? 0 : interner.intern(bytes) + 1
    },
  }
}
