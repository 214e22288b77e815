import { RowChange } from '../../batch/result-batch.ts'
import type { KeyTable } from '../keys/key-table.ts'
import type { OperatorResults, WindowBounds } from '../operator.ts'
import { ModeRows, type ModeRowsOptions } from './mode-rows.ts'
import type { Pane } from './pane.ts'
import type { ResultRows, SlotResult } from './result-rows.ts'

/** The groups of one window, as they are read out. */
export interface WindowView {
  /** In the order of their keys. */
  readonly slots: Int32Array
  keyId(slot: number): number
  readonly states: readonly SlotResult[]
  /** Whether anything came for the key in this epoch. */
  changed(keyId: number): boolean
}

/** Gathers an operator's rows of one epoch in the modes that were asked for; windows come in the order of their starts. */
export class WindowOutput {
  readonly #rows: ModeRows
  readonly #keys: KeyTable
  readonly #spark: boolean

  constructor(options: ModeRowsOptions & { readonly spark: boolean }, keys: KeyTable, epoch: number) {
    this.#rows = new ModeRows(options, epoch)
    this.#keys = keys
    this.#spark = options.spark
  }

  /** Whether a window that stays open is worth looking at. */
  wantsOpen({ panes }: { readonly panes: readonly Pane[] }): boolean {
    return this.wantsAllGroups || (this.#rows.update !== undefined && panes.some((pane) => pane.changed))
  }

  get wantsAllGroups(): boolean {
    return this.#rows.complete !== undefined
  }

  closed(window: WindowBounds, view: WindowView): void {
    const bounds = [window.startMs, window.endMs]
    const { append, update, complete } = this.#rows
    append?.addAll(bounds, view, this.#keys)
    // Spark does not show a window again that closes untouched.
    const changed = (slot: number): boolean => view.changed(view.keyId(slot))
    update?.addAll(bounds, this.#spark ? { ...view, slots: view.slots.filter(changed) } : view, this.#keys)
    complete?.addAll(bounds, view, this.#keys)
  }

  open(window: WindowBounds, view: WindowView): void {
    for (const slot of view.slots) {
      const keyId = view.keyId(slot)
      const key = this.#keys.bytes(keyId)
      if (view.changed(keyId)) add(this.#rows.update, window, key, view, slot, RowChange.updated)
      add(this.#rows.complete, window, key, view, slot, RowChange.updated)
    }
  }

  finish(): OperatorResults {
    return this.#rows.finish()
  }
}

function add(
  rows: ResultRows | undefined,
  { startMs, endMs }: WindowBounds,
  key: Uint8Array,
  view: WindowView,
  slot: number,
  change: number = RowChange.final,
): void {
  rows?.add([startMs, endMs], key, view.states, slot, change)
}
