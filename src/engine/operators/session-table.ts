import { grownInts, grownNumbers } from '../aggregates/aggregate.ts'
import { SessionTimers } from './session-timers.ts'

/** Key of a slot that was given back. */
const NO_KEY = -1

/**
 * Sessions by slot, and a list of them for each key. A session is [first event, last event]; two of a key are one when no more than the
 * gap lies between them. A closed one that was ended early stays as a mark, so that nothing older can open it again.
 *
 *   key id -> newest slot -> next slot -> ...        slot: start, last | key id | next | ...
 */
export class SessionTable {
  readonly gapMs: number
  keyIds: Int32Array<ArrayBuffer> = new Int32Array(64)
  /** 1 in a session that was closed early, see above. To be set by `mark`, or before `link`. */
  marks: Uint8Array<ArrayBuffer> = new Uint8Array(64)
  /** Time of the newest event that says that the session ends; -Infinity for none. */
  endedAts: Float64Array<ArrayBuffer> = new Float64Array(64)
  events: Float64Array<ArrayBuffer> = new Float64Array(64)
  /** Start under which update mode has shown the session last; NaN when it never has. */
  shownStarts: Float64Array<ArrayBuffer> = new Float64Array(64)
  readonly timers: SessionTimers
  /** When sessions may have become too long, as far as anybody's events go; undefined when nobody asks. */
  readonly #ageTimers: SessionTimers | undefined
  /** Sessions that have become longer than they may be; whoever looks at them takes them out. */
  readonly overlong: Set<number> = new Set()
  readonly #durationMaxMs: number
  /** First and last event, side by side: both are looked at for every row, and a look at memory costs more than all else. */
  #spans = new Float64Array(128)
  /** Slot + 1 of a key's newest session, by key id; negative when the key has another one or a mark. */
  #heads = new Int32Array(64)
  /** Slot + 1 of the next session of the same key. */
  #nexts = new Int32Array(64)
  readonly #freed: number[] = []
  #slotCount = 0

  /** `shared` when others have parts of the same sessions. */
  constructor(gapMs: number, durationMaxMs: number, shared: boolean) {
    this.gapMs = gapMs
    this.#durationMaxMs = durationMaxMs
    this.timers = new SessionTimers(gapMs)
    if (shared && durationMaxMs < Number.POSITIVE_INFINITY) this.#ageTimers = new SessionTimers(durationMaxMs)
  }

  /** Slots below it have been given out. */
  get slotCount(): number {
    return this.#slotCount
  }

  /** Sessions and marks. */
  get size(): number {
    return this.#slotCount - this.#freed.length
  }

  startMs(slot: number): number {
    return this.#spans[2 * slot] as number
  }

  lastMs(slot: number): number {
    return this.#spans[2 * slot + 1] as number
  }

  setSpan(slot: number, startMs: number, lastMs: number): void {
    this.#spans[2 * slot] = startMs
    this.#spans[2 * slot + 1] = lastMs
  }

  /**
   * Extends sessions to rows, from <= index < count, and writes their slots, as long as a row belongs to the only session of its key:
   * the usual case, without a search. Gives the index of the first row for which that is not so.
   */
  extendOnly(
    keyIds: Int32Array,
    times: Float64Array,
    rows: Int32Array,
    from: number,
    count: number,
    slots: Int32Array,
  ): number {
    const heads = this.#heads
    const spans = this.#spans
    const { gapMs } = this
    const durationMaxMs = this.#durationMaxMs
    const aging = this.#ageTimers !== undefined
    for (let index = from; index < count; index++) {
      const row = rows[index] as number
      const keyId = keyIds[row] as number
      const slot = (keyId < heads.length ? (heads[keyId] as number) : 0) - 1
      if (slot < 0) return index
      const timeMs = times[row] as number
      const startMs = spans[2 * slot] as number
      const lastMs = spans[2 * slot + 1] as number
      if (timeMs > lastMs) {
        if (timeMs - lastMs > gapMs || timeMs - startMs > durationMaxMs) return index
        spans[2 * slot + 1] = timeMs
      } else if (timeMs < startMs) {
        if (startMs - timeMs > gapMs || lastMs - timeMs > durationMaxMs || aging) return index
        spans[2 * slot] = timeMs
      }
      slots[index] = slot
    }
    return count
  }

  /** A new session or mark that no list knows yet. */
  add(keyId: number, startMs: number, lastMs: number): number {
    const slot = this.#freed.pop() ?? this.#slotCount++
    if (slot >= this.keyIds.length) this.#grow(slot + 1)
    this.setSpan(slot, startMs, lastMs)
    this.keyIds[slot] = keyId
    this.marks[slot] = 0
    this.endedAts[slot] = Number.NEGATIVE_INFINITY
    this.events[slot] = 0
    this.shownStarts[slot] = Number.NaN
    this.#nexts[slot] = 0
    return slot
  }

