import { assert } from '../../base/assert.ts'
import type { AggregateState, RunningState } from './aggregate.ts'

/** A running window of an aggregate that can take out what it has taken in, such as a sum. */
export function subtracting(state: AggregateState): RunningState {
  assert(state.unfold, 'the aggregate can take out what it has folded in')
  return {
    grow: (slotCount) => state.grow(slotCount),
    enter: (_pane, other, from, to, count) => state.fold(other, from, to, count),
    leave: (_pane, other, from, to, count) => state.unfold?.(other, from, to, count),
    update: (_pane, rows, slots, count) => state.update(rows, slots, count),
    clear: (slot) => state.clear(slot),
    result: (slot, to) => state.result(slot, to),
    ...(state.results && { results: (slots, to) => state.results?.(slots, to) }),
  }
}
