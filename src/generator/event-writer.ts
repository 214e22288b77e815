import { writeNumber, writeTwoDigits } from '../batch/text-digits.ts'
import { COPY_SLACK_BYTES, TextFragments } from '../batch/text-fragments.ts'
import { TimeText } from '../batch/time-text.ts'
import { spoil } from './damage.ts'
import { writeEventId, writeSessionId } from './event-id.ts'
import { EVENT_TYPES, type GeneratedEvent, INVALID, MALFORMED, NONE } from './generated-event.ts'
import { mix32 } from './mix.ts'
import type { GeneratorSettings } from './settings.ts'
import { CATEGORIES, categoryName, SEARCH_QUERIES, SITE, sitePaths } from './site-map.ts'
import { writeUserId } from './user-key.ts'
import { AGENTS, COUNTRIES, REFERRERS } from './visitors.ts'

/** No event is longer before it is spoiled; its target has room for a copy of eight bytes too many. */
export const EVENT_ROOM_BYTES: number = 1024 + COPY_SLACK_BYTES

const POINT = 0x2e
const BRACE = 0x7d

/** Writes generated events as bytes. */
export interface RowWriter {
  /** The bytes of a row; valid until the next call. */
  write(event: GeneratedEvent): Uint8Array
  /** Writes a row that is not to be spoiled; returns the position behind it. The target has `EVENT_ROOM_BYTES` from `start` on. */
  writeInPlace(event: GeneratedEvent, view: DataView, start: number): number
}

/**
 * Writes events as JSON of the canonical click event, about 330 bytes each, members always in the same order. No string and no object
 * is made per event: what an event has in common with others is copied, its ids and numbers are written digit by digit.
 */
export class EventWriter implements RowWriter {
  readonly #bytes = new Uint8Array(EVENT_ROOM_BYTES)
  readonly #view = new DataView(this.#bytes.buffer)
  readonly #fragments = new TextFragments()
  /** Numbers of fragments; those of several texts are the first one's. */
  readonly #eventId = this.#fragments.add(['{"event_id":"'])
  readonly #eventTime = this.#fragments.add(['","event_time":"'])
  readonly #types = this.#fragments.add(EVENT_TYPES.map((type) => `Z","event_type":"${type}","user_id":"`))
  readonly #sessionId = this.#fragments.add(['","session_id":"s-'])
  readonly #visitors = this.#fragments.add(visitorTexts())
  readonly #entries = this.#fragments.add(REFERRERS.map(([url]) => `,"referrer":${JSON.stringify(url)}`))
  readonly #queries = this.#fragments.add(SEARCH_QUERIES.map((query) => `,"search_query":${JSON.stringify(query)}`))
  readonly #duration = this.#fragments.add([',"duration_seconds":'])
  readonly #quantity = this.#fragments.add([',"quantity":'])
  readonly #amount = this.#fragments.add([',"currency":"EUR","amount":'])
  readonly #pages: number
  readonly #links: number
  readonly #items: number
  readonly #idKey: number
  readonly #times = new TimeText()

  constructor(settings: GeneratorSettings) {
    const paths = sitePaths(settings.productsPerCategory)
    const products = settings.productsPerCategory * CATEGORIES.length
    this.#pages = this.#fragments.add(paths.map((path) => JSON.stringify(path)))
    this.#links = this.#fragments.add(paths.map((path) => `,"referrer":${JSON.stringify(SITE + path)}`))
    this.#items = this.#fragments.add(Array.from({ length: products }, (_, product) => itemText(product)))
    this.#idKey = mix32(settings.seed ^ 0x2545_f491)
  }

  /** The bytes of a row; valid until the next call. */
  write(event: GeneratedEvent): Uint8Array {
    const row = this.#bytes.subarray(0, this.writeInPlace(event, this.#view, 0))
    if (event.plant === MALFORMED || event.plant === INVALID) return spoil(row, event.plant, event.damage)
    return row
  }

  /** Writes a row that is not to be spoiled; returns the position behind it. The target has `EVENT_ROOM_BYTES` from `start` on. */
  writeInPlace(event: GeneratedEvent, view: DataView, start: number): number {
    const fragments = this.#fragments
    let at = fragments.write(this.#eventId, view, start)
    at = writeEventId(view, at, event.index, this.#idKey)
    at = fragments.write(this.#eventTime, view, at)
    at = this.#times.write(view, at, event.timeMs)
    at = fragments.write(this.#types + event.type, view, at)
    at = writeUserId(view, at, event.user)
    at = fragments.write(this.#sessionId, view, at)
    at = writeSessionId(view, at, event.session, this.#idKey)
    at = fragments.write(this.#visitors + event.visitor, view, at)
    at = fragments.write(this.#pages + event.page, view, at)
    const { referrer } = event
    at = fragments.write(referrer >= 0 ? this.#links + referrer : this.#entries + NONE - referrer, view, at)
    at = this.#writeDetails(view, at, event)
    view.setUint8(at, BRACE)
    return at + 1
  }

  /** What only some types of events have. */
  #writeDetails(view: DataView, start: number, event: GeneratedEvent): number {
    const fragments = this.#fragments
    let at = start
    if (event.item >= 0) at = fragments.write(this.#items + event.item, view, at)
    if (event.query >= 0) at = fragments.write(this.#queries + event.query, view, at)
    if (event.durationSeconds >= 0) {
      at = writeNumber(view, fragments.write(this.#duration, view, at), event.durationSeconds)
    }
    if (event.quantity > 0) at = writeNumber(view, fragments.write(this.#quantity, view, at), event.quantity)
    if (event.amountCents > 0) {
      at = writeNumber(view, fragments.write(this.#amount, view, at), Math.floor(event.amountCents / 100))
      view.setUint8(at, POINT)
      at = writeTwoDigits(view, at + 1, event.amountCents % 100)
    }
    return at
  }
}

function visitorTexts(): string[] {
  return AGENTS.flatMap(([{ device, browser, os }]) => {
    const agent = `","device":"${device}","browser":"${browser}","os":"${os}"`
    return COUNTRIES.map(([country]) => `${agent},"country":"${country}","page_url":`)
  })
}

function itemText(product: number): string {
  return `,"item_id":"sku-${String(product).padStart(5, '0')}","category":"${categoryName(product)}"`
}
