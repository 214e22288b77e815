import { RowChange } from '../../batch/result-batch.ts'
import type { AggregateState } from '../aggregates/aggregate.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import type { KeyTable } from '../keys/key-table.ts'
import type { OperatorResults } from '../operator.ts'
import { ModeRows, type ModeRowsOptions } from './mode-rows.ts'
import { sortedByNumber } from './number-sort.ts'
import type { ResultRows, SlotResult } from './result-rows.ts'
import type { SessionTable } from './session-table.ts'

/** Gathers the sessions of one epoch as rows, sorted by (start, key bytes). */
export class SessionOutput {
  readonly #keys: KeyTable
  readonly #table: SessionTable
  readonly #states: readonly AggregateState[]
  readonly #rows: ModeRows

  constructor(
    options: ModeRowsOptions,
    keys: KeyTable,
    table: SessionTable,
    states: readonly AggregateState[],
    epoch: number,
  ) {
    this.#keys = keys
    this.#table = table
    this.#states = states
    this.#rows = new ModeRows(options, epoch)
    for (const state of states) state.grow(table.slotCount)
  }

  closed(slots: readonly number[]): void {
    for (const slot of this.#sorted(slots)) this.#add(this.#rows.append, slot)
  }

  /** Everything that is open at the end of the epoch, those that close with it included. */
  all(slots: Iterable<number>): void {
    for (const slot of this.#sorted(slots)) this.#add(this.#rows.complete, slot, RowChange.updated)
  }

  /** Update mode: sessions with new values, and those that are not to be found under their old start any more. */
  changed(
    slots: Iterable<number>,
    closing: ReadonlySet<number>,
    vanished: readonly { readonly keyId: number; readonly startMs: number }[],
  ): void {
    const { shownStarts, keyIds } = this.#table
    const rows: Change[] = vanished.map((gone) => ({ ...gone, slot: -1, change: RowChange.deleted }))
    for (const slot of slots) {
      const keyId = keyIds[slot] as number
      const shownMs = shownStarts[slot] as number
      const startMs = this.#table.startMs(slot)
      if (!Number.isNaN(shownMs) && shownMs !== startMs) {
        rows.push({ keyId, startMs: shownMs, slot: -1, change: RowChange.deleted })
      }
      rows.push({ keyId, startMs, slot, change: closing.has(slot) ? RowChange.final : RowChange.updated })
    }
    rows.sort((left, right) => left.startMs - right.startMs || this.#keys.compare(left.keyId, right.keyId))
    for (const { keyId, startMs, slot, change } of rows) {
      if (slot >= 0) this.#add(this.#rows.update, slot, change)
      else
        this.#rows.update?.add([startMs, Number.NaN, Number.NaN], this.#keys.bytes(keyId), this.#nothing(), 0, change)
    }
  }

  finish(): OperatorResults {
    return this.#rows.finish()
  }

  #add(rows: ResultRows | undefined, slot: number, change: number = RowChange.final): void {
    const startMs = this.#table.startMs(slot)
    const lastMs = this.#table.lastMs(slot)
    const key = this.#keys.bytes(this.#table.keyIds[slot] as number)
    rows?.add([startMs, lastMs, lastMs - startMs], key, this.#states, slot, change)
  }

  #nothing(): SlotResult[] {
    return this.#states.map(() => ({ result: (_slot: number, to: ColumnBuilder) => to.null() }))
  }

  /** By start, and among equal ones by key. */
  #sorted(slots: Iterable<number>): Int32Array {
    const table = this.#table
    const sorted = sortedByNumber(Int32Array.from(slots), (slot) => table.startMs(slot))
    for (let from = 0, to = 1; to <= sorted.length; to++) {
      if (to < sorted.length && table.startMs(sorted[from] as number) === table.startMs(sorted[to] as number)) continue
      if (to - from > 1) this.#keys.sort(sorted.subarray(from, to), table.keyIds)
      from = to
    }
    return sorted
  }
}

/** A row of update mode; a deleted one has no slot. */
interface Change {
  readonly keyId: number
  readonly startMs: number
  readonly slot: number
  readonly change: number
}
