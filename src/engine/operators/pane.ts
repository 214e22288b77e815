import { type AggregateState, grownInts } from '../aggregates/aggregate.ts'
import { SlotTable } from '../keys/slot-table.ts'

/** A stretch of time with the groups that have rows in it, and the aggregates' values by the group's slot. */
export class Pane {
  readonly startMs: number
  readonly states: readonly AggregateState[]
  readonly slots: SlotTable = new SlotTable()
  /** 1 by slot where something came in this epoch; kept only when somebody asks for changes. */
  #changed: Uint8Array<ArrayBuffer> | undefined
  #anyChanged = false
  /** Rows of the current batch that fall into this pane. */
  #rows: Int32Array<ArrayBuffer> = new Int32Array(0)
  #rowCount = 0

  constructor(startMs: number, states: readonly AggregateState[], trackChanges: boolean) {
    this.startMs = startMs
    this.states = states
    this.#changed = trackChanges ? new Uint8Array(64) : undefined
  }

  get size(): number {
    return this.slots.size
  }

  get changed(): boolean {
    return this.#anyChanged
  }

  get rows(): Int32Array {
    return this.#rows
  }

  get rowCount(): number {
    return this.#rowCount
  }

  /** Puts rows of the batch aside for this pane. */
  addRows(rows: Int32Array, from: number, to: number): void {
    const count = to - from
    this.#rows = grownInts(this.#rows, this.#rowCount + count)
    for (let index = 0; index < count; index++) this.#rows[this.#rowCount + index] = rows[from + index] as number
    this.#rowCount += count
  }

  clearRows(): void {
    this.#rowCount = 0
  }

  /** Slots of the groups whose keys are wanted. */
  slotsOf(wanted: (keyId: number) => boolean): Int32Array {
    const slots = new Int32Array(this.size)
    let count = 0
    for (let slot = 0; slot < this.size; slot++) if (wanted(this.slots.keyId(slot))) slots[count++] = slot
    return slots.subarray(0, count)
  }

  /** Adds groups of another pane of the same operator, by their slots there. */
  fold(other: Pane, from: Int32Array): void {
    const to = from.map((slot) => this.slots.slot(other.slots.keyId(slot)))
    this.grow()
    for (const [index, state] of this.states.entries()) {
      state.fold(other.states[index] as AggregateState, from, to, from.length)
    }
    this.markChanged(to, to.length)
  }

  /** Makes room for every slot that was given. */
  grow(): void {
    for (const state of this.states) state.grow(this.slots.size)
  }

  markChanged(slots: Int32Array, count: number): void {
    if (!this.#changed || count === 0) return
    if (this.#changed.length < this.slots.size) {
      const grown = new Uint8Array(this.slots.size * 2)
      grown.set(this.#changed)
      this.#changed = grown
    }
    this.#anyChanged = true
    for (let index = 0; index < count; index++) this.#changed[slots[index] as number] = 1
  }

  slotChanged(slot: number): boolean {
    return this.#anyChanged && this.#changed?.[slot] === 1
  }

  clearChanges(): void {
    this.#changed?.fill(0)
    this.#anyChanged = false
  }
}
