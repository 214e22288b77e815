import type { AggregateState } from '../aggregates/aggregate.ts'
import type { KeyTable } from '../keys/key-table.ts'
import { SlotTable } from '../keys/slot-table.ts'
import type { AggregateInputs } from './aggregate-inputs.ts'
import type { Pane } from './pane.ts'
import type { WindowView } from './window-output.ts'

/** A window that is one pane. */
export function paneView(pane: Pane, keys: KeyTable): WindowView {
  const slots = Int32Array.from({ length: pane.size }, (_, slot) => slot)
  return {
    slots: sortByKey(slots, pane.slots, keys),
    keyId: (slot) => pane.slots.keyId(slot),
    states: pane.states,
    changed: (keyId) => pane.slotChanged(pane.slots.find(keyId)),
  }
}

/** A window folded together from its panes: all its groups, or those that changed in this epoch. */
export function foldedView(
  panes: readonly Pane[],
  keys: KeyTable,
  inputs: AggregateInputs,
  allGroups: boolean,
): WindowView {
  const changed = changedKeys(panes)
  const table = new SlotTable()
  const states = inputs.newStates()
  for (const pane of panes) {
    const from: number[] = []
    const to: number[] = []
    for (let slot = 0; slot < pane.size; slot++) {
      const keyId = pane.slots.keyId(slot)
      if (!allGroups && !changed(keyId)) continue
      from.push(slot)
      to.push(table.slot(keyId))
    }
    for (const [index, state] of states.entries()) {
      state.grow(table.size)
      state.fold(pane.states[index] as AggregateState, Int32Array.from(from), Int32Array.from(to), from.length)
    }
  }
  const slots = Int32Array.from({ length: table.size }, (_, slot) => slot)
  return { slots: sortByKey(slots, table, keys), keyId: (slot) => table.keyId(slot), states, changed }
}

/** Whether something came for a key in any of the panes. */
export function changedKeys(panes: readonly Pane[]): (keyId: number) => boolean {
  const changed = panes.filter((pane) => pane.changed)
  return (keyId) =>
    changed.some((pane) => {
      const slot = pane.slots.find(keyId)
      return slot >= 0 && pane.slotChanged(slot)
    })
}

function sortByKey(slots: Int32Array<ArrayBuffer>, table: SlotTable, keys: KeyTable): Int32Array {
  keys.sort(slots, table.keyIds)
  return slots
}
