import { unreachable } from '../base/assert.ts'
import { writeDigits, writeNumber, writeTwoDigits } from '../batch/text-digits.ts'
import type { TextFragments } from '../batch/text-fragments.ts'
import { TimeText } from '../batch/time-text.ts'
import { writeEventId, writeSessionId } from './event-id.ts'
import { EVENT_TYPES, type GeneratedEvent, NONE, PURCHASE } from './generated-event.ts'
import { mix32 } from './mix.ts'
import type { GeneratorSettings } from './settings.ts'
import type { MemberValue, Shape } from './shape.ts'
import { CATEGORIES, priceCents, SEARCH_QUERIES, sitePaths } from './site-map.ts'
import { AGENTS, COUNTRIES, REFERRERS } from './visitors.ts'

/** Writes a member's value for an event; returns the position behind it, or `NONE` when the event has no such value. */
export type ValueWriter = (event: GeneratedEvent, view: DataView, at: number) => number

const QUOTE = 0x22
const POINT = 0x2e
const OPEN = 0x5b
const CLOSE = 0x5d

/** What writes values of one kind; its texts are added to the fragments. */
export function valueWriter(
  value: MemberValue,
  shape: Shape,
  settings: GeneratorSettings,
  fragments: TextFragments,
): ValueWriter {
  const idKey = mix32(settings.seed ^ 0x2545_f491)
  const texts = (list: readonly string[]): number => fragments.add(list.map((text) => JSON.stringify(text)))
  /** `"` and a prefix, then something that has no text of its own, then `"`. */
  const quoted = (prefix: string, write: ValueWriter): ValueWriter => {
    const opening = fragments.add([JSON.stringify(prefix).slice(0, -1)])
    return (event, view, at) => closed(view, write(event, view, fragments.write(opening, view, at)))
  }
  switch (value.kind) {
    case 'event-id':
      return quoted('', (event, view, at) => writeEventId(view, at, event.index, idKey))
    case 'type':
      return fromList(fragments, texts(EVENT_TYPES.map((type) => shape.types[type])), (event) => event.type)
    case 'time':
      return timeWriter(fragments, value.suffix)
    case 'user':
      return quoted(value.prefix, (event, view, at) => writeNumber(view, at, event.user))
    case 'session':
      return quoted(value.prefix, (event, view, at) => writeSessionId(view, at, event.session, idKey))
    case 'order':
      return quoted(value.prefix, (event, view, at) => writeNumber(view, at, mix32(event.index ^ idKey) >>> 1))
    case 'item':
      return whereSold(quoted(value.prefix, (event, view, at) => writeNumber(view, at, event.item)))
    case 'item-list':
      return whereSold(listed(quoted(value.prefix, (event, view, at) => writeNumber(view, at, event.item))))
    case 'category':
      return whereSold(fromList(fragments, texts(CATEGORIES), (event) => event.item % CATEGORIES.length))
    case 'search-query':
      return fromList(fragments, texts(SEARCH_QUERIES), (event) => event.query)
    case 'page':
    case 'referrer':
      return pageWriter(value, settings, fragments)
    case 'device':
    case 'browser':
    case 'country':
      return fromList(fragments, texts(visitorTexts(value)), (event) => event.visitor)
    case 'choice':
      return fromList(
        fragments,
        fragments.add(value.values),
        ({ session }) => (mix32(session ^ idKey) >>> 8) % value.values.length,
      )
    default:
      return numberWriter(value, idKey)
  }
}

type NumberValue = Extract<
  MemberValue,
  {
    kind:
      | 'epoch-seconds'
      | 'user-number'
      | 'quantity'
      | 'quantity-list'
      | 'duration-seconds'
      | 'amount'
      | 'item-price'
      | 'number'
  }
>

