import { ByteWriter } from '../../base/bytes.ts'
import { RowChange } from '../../batch/result-batch.ts'
import type { Field } from '../../batch/schema.ts'
import type { OutputMode } from '../../plan/connectors.ts'
import type { KeyTable } from '../keys/key-table.ts'
import type { OperatorResults, WindowBounds } from '../operator.ts'
import type { Pane } from './pane.ts'
import { ResultRows, type SlotResult } from './result-rows.ts'

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
  readonly #keys: KeyTable
  readonly #showUntouched: boolean
  readonly #append: ResultRows | undefined
  readonly #update: ResultRows | undefined
  readonly #complete: ResultRows | undefined

  constructor(
    modes: readonly OutputMode[],
    fields: readonly Field[],
    keyCount: number,
    keys: KeyTable,
    showUntouched: boolean,
    boundCount = 2,
  ) {
    const rows = (changes?: ByteWriter): ResultRows => new ResultRows(fields, boundCount, keyCount, changes)
    this.#keys = keys
    this.#showUntouched = showUntouched
    if (modes.includes('append')) this.#append = rows()
    if (modes.includes('update')) this.#update = rows(new ByteWriter(256))
    if (modes.includes('complete')) this.#complete = rows()
  }

  /** Whether a window that stays open is worth looking at. */
  wantsOpen({ panes }: { readonly panes: readonly Pane[] }): boolean {
    return this.#complete !== undefined || (this.#update !== undefined && panes.some((pane) => pane.changed))
  }

  get wantsAllGroups(): boolean {
    return this.#complete !== undefined
  }

  closed(window: WindowBounds, view: WindowView): void {
    for (const slot of view.slots) {
      const keyId = view.keyId(slot)
      add(this.#append, window, this.#keys.bytes(keyId), view, slot)
      if (this.#showUntouched || view.changed(keyId)) {
        add(this.#update, window, this.#keys.bytes(keyId), view, slot, RowChange.final)
      }
      add(this.#complete, window, this.#keys.bytes(keyId), view, slot)
    }
  }

  open(window: WindowBounds, view: WindowView): void {
    for (const slot of view.slots) {
      const keyId = view.keyId(slot)
      if (view.changed(keyId)) add(this.#update, window, this.#keys.bytes(keyId), view, slot, RowChange.updated)
      add(this.#complete, window, this.#keys.bytes(keyId), view, slot)
    }
  }

  finish(): OperatorResults {
    return {
      ...(this.#append && { append: this.#append.finish() }),
      ...(this.#update && { update: this.#update.finish() }),
      ...(this.#complete && { complete: this.#complete.finish() }),
    }
  }
}

function add(
  rows: ResultRows | undefined,
  { startMs, endMs }: WindowBounds,
  key: Uint8Array,
  view: WindowView,
  slot: number,
  change = 0,
): void {
  rows?.add([startMs, endMs], key, view.states, slot, change)
}
