import type { Random } from '../../src/base/random.ts'
import { decimal, defineSchema, int32, type Schema, text, timestamp } from '../../src/batch/schema.ts'

/** An event of about 317 bytes of JSON. */
export interface Event {
  readonly event_id: string
  readonly event_type: string
  readonly user_id: string
  readonly session_id: string
  readonly timestamp: string
  readonly page_url: string
  readonly referrer: string | null
  readonly device: string
  readonly browser: string
  readonly country: string
  readonly amount?: number
  readonly quantity?: number
  readonly props?: object
}

/** The fields that are read of an event; of the web log as well, under its own names. */
export function eventSchema(dataName: string): Schema {
  if (dataName === 'web-log') {
    return defineSchema({
      timestamp: timestamp({ from: 'event_time' }),
      event_type: text(),
      user_id: text({ cardinality: 'high' }),
      page_url: text(),
      referrer: text(),
      user_agent: text(),
      method: text(),
      quantity: int32({ from: 'status' }),
      amount: decimal(2, { from: 'bytes' }),
    })
  }
  return defineSchema({
    event_id: text({ cardinality: 'unique' }),
    event_type: text(),
    user_id: text({ cardinality: 'high' }),
    session_id: text({ cardinality: 'high' }),
    timestamp: timestamp(),
    page_url: text(),
    device: text(),
    browser: text(),
    country: text(),
    amount: decimal(2),
    quantity: int32(),
  })
}

/** Members that the events have beside those that are read. */
export const OTHER_MEMBERS: readonly string[] = ['referrer', 'props', 'user_agent', 'method']

const START_MS = Date.UTC(2026, 10, 24, 10)
const SPAN_MS = 3_600_000

/** Events in about the order in which they happened. With a million users as good as every session has its own. */
export class EventSequence {
  readonly #random: Random
  readonly #users: number
  readonly #events: number
  readonly #pages: readonly string[]
  #index = 0

  constructor(random: Random, { users, events }: { readonly users: number; readonly events: number }) {
    this.#random = random
    this.#users = users
    this.#events = events
    this.#pages = Array.from({ length: 50 }, (_, page) => `https://example.com${PATHS[page % PATHS.length]}${page}`)
  }

  next(): Event {
    const random = this.#random
    const late = random.below(random.chance(0.05) ? 30_000 : 1_500)
    const timeMs = START_MS + Math.floor((this.#index++ / this.#events) * SPAN_MS) - late
    const user = Math.floor(this.#users * random.fraction() ** 1.5)
    const session = random.below(5 * this.#users)
    const event_type = random.pick(TYPES)
    const sold = event_type === 'purchase' || event_type === 'add_to_cart'
    return {
      event_id: `${hex(random, 8)}-${hex(random, 4)}-4${hex(random, 3)}-a${hex(random, 3)}-${hex(random, 12)}`,
      event_type,
      user_id: `user_${user}`,
      session_id: `s-${(Math.imul(session, 2_654_435_761) >>> 0).toString(16).padStart(8, '0')}`,
      timestamp: new Date(timeMs).toISOString(),
      page_url: random.pick(this.#pages),
      referrer: random.chance(0.3) ? null : random.pick(REFERRERS),
      device: random.pick(['desktop', 'mobile', 'tablet']),
      browser: random.pick(['Chrome', 'Safari', 'Firefox', 'Edge', 'Opera']),
      country: random.pick(COUNTRIES),
      ...(sold ? { amount: random.below(50_000) / 100, quantity: 1 + random.below(5) } : {}),
      ...(random.chance(0.3) ? { props: { a: [1, 2, { b: 'x' }] } } : {}),
    }
  }
}

/** The same event with its members in any order. */
export function shuffled(event: Event, random: Random): object {
  const members = Object.entries(event)
  for (let left = members.length - 1; left > 0; left--) {
    const other = random.below(left + 1)
    ;[members[left], members[other]] = [members[other], members[left]]
  }
  return Object.fromEntries(members)
}

function hex(random: Random, digits: number): string {
  let text = ''
  while (text.length < digits) text += random.uint32().toString(16).padStart(8, '0')
  return text.slice(0, digits)
}

const TYPES: readonly string[] = [
  ...Array<string>(11).fill('page_view'),
  ...Array<string>(4).fill('click'),
  'search',
  'search',
  'add_to_cart',
  'add_to_cart',
  'purchase',
]
const PATHS: readonly string[] = [
  '/products/',
  '/category/shoes?page=',
  '/p',
  '/blog/how-to-choose-a-laptop-',
  '/cart?step=',
]
const REFERRERS: readonly string[] = [
  'https://google.com/',
  'https://www.facebook.com/',
  'https://twitter.com/x',
  'https://news.ycombinator.com/item?id=39',
]
const COUNTRIES = 'DE US GB FR ES IT NL BE SE NO FI DK PL CZ AT CH PT IE GR RO HU BG HR SK SI LT LV EE JP CA'.split(' ')