  /** The only session of the key if it belongs together with one from start to last; -1 when it does not, or there are others. */
  onlyNear(keyId: number, startMs: number, lastMs: number): number {
    const slot = (keyId < this.#heads.length ? (this.#heads[keyId] as number) : 0) - 1
    if (slot < 0 || this.lastMs(slot) + this.gapMs < startMs || this.startMs(slot) > lastMs + this.gapMs) return -1
    return slot
  }

  /** Sessions of the key that belong together with one from start to last. */
  neighbours(keyId: number, startMs: number, lastMs: number): number[] {
    const found: number[] = []
    for (const slot of this.ofKey(keyId)) {
      if (this.marks[slot] === 1) continue
      if (this.lastMs(slot) + this.gapMs >= startMs && this.startMs(slot) <= lastMs + this.gapMs) found.push(slot)
    }
    return found
  }

  /** Whether a session that was closed early stands in the way of an event. */
  inMark(keyId: number, timeMs: number): boolean {
    const isIn = (slot: number): boolean =>
      this.marks[slot] === 1 && timeMs >= this.startMs(slot) - this.gapMs && timeMs <= this.lastMs(slot)
    return this.ofKey(keyId).some(isIn)
  }

  /** The session reaches at least from start to last. */
  extend(slot: number, startMs: number, lastMs: number): void {
    if (startMs < this.startMs(slot)) this.#ageTimers?.start(slot, startMs + this.#durationMaxMs)
    this.setSpan(slot, Math.min(startMs, this.startMs(slot)), Math.max(lastMs, this.lastMs(slot)))
    if (this.lastMs(slot) - this.startMs(slot) > this.#durationMaxMs) this.overlong.add(slot)
  }

  /** Slots of a key's sessions and marks, newest first. */
  ofKey(keyId: number): number[] {
    const slots: number[] = []
    let place = keyId < this.#heads.length ? Math.abs(this.#heads[keyId] as number) : 0
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
    this.#nexts[slot] = Math.abs(this.#heads[keyId] as number)
    this.#setHead(keyId, slot + 1)
    this.timers.start(slot, this.lastMs(slot) + this.gapMs)
    this.#ageTimers?.start(slot, this.startMs(slot) + this.#durationMaxMs)
  }

  /** The session was closed early, and stays as a mark. */
  mark(slot: number): void {
    this.marks[slot] = 1
    const keyId = this.keyIds[slot] as number
    this.#setHead(keyId, Math.abs(this.#heads[keyId] as number))
  }

  /** Takes a session out of its key's list, and gives its slot back. */
  remove(slot: number): void {
    this.#unlink(slot)
    this.timers.stop(slot)
    this.#ageTimers?.stop(slot)
    this.keyIds[slot] = NO_KEY
    this.#freed.push(slot)
  }

  #unlink(slot: number): void {
    const keyId = this.keyIds[slot] as number
    const next = this.#nexts[slot] as number
    const head = Math.abs(this.#heads[keyId] as number)
    for (let place = head; place > 0; place = this.#nexts[place - 1] as number) {
      if (this.#nexts[place - 1] === slot + 1) this.#nexts[place - 1] = next
    }
    this.#setHead(keyId, head === slot + 1 ? next : head)
  }

  #setHead(keyId: number, place: number): void {
    const only = place === 0 || (this.#nexts[place - 1] === 0 && this.marks[place - 1] === 0)
    this.#heads[keyId] = only ? place : -place
  }

  /** Every session and mark, in no order. */
  slots(): Int32Array {
    const slots = new Int32Array(this.size)
    let count = 0
    for (let slot = 0; slot < this.#slotCount; slot++) if (this.keyIds[slot] !== NO_KEY) slots[count++] = slot
    return slots
  }

  /** First and last event of all sessions; there is at least one. */
  bounds(): readonly [number, number] {
    const spans = this.#spans
    let firstMs = Number.POSITIVE_INFINITY
    let lastMs = Number.NEGATIVE_INFINITY
    for (let slot = 0; slot < this.#slotCount; slot++) {
      if (this.keyIds[slot] === NO_KEY || this.marks[slot] === 1) continue
      firstMs = Math.min(firstMs, spans[2 * slot] as number)
      lastMs = Math.max(lastMs, spans[2 * slot + 1] as number)
    }
    return [firstMs, lastMs]
  }

  /** Sessions whose gap is over at a time, and those that may be too long once they reach to the newest event; they go on waiting. */
  mayClose(timeMs: number, newestMs: number): number[] {
    const deadline = (slot: number): number => this.lastMs(slot) + this.gapMs
    const due = this.timers.due(timeMs, deadline)
    for (const slot of due) this.timers.start(slot, deadline(slot))
    const age = (slot: number): number => this.startMs(slot) + this.#durationMaxMs
    const old = this.#ageTimers?.due(newestMs, age) ?? []
    for (const slot of old) this.#ageTimers?.start(slot, age(slot))
    return due.concat(old)
  }

  /** Gives every key another id. */
  renumber(newId: (keyId: number) => number): void {
    const heads = this.#heads
    this.#heads = new Int32Array(64)
    for (const head of heads) {
      if (head === 0) continue
      const keyId = newId(this.keyIds[Math.abs(head) - 1] as number)
      this.#heads = grownInts(this.#heads, keyId + 1)
      this.#heads[keyId] = head
      for (let place = Math.abs(head); place > 0; place = this.#nexts[place - 1] as number) {
        this.keyIds[place - 1] = keyId
      }
    }
  }

  #grow(count: number): void {
    this.#spans = grownNumbers(this.#spans, 2 * count)
    this.keyIds = grownInts(this.keyIds, count)
    this.#nexts = grownInts(this.#nexts, count)
    this.endedAts = grownNumbers(this.endedAts, count)
    this.events = grownNumbers(this.events, count)
    this.shownStarts = grownNumbers(this.shownStarts, count)
    const marks = new Uint8Array(this.keyIds.length)
    marks.set(this.marks)
    this.marks = marks
  }
}
