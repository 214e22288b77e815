import { grownInts, grownNumbers } from '../aggregates/aggregate.ts'
import { SessionTimers } from './session-timers.ts'

/**
 * Sessions by slot, and a list of them for each key. A session is [first event, last event]; two of a key are one when no more than the
 * gap lies between them. A closed one that was ended early stays as a mark, so that nothing older can open it again.
 *
 *   key id -> newest slot -> next slot -> ...        slot: start | last | key id | next | ...
 */
export class SessionTable {
  readonly gapMs: number
  starts: Float64Array<ArrayBuffer> = new Float64Array(64)
  lasts: Float64Array<ArrayBuffer> = new Float64Array(64)
  keyIds: Int32Array<ArrayBuffer> = new Int32Array(64)
  /** 1 in a session that was closed early, see above. */
  marks: Uint8Array<ArrayBuffer> = new Uint8Array(64)
  /** Time of the newest event that says that the session ends; -Infinity for none. */
  endedAts: Float64Array<ArrayBuffer> = new Float64Array(64)
  events: Float64Array<ArrayBuffer> = new Float64Array(64)
  /** Start under which update mode has shown the session last; NaN when it never has. */
  shownStarts: Float64Array<ArrayBuffer> = new Float64Array(64)
  readonly timers: SessionTimers
  /** Sessions that have become longer than they may be; whoever looks at them takes them out. */
  readonly overlong: Set<number> = new Set()
  readonly #durationMaxMs: number
  /** Slot + 1 of a key's newest session, by key id. */
  #heads = new Int32Array(64)
  /** Slot + 1 of the next session of the same key. */
  #nexts = new Int32Array(64)
  readonly #freed: number[] = []
  #slotCount = 0

  constructor(gapMs: number, durationMaxMs: number) {
    this.gapMs = gapMs
    this.#durationMaxMs = durationMaxMs
    this.timers = new SessionTimers(gapMs)
  }

  /** Slots below it have been given out. */
  get slotCount(): number {
    return this.#slotCount
  }

  /** Sessions and marks. */
  get size(): number {
    return this.#slotCount - this.#freed.length
  }

  /**
   * The key's newest session if an event at this time belongs to it and to no other, else -1: the usual case, without a search. The
   * session then reaches to the event.
   */
  extendNewest(keyId: number, timeMs: number): number {
    const slot = (keyId < this.#heads.length ? (this.#heads[keyId] as number) : 0) - 1
    if (slot < 0 || this.#nexts[slot] !== 0 || this.marks[slot] === 1) return -1
    const startMs = this.starts[slot] as number
    const lastMs = this.lasts[slot] as number
    if (timeMs < startMs - this.gapMs || timeMs > lastMs + this.gapMs) return -1
    this.extend(slot, timeMs, timeMs)
    return slot
  }

  /** A new session or mark that no list knows yet. */
  add(keyId: number, startMs: number, lastMs: number): number {
    const slot = this.#freed.pop() ?? this.#slotCount++
    if (slot >= this.starts.length) this.#grow(slot + 1)
    this.starts[slot] = startMs
    this.lasts[slot] = lastMs
    this.keyIds[slot] = keyId
    this.marks[slot] = 0
    this.endedAts[slot] = Number.NEGATIVE_INFINITY
    this.events[slot] = 0
    this.shownStarts[slot] = Number.NaN
    this.#nexts[slot] = 0
    return slot
  }

  /** Sessions of the key that belong together with one from start to last. */
  neighbours(keyId: number, startMs: number, lastMs: number): number[] {
    const found: number[] = []
    for (const slot of this.ofKey(keyId)) {
      if (this.marks[slot] === 1) continue
      const near =
        (this.lasts[slot] as number) + this.gapMs >= startMs && (this.starts[slot] as number) <= lastMs + this.gapMs
      if (near) found.push(slot)
    }
    return found
  }

  /** Whether a session that was closed early stands in the way of an event. */
  inMark(keyId: number, timeMs: number): boolean {
    const { marks, starts, lasts, gapMs } = this
    return this.ofKey(keyId).some(
      (slot) => marks[slot] === 1 && timeMs >= (starts[slot] as number) - gapMs && timeMs <= (lasts[slot] as number),
    )
  }

  /** The session reaches at least from start to last. */
  extend(slot: number, startMs: number, lastMs: number): void {
    if (startMs < (this.starts[slot] as number)) this.starts[slot] = startMs
    if (lastMs > (this.lasts[slot] as number)) this.lasts[slot] = lastMs
    if ((this.lasts[slot] as number) - (this.starts[slot] as number) > this.#durationMaxMs) this.overlong.add(slot)
  }

  /** Slots of a key's sessions and marks, newest first. */
  ofKey(keyId: number): number[] {
    const slots: number[] = []
    let place = keyId < this.#heads.length ? (this.#heads[keyId] as number) : 0
    while (place > 0) {
      slots.push(place - 1)
      place = this.#nexts[place - 1] as number
    }
    return slots
  }

  /** Puts a session into its key's list and starts its timer. */
  link(slot: number): void {
    const keyId = this.keyIds[slot] as number
    this.#heads = grownInts(this.#heads, keyId + 1)
    this.#nexts[slot] = this.#heads[keyId] as number
    this.#heads[keyId] = slot + 1
    this.timers.start(slot, (this.lasts[slot] as number) + this.gapMs)
  }

  /** Takes a session out of its key's list, and gives its slot back. */
  remove(slot: number): void {
    this.#unlink(slot)
    this.timers.stop(slot)
    this.#freed.push(slot)
  }

  #unlink(slot: number): void {
    const keyId = this.keyIds[slot] as number
    const next = this.#nexts[slot] as number
    if (this.#heads[keyId] === slot + 1) {
      this.#heads[keyId] = next
      return
    }
    for (let place = this.#heads[keyId] as number; place > 0; place = this.#nexts[place - 1] as number) {
      if (this.#nexts[place - 1] === slot + 1) this.#nexts[place - 1] = next
    }
  }

  /** Every session and mark, in no order. */
  slots(): Int32Array {
    const free = new Set(this.#freed)
    const slots = new Int32Array(this.size)
    let count = 0
    for (let slot = 0; slot < this.#slotCount; slot++) if (!free.has(slot)) slots[count++] = slot
    return slots
  }

  /** Gives every key another id. */
  renumber(newId: (keyId: number) => number): void {
    const heads = this.#heads
    this.#heads = new Int32Array(64)
    for (const head of heads) {
      if (head === 0) continue
      const keyId = newId(this.keyIds[head - 1] as number)
      this.#heads = grownInts(this.#heads, keyId + 1)
      this.#heads[keyId] = head
      for (let place = head; place > 0; place = this.#nexts[place - 1] as number) this.keyIds[place - 1] = keyId
    }
  }

  #grow(count: number): void {
    this.starts = grownNumbers(this.starts, count)
    this.lasts = grownNumbers(this.lasts, count)
    this.keyIds = grownInts(this.keyIds, count)
    this.#nexts = grownInts(this.#nexts, count)
    this.endedAts = grownNumbers(this.endedAts, count)
    this.events = grownNumbers(this.events, count)
    this.shownStarts = grownNumbers(this.shownStarts, count)
    const marks = new Uint8Array(this.starts.length)
    marks.set(this.marks)
    this.marks = marks
  }
}
