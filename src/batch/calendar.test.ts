import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Calendar, TIME_UNITS, type TimeUnit } from './calendar.ts'

const ZONES = [
  'UTC',
  'Europe/Paris',
  'America/New_York',
  'Asia/Kathmandu',
  'Pacific/Apia',
  'America/St_Johns',
  'America/Havana',
]

function span(zone: string, unit: TimeUnit, time: string): string {
  const calendar = new Calendar(zone)
  const timeMs = Date.parse(time)
  return [calendar.start(unit, timeMs), calendar.end(unit, timeMs)]
    .map((ms) => new Date(ms).toISOString().slice(0, 16))
    .join(' ')
}

describe('a unit begins and ends as people in the zone have it', () => {
  const cases = [
    ['UTC', 'minute', '2026-11-24T10:05:59.999Z', '2026-11-24T10:05 2026-11-24T10:06'],
    ['Asia/Kathmandu', 'hour', '2026-11-24T10:05:00Z', '2026-11-24T09:15 2026-11-24T10:15'],
    ['Europe/Paris', 'day', '2026-03-29T12:00:00Z', '2026-03-28T23:00 2026-03-29T22:00'],
    ['Europe/Paris', 'day', '2026-10-25T12:00:00Z', '2026-10-24T22:00 2026-10-25T23:00'],
    ['UTC', 'week', '2026-11-23T00:00:00Z', '2026-11-23T00:00 2026-11-30T00:00'],
    ['UTC', 'week', '2026-11-29T23:59:59.999Z', '2026-11-23T00:00 2026-11-30T00:00'],
    ['UTC', 'week', '1970-01-01T00:00:00Z', '1969-12-29T00:00 1970-01-05T00:00'],
    ['America/New_York', 'month', '2026-03-01T04:59:00Z', '2026-02-01T05:00 2026-03-01T05:00'],
    ['America/New_York', 'month', '2026-03-01T05:00:00Z', '2026-03-01T05:00 2026-04-01T04:00'],
    ['UTC', 'year', '2028-02-29T00:00:00Z', '2028-01-01T00:00 2029-01-01T00:00'],
    // There was no 30 December 2011: the 29th is followed by the 31st.
    ['Pacific/Apia', 'day', '2011-12-30T09:59:00Z', '2011-12-29T10:00 2011-12-30T10:00'],
    ['Pacific/Apia', 'day', '2011-12-30T10:00:00Z', '2011-12-30T10:00 2011-12-31T10:00'],
    // Clocks went back at 00:01, over midnight: the minute of the new day before it belongs to that day already.
    ['America/St_Johns', 'day', '2009-11-01T02:29:59Z', '2009-10-31T02:30 2009-11-01T02:30'],
    ['America/St_Johns', 'day', '2009-11-01T03:00:00Z', '2009-11-01T02:30 2009-11-02T03:30'],
    // Clocks went back at 01:00 to midnight: the day begins with the first one.
    ['America/Havana', 'day', '2026-11-01T12:00:00Z', '2026-11-01T04:00 2026-11-02T05:00'],
  ] as const
  for (const [zone, unit, time, expected] of cases) {
    test(`${unit} of ${time} in ${zone}`, () => assert.equal(span(zone, unit, time), expected))
  }
})

test('units lie side by side: each time is in the one that it is cut to, and the end of one is the start of the next', () => {
  const timesMs = fc.integer({ min: Date.UTC(1970, 0, 1), max: Date.UTC(2100, 0, 1) })
  const calendars = new Map(ZONES.map((zone) => [zone, new Calendar(zone)]))
  fc.assert(
    fc.property(fc.constantFrom(...ZONES), fc.constantFrom(...TIME_UNITS), timesMs, (zone, unit, timeMs) => {
      const calendar = calendars.get(zone) as Calendar
      const [startMs, endMs] = [calendar.start(unit, timeMs), calendar.end(unit, timeMs)]
      assert.ok(startMs <= timeMs && timeMs < endMs)
      const fresh = new Calendar(zone)
      assert.equal(fresh.start(unit, startMs), startMs)
      assert.equal(fresh.start(unit, endMs), endMs)
      assert.equal(fresh.start(unit, endMs - 1), startMs)
    }),
    { numRuns: 1000 },
  )
})

test('a day has its number in year, month and week', () => {
  assert.deepEqual(new Calendar('UTC').day(Date.UTC(2028, 1, 29)), { year: 2028, month: 2, day: 29, weekday: 2 })
  assert.deepEqual(new Calendar('Asia/Tokyo').day(Date.UTC(2026, 11, 31, 15)), {
    year: 2027,
    month: 1,
    day: 1,
    weekday: 5,
  })
})
