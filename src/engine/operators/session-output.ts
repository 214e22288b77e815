import { ByteWriter } from '../../base/bytes.ts'
import { RowChange } from '../../batch/result-batch.ts'
import type { Field } from '../../batch/schema.ts'
import type { OutputMode } from '../../plan/connectors.ts'
import type { AggregateNode } from '../../plan/node.ts'
import type { AggregateState } from '../aggregates/aggregate.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import type { KeyTable } from '../keys/key-table.ts'
import type { OperatorResults } from '../operator.ts'
import { ResultRows, type SlotResult } from './result-rows.ts'
import type { SessionTable } from './session-table.ts'

/** Start, last event, duration. */
const BOUND_COUNT = 3

/** Gathers the sessions of one epoch as rows, sorted by (start, key bytes). */
export class SessionOutput {
  readonly #keys: KeyTable
  readonly #table: SessionTable
  readonly #states: readonly AggregateState[]
  readonly #append: ResultRows | undefined
  readonly #update: ResultRows | undefined
  readonly #complete: ResultRows | undefined

  constructor(
    options: {
      readonly modes: readonly OutputMode[]
      readonly resultFields: readonly Field[]
      readonly node: AggregateNode
    },
    keys: KeyTable,
    table: SessionTable,
    states: readonly AggregateState[],
  ) {
    const { modes, resultFields, node } = options
    const rows = (changes?: ByteWriter): ResultRows =>
      new ResultRows(resultFields, BOUND_COUNT, node.keys.length, changes)
    this.#keys = keys
    this.#table = table
    this.#states = states
    if (modes.includes('append')) this.#append = rows()
    if (modes.includes('update')) this.#update = rows(new ByteWriter(256))
    if (modes.includes('complete')) this.#complete = rows()
    for (const state of states) state.grow(table.slotCount)
  }

  closed(slots: readonly number[]): void {
    for (const slot of this.#sorted(slots)) this.#add(this.#append, slot)
  }

  /** Everything that is open at the end of the epoch, those that close with it included. */
  all(slots: Iterable<number>): void {
    for (const slot of this.#sorted(slots)) this.#add(this.#complete, slot)
  }

  /** Update mode: sessions with new values, and those that are not to be found under their old start any more. */
  changed(
    slots: Iterable<number>,
    closing: ReadonlySet<number>,
    vanished: readonly { readonly keyId: number; readonly startMs: number }[],
  ): void {
    const { shownStarts, starts, keyIds } = this.#table
    const rows: Change[] = vanished.map((gone) => ({ ...gone, slot: -1, change: RowChange.deleted }))
    for (const slot of slots) {
      const keyId = keyIds[slot] as number
      const shownMs = shownStarts[slot] as number
      const startMs = starts[slot] as number
      if (!Number.isNaN(shownMs) && shownMs !== startMs) {
        rows.push({ keyId, startMs: shownMs, slot: -1, change: RowChange.deleted })
      }
      rows.push({ keyId, startMs, slot, change: closing.has(slot) ? RowChange.final : RowChange.updated })
    }
    rows.sort((left, right) => left.startMs - right.startMs || this.#keys.compare(left.keyId, right.keyId))
    for (const { keyId, startMs, slot, change } of rows) {
      if (slot >= 0) this.#add(this.#update, slot, change)
      else this.#update?.add([startMs, Number.NaN, Number.NaN], this.#keys.bytes(keyId), this.#nothing(), 0, change)
    }
  }

  finish(): OperatorResults {
    return {
      ...(this.#append && { append: this.#append.finish() }),
      ...(this.#update && { update: this.#update.finish() }),
      ...(this.#complete && { complete: this.#complete.finish() }),
    }
  }

  #add(rows: ResultRows | undefined, slot: number, change = 0): void {
    const startMs = this.#table.starts[slot] as number
    const lastMs = this.#table.lasts[slot] as number
    const key = this.#keys.bytes(this.#table.keyIds[slot] as number)
    rows?.add([startMs, lastMs, lastMs - startMs], key, this.#states, slot, change)
  }

  #nothing(): SlotResult[] {
    return this.#states.map(() => ({ result: (_slot: number, to: ColumnBuilder) => to.null() }))
  }

  #sorted(slots: Iterable<number>): Int32Array {
    const { starts, keyIds } = this.#table
    return Int32Array.from(slots).sort(
      (left, right) =>
        (starts[left] as number) - (starts[right] as number) ||
        this.#keys.compare(keyIds[left] as number, keyIds[right] as number),
    )
  }
}

/** A row of update mode; a deleted one has no slot. */
interface Change {
  readonly keyId: number
  readonly startMs: number
  readonly slot: number
  readonly change: number
}