function numberWriter(value: NumberValue, idKey: number): ValueWriter {
  switch (value.kind) {
    case 'epoch-seconds':
      return ({ timeMs }, view, at) => writeLarge(view, at, Math.floor(timeMs / 1000))
    case 'user-number':
      return ({ user }, view, at) => writeNumber(view, at, user)
    case 'quantity':
      return ({ quantity }, view, at) => (quantity > 0 ? writeNumber(view, at, quantity) : NONE)
    case 'quantity-list':
      return listed(({ quantity }, view, at) => writeNumber(view, at, quantity))
    case 'duration-seconds':
      return ({ durationSeconds }, view, at) => (durationSeconds >= 0 ? writeNumber(view, at, durationSeconds) : NONE)
    case 'amount':
      return ({ type, amountCents }, view, at) => (type === PURCHASE ? writeMoney(view, at, amountCents) : NONE)
    case 'item-price':
      return whereSold(({ item }, view, at) => writeMoney(view, at, priceCents(item)))
    case 'number': {
      const range = value.max - value.min + 1
      return ({ index }, view, at) => writeNumber(view, at, value.min + ((mix32(index ^ idKey) >>> 4) % range))
    }
    default:
      return unreachable(value)
  }
}

function fromList(fragments: TextFragments, first: number, indexOf: (event: GeneratedEvent) => number): ValueWriter {
  return (event, view, at) => {
    const index = indexOf(event)
    return index < 0 ? NONE : fragments.write(first + index, view, at)
  }
}

function timeWriter(fragments: TextFragments, suffix: string): ValueWriter {
  const times = new TimeText()
  const ending = fragments.add([`${suffix}"`])
  return (event, view, at) => {
    view.setUint8(at, QUOTE)
    return fragments.write(ending, view, times.write(view, at + 1, event.timeMs))
  }
}

function pageWriter(
  { kind, site }: { readonly kind: 'page' | 'referrer'; readonly site: string },
  { productsPerCategory }: GeneratorSettings,
  fragments: TextFragments,
): ValueWriter {
  const pages = fragments.add(sitePaths(productsPerCategory).map((path) => JSON.stringify(site + path)))
  if (kind === 'page') return fromList(fragments, pages, ({ page }) => page)
  const entries = fragments.add(REFERRERS.map(([url]) => JSON.stringify(url)))
  return ({ referrer }, view, at) =>
    fragments.write(referrer >= 0 ? pages + referrer : entries + NONE - referrer, view, at)
}

function visitorTexts(value: {
  readonly kind: 'device' | 'browser' | 'country'
  readonly lowerCase?: boolean
}): string[] {
  return AGENTS.flatMap(([agent]) =>
    COUNTRIES.map(([country]) => {
      if (value.kind === 'country') return country
      // None of the systems has a word for robots.
      if (value.kind === 'device') return agent.device === 'bot' ? 'desktop' : agent.device
      return value.lowerCase ? agent.browser.toLowerCase() : agent.browser
    }),
  )
}

function whereSold(write: ValueWriter): ValueWriter {
  return (event, view, at) => (event.item >= 0 ? write(event, view, at) : NONE)
}

function listed(write: ValueWriter): ValueWriter {
  return (event, view, at) => {
    view.setUint8(at, OPEN)
    const end = write(event, view, at + 1)
    view.setUint8(end, CLOSE)
    return end + 1
  }
}

function closed(view: DataView, at: number): number {
  view.setUint8(at, QUOTE)
  return at + 1
}

function writeMoney(view: DataView, at: number, cents: number): number {
  const point = writeNumber(view, at, Math.floor(cents / 100))
  view.setUint8(point, POINT)
  return writeTwoDigits(view, point + 1, cents % 100)
}

/** A whole number of ten digits and more; `writeNumber` ends at 2^31. */
function writeLarge(view: DataView, at: number, value: number): number {
  const upper = Math.floor(value / 100_000)
  return writeDigits(view, writeNumber(view, at, upper), value - upper * 100_000, 5)
}
