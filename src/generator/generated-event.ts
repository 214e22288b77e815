/** Types of generated events; an event holds the index. */
export const EVENT_TYPES = [
  'page_view',
  'click',
  'view',
  'scroll',
  'hover',
  'search',
  'cart_add',
  'purchase',
  'user_login',
  'item_click',
  'session_start',
  'session_end',
] as const

export const PAGE_VIEW = 0
export const CLICK = 1
export const VIEW = 2
export const SCROLL = 3
export const HOVER = 4
export const SEARCHED = 5
export const CART_ADD = 6
export const PURCHASE = 7
export const USER_LOGIN = 8
export const ITEM_CLICK = 9
export const SESSION_START = 10
export const SESSION_END = 11

/** What was done to an event on its way: exactly one of these. An event holds the index. */
export const PLANTS = ['clean', 'out-of-order', 'late', 'duplicate', 'malformed', 'invalid', 'fast-clock'] as const

/** One of `PLANTS`. */
export type Plant = (typeof PLANTS)[number]

export const CLEAN = 0
export const OUT_OF_ORDER = 1
export const LATE = 2
export const DUPLICATE = 3
export const MALFORMED = 4
export const INVALID = 5
export const FAST_CLOCK = 6

/** Marks a field without a value. */
export const NONE = -1

/**
 * One event as numbers: everything that its bytes depend on. One object is used again and again; to keep an event, copy it.
 * Only `index`, the times and `amountCents` may exceed 31 bits.
 */
export class GeneratedEvent {
  /** Position in the sequence, from 0; a duplicate has that of its original. */
  index = 0
  /** Event time: what the payload says. */
  timeMs = 0
  type: number = PAGE_VIEW
  user = 0
  session = 0
  /** Device, browser, os and country as one number. */
  visitor = 0
  page = 0
  /** A page of the shop; or `NONE - k` for the external referrer `k`. */
  referrer: number = NONE
  item: number = NONE
  quantity = 0
  amountCents = 0
  query: number = NONE
  durationSeconds: number = NONE
  /** Of the topic: that of the user's key; `NONE` when the row is never sent. */
  partition = 0
  plant: number = CLEAN
  /** Which kind of malformed or invalid row this is. */
  damage = 0

  copyFrom(other: GeneratedEvent): void {
    this.index = other.index
    this.timeMs = other.timeMs
    this.type = other.type
    this.user = other.user
    this.session = other.session
    this.visitor = other.visitor
    this.page = other.page
    this.referrer = other.referrer
    this.item = other.item
    this.quantity = other.quantity
    this.amountCents = other.amountCents
    this.query = other.query
    this.durationSeconds = other.durationSeconds
    this.partition = other.partition
    this.plant = other.plant
    this.damage = other.damage
  }
}
