import { NONE } from './generated-event.ts'

/** What a session does next. */
export const BROWSING = 0
/** It has begun; the page view of its landing page follows. */
export const LANDED = 1
/** It has clicked on an item; the item's page follows. */
export const OPENING = 2
/** The same, on the way to buy. */
export const OPENING_TO_BUY = 3
export const ADDING = 4
export const TO_CART = 5
export const TO_CHECKOUT = 6
export const TO_PURCHASE = 7

/**
 * The sessions that may be extended, as columns indexed by slot; slots 0 to `active - 1` are in use, in no particular order.
 * A slot number is valid until the next `remove`.
 */
export class SessionPool {
  readonly capacity: number
  active = 0
  /** Counted from 0; beyond 32 bits only after 4 billion sessions. */
  readonly session: Float64Array
  readonly lastTimeMs: Float64Array
  readonly user: Int32Array
  readonly visitor: Int32Array
  readonly partition: Int32Array
  readonly page: Int32Array
  readonly referrer: Int32Array
  readonly item: Int32Array
  /** Events so far. */
  readonly events: Int32Array
  readonly quantity: Uint8Array
  readonly stage: Uint8Array

  constructor(capacity: number) {
    this.capacity = capacity
    this.session = new Float64Array(capacity)
    this.lastTimeMs = new Float64Array(capacity)
    this.user = new Int32Array(capacity)
    this.visitor = new Int32Array(capacity)
    this.partition = new Int32Array(capacity)
    this.page = new Int32Array(capacity)
    this.referrer = new Int32Array(capacity)
    this.item = new Int32Array(capacity)
    this.events = new Int32Array(capacity)
    this.quantity = new Uint8Array(capacity)
    this.stage = new Uint8Array(capacity)
  }

  /** A slot at the end, reset; the pool must not be full. */
  add(): number {
    const slot = this.active++
    this.referrer[slot] = NONE
    this.item[slot] = NONE
    this.events[slot] = 0
    this.quantity[slot] = 0
    this.stage[slot] = LANDED
    return slot
  }

  /** Frees a slot by moving the last session there. */
  remove(slot: number): void {
    const last = --this.active
    for (const column of [this.session, this.lastTimeMs, this.user, this.visitor, this.partition, this.page]) {
      column[slot] = column[last]
    }
    for (const column of [this.referrer, this.item, this.events, this.quantity, this.stage]) {
      column[slot] = column[last]
    }
  }
}
