import type { Batch } from '../../batch/batch.ts'
import type { Field } from '../../batch/schema.ts'
import type { SessionWindow } from '../../plan/window.ts'
import { compilePredicate, type Predicate, TRUE } from '../predicate.ts'
import type { SessionTable } from './session-table.ts'

/** Finds the sessions that end before their gap is over: by an event that says so, or because they are too long. */
export class SessionEnds {
  /** Whether the end depends on more than the times of a session's first and last event. */
  readonly countsOrListens: boolean
  readonly #table: SessionTable
  readonly #endWhen: Predicate | undefined
  readonly #durationMaxMs: number
  readonly #eventsMax: number
  /** Sessions to be looked at when the epoch ends. */
  readonly #candidates = new Set<number>()
  /** By row of the current batch: true for events that end their session. */
  #ending: Uint8Array | undefined

  constructor({ endWhen, durationMaxMs, eventsMax }: SessionWindow, table: SessionTable, fields: readonly Field[]) {
    this.#table = table
    this.#endWhen = endWhen && compilePredicate(endWhen, fields)
    this.#durationMaxMs = durationMaxMs ?? Number.POSITIVE_INFINITY
    this.#eventsMax = eventsMax ?? Number.POSITIVE_INFINITY
    this.countsOrListens = endWhen !== undefined || this.#eventsMax < Number.POSITIVE_INFINITY
  }

  /** Before rows of a batch are noted. */
  begin(batch: Batch): void {
    this.#ending = this.#endWhen?.(batch)
  }

  /** Rows have gone to the sessions at `slots`. */
  note(times: Float64Array, rows: Int32Array, slots: Int32Array): void {
    if (this.#ending) this.#noteEnds(this.#ending, times, rows, slots)
    if (this.#eventsMax < Number.POSITIVE_INFINITY) this.#countEvents(slots)
  }

  /** A session has got values from elsewhere. */
  look(slot: number): void {
    if (this.#endsEarly(slot)) this.#candidates.add(slot)
  }

  becomesPartOf(gone: number, kept: number): void {
    this.#table.overlong.delete(gone)
    if (this.#candidates.delete(gone)) this.#candidates.add(kept)
  }

  forget(slot: number): void {
    this.#table.overlong.delete(slot)
    this.#candidates.delete(slot)
  }

  /** The sessions that end in this epoch though they are not due. */
  take(due: readonly number[]): number[] {
    const { overlong } = this.#table
    for (const slot of overlong) this.#candidates.add(slot)
    overlong.clear()
    if (this.#candidates.size === 0) return []
    const dueNow = new Set(due)
    const early = [...this.#candidates].filter((slot) => !dueNow.has(slot) && this.#endsEarly(slot))
    this.#candidates.clear()
    return early
  }

  #noteEnds(ending: Uint8Array, times: Float64Array, rows: Int32Array, slots: Int32Array): void {
    const { endedAts } = this.#table
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index] as number
      if (ending[row] !== TRUE) continue
      const slot = slots[index] as number
      endedAts[slot] = Math.max(endedAts[slot] as number, times[row] as number)
      this.#candidates.add(slot)
    }
  }

  #countEvents(slots: Int32Array): void {
    const { events } = this.#table
    for (let index = 0; index < slots.length; index++) {
      const slot = slots[index] as number
      events[slot] = (events[slot] as number) + 1
      if ((events[slot] as number) > this.#eventsMax) this.#candidates.add(slot)
    }
  }

  /** An end that later events have overtaken does not count. */
  #endsEarly(slot: number): boolean {
    return (this.#table.endedAts[slot] as number) >= this.#table.lastMs(slot) || this.#overfull(slot)
  }

  #overfull(slot: number): boolean {
    const table = this.#table
    if (table.lastMs(slot) - table.startMs(slot) > this.#durationMaxMs) return true
    return (table.events[slot] as number) > this.#eventsMax
  }
}
