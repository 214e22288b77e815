import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../base/random.ts'
import { EventWriter } from './event-writer.ts'
import { EVENT_TYPES, GeneratedEvent, NONE } from './generated-event.ts'
import { generatorSettings } from './settings.ts'
import { categoryName, SEARCH_QUERIES, SITE, sitePaths } from './site-map.ts'
import { AGENTS, COUNTRIES, REFERRERS } from './visitors.ts'

const settings = generatorSettings({ seed: 4711 })
const paths = sitePaths(settings.productsPerCategory)

function written(event: GeneratedEvent, writer = new EventWriter(settings)): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(writer.write(event))
}

/** The event as `JSON.stringify` writes it; ids, which are scrambled, are taken from what was written. */
function expected(event: GeneratedEvent, { event_id, session_id }: { event_id: string; session_id: string }): string {
  const [agent] = AGENTS[Math.floor(event.visitor / COUNTRIES.length)]
  const [country] = COUNTRIES[event.visitor % COUNTRIES.length]
  const hasItem = event.item >= 0
  const fields = {
    event_id,
    event_time: new Date(event.timeMs).toISOString(),
    event_type: EVENT_TYPES[event.type],
    user_id: `u-${String(event.user).padStart(7, '0')}`,
    session_id,
    ...agent,
    country,
    page_url: paths[event.page],
    referrer: event.referrer >= 0 ? SITE + paths[event.referrer] : REFERRERS[NONE - event.referrer][0],
    item_id: hasItem ? `sku-${String(event.item).padStart(5, '0')}` : undefined,
    category: hasItem ? categoryName(event.item) : undefined,
    search_query: SEARCH_QUERIES[event.query],
    duration_seconds: event.durationSeconds >= 0 ? event.durationSeconds : undefined,
    quantity: event.quantity > 0 ? event.quantity : undefined,
    currency: event.amountCents > 0 ? 'EUR' : undefined,
    amount: undefined,
  }
  const text = JSON.stringify(fields)
  return event.amountCents > 0 ? `${text.slice(0, -1)},"amount":${(event.amountCents / 100).toFixed(2)}}` : text
}

function drawnEvent(random: Random): GeneratedEvent {
  const event = new GeneratedEvent()
  event.index = random.below(2 ** 32) * random.below(1000)
  event.timeMs = Date.UTC(2026, 10, 24) + random.below(2 ** 32)
  event.type = random.below(EVENT_TYPES.length)
  event.user = random.below(10 ** random.below(8))
  event.session = random.below(1e9)
  event.visitor = random.below(AGENTS.length * COUNTRIES.length)
  event.page = random.below(paths.length)
  event.referrer = random.below(paths.length + REFERRERS.length) - REFERRERS.length
  event.item = random.chance(0.5) ? random.below(480) : NONE
  event.quantity = random.below(120)
  event.amountCents = random.below(10 ** random.below(9))
  event.query = random.chance(0.5) ? random.below(SEARCH_QUERIES.length) : NONE
  event.durationSeconds = random.chance(0.5) ? random.below(1801) : NONE
  return event
}

test('an event is written as JSON.stringify would write it, byte for byte', () => {
  const random = new Random(1)
  const writer = new EventWriter(settings)
  for (let count = 0; count < 5_000; count++) {
    const event = drawnEvent(random)
    const text = written(event, writer)
    assert.equal(text, expected(event, JSON.parse(text)))
  }
})

test('times are right at every border of seconds, minutes, days and years, forth and back', () => {
  const writer = new EventWriter(settings)
  const event = new GeneratedEvent()
  const borders = [Date.UTC(2026, 11, 31, 23, 59, 59, 999), Date.UTC(2028, 1, 29), 0, Date.UTC(2199, 5, 1, 9, 9, 9, 9)]
  for (const border of borders) {
    for (const timeMs of [border, border + 1, border - 1, border + 60_000, border + 59_999, border - 60_001]) {
      event.timeMs = timeMs
      assert.equal(JSON.parse(written(event, writer)).event_time, new Date(timeMs).toISOString())
    }
  }
})

test('ids have their form, are never the same twice, and differ from seed to seed', () => {
  const writer = new EventWriter(settings)
  const event = new GeneratedEvent()
  const ids = new Set<string>()
  const high = 2 ** 32 * 5
  const indexes = [...Array(20_000).keys(), ...Array.from({ length: 20_000 }, (_, index) => high + index)]
  for (const index of indexes) {
    event.index = index
    event.session = index
    const { event_id, session_id } = JSON.parse(written(event, writer))
    assert.match(event_id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.match(session_id, /^s-[0-9a-f]{12}$/)
    ids.add(event_id).add(session_id)
  }
  assert.equal(ids.size, 2 * indexes.length)
  const other = JSON.parse(written(event, new EventWriter(generatorSettings({ seed: 4712 }))))
  assert.ok(!ids.has(other.event_id) && !ids.has(other.session_id))
})
