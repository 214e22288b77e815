import type { AggregateState } from '../aggregates/aggregate.ts'
import { grownInts } from '../interner.ts'

/** One open window: which keys have a slot in it, and the aggregates' values by slot. Slots are dense, in the order of first sight. */
export class Pane {
  readonly startMs: number
  readonly states: readonly AggregateState[]
  /** Slot + 1 by key id; 0 for a key without one. */
  #slotByKey = new Int32Array(64)
  #keyBySlot = new Int32Array(64)
  #changedMarks = new Uint8Array(64)
  #changed: number[] = []
  #size = 0

  constructor(startMs: number, states: readonly AggregateState[]) {
    this.startMs = startMs
    this.states = states
  }

  get size(): number {
    return this.#size
  }

  get changed(): boolean {
    return this.#changed.length > 0
  }

  /** The key's slot, made when it has none; marks it as changed in this epoch. */
  slot(keyId: number): number {
    while (keyId >= this.#slotByKey.length) this.#slotByKey = grownInts(this.#slotByKey)
    const known = (this.#slotByKey[keyId] as number) - 1
    const slot = known >= 0 ? known : this.#add(keyId)
    if (this.#changedMarks[slot] === 0) {
      this.#changedMarks[slot] = 1
      this.#changed.push(slot)
    }
    return slot
  }

  keyId(slot: number): number {
    return this.#keyBySlot[slot] as number
  }

  changedSlots(): number[] {
    return [...this.#changed]
  }

  clearChanges(): void {
    for (const slot of this.#changed) this.#changedMarks[slot] = 0
    this.#changed = []
  }

  /** Gives every key another id. */
  renumber(newId: (keyId: number) => number): void {
    this.#slotByKey = new Int32Array(64)
    for (let slot = 0; slot < this.#size; slot++) {
      const keyId = newId(this.#keyBySlot[slot] as number)
      this.#keyBySlot[slot] = keyId
      while (keyId >= this.#slotByKey.length) this.#slotByKey = grownInts(this.#slotByKey)
      this.#slotByKey[keyId] = slot + 1
    }
  }

  #add(keyId: number): number {
    const slot = this.#size++
    if (slot >= this.#keyBySlot.length) {
      this.#keyBySlot = grownInts(this.#keyBySlot)
      const marks = new Uint8Array(this.#changedMarks.length * 2)
      marks.set(this.#changedMarks)
      this.#changedMarks = marks
    }
    this.#keyBySlot[slot] = keyId
    this.#slotByKey[keyId] = slot + 1
    return slot
  }
}
