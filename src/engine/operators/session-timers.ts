import { grownInts } from '../aggregates/aggregate.ts'

/** Parts that a gap is divided into: fewer, and more sessions are looked at in vain. */
const BUCKETS_PER_GAP = 16

/**
 * Finds sessions whose time is up without looking at all of them. A session waits in the bucket of the deadline that it had when it was
 * last looked at; it usually has a later one by then, and moves on.
 */
export class SessionTimers {
  readonly #bucketMs: number
  readonly #buckets = new Map<number, number[]>()
  /** Number of the waiting period a slot is in, so that what waits for an earlier one is passed over; 0 when it waits for none. */
  #periods = new Int32Array(64)
  #entries = 0

  constructor(gapMs: number) {
    this.#bucketMs = Math.max(1, Math.ceil(gapMs / BUCKETS_PER_GAP))
  }

  start(slot: number, deadlineMs: number): void {
    this.#periods = grownInts(this.#periods, slot + 1)
    this.#periods[slot] = ++this.#entries
    this.#wait(slot, deadlineMs)
  }

  stop(slot: number): void {
    this.#periods[slot] = 0
  }

  /** Takes out the slots whose deadline, as it is now, is at or before a time. */
  due(timeMs: number, deadlineOf: (slot: number) => number): number[] {
    const due: number[] = []
    for (const [bucket, waiting] of [...this.#buckets]) {
      if (bucket * this.#bucketMs > timeMs) continue
      this.#buckets.delete(bucket)
      for (let index = 0; index < waiting.length; index += 2) {
        const slot = waiting[index] as number
        if (this.#periods[slot] !== waiting[index + 1]) continue
        const deadlineMs = deadlineOf(slot)
        if (deadlineMs > timeMs) this.#wait(slot, deadlineMs)
        else due.push(slot)
      }
    }
    for (const slot of due) this.#periods[slot] = 0
    return due
  }

  #wait(slot: number, deadlineMs: number): void {
    const bucket = Math.floor(deadlineMs / this.#bucketMs)
    const waiting = this.#buckets.get(bucket)
    if (waiting) waiting.push(slot, this.#periods[slot] as number)
    else this.#buckets.set(bucket, [slot, this.#periods[slot] as number])
  }
}
