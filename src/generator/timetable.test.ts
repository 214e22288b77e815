import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MS_PER_DAY, MS_PER_HOUR } from '../base/time.ts'
import { generatorSettings } from './settings.ts'
import { Timetable } from './timetable.ts'

const MIDNIGHT_MS = Date.UTC(2026, 10, 24)
const START_MS = MIDNIGHT_MS + 9.5 * MS_PER_HOUR

/** Events per hour of event time, from the hour of the start on. */
function perHour(diurnalStrength: number, hours: number): number[] {
  const timetable = new Timetable(generatorSettings({ eventsPerSecond: 2, diurnalStrength }), START_MS)
  const counts = new Array<number>(hours).fill(0)
  const firstHour = Math.floor(START_MS / MS_PER_HOUR)
  let before = START_MS
  for (let index = 0; ; index++) {
    const dueMs = timetable.dueMs(index)
    assert.ok(Number.isSafeInteger(dueMs) && dueMs >= before, `event ${index}`)
    before = dueMs
    const hour = Math.floor(dueMs / MS_PER_HOUR) - firstHour
    if (hour >= hours) return counts
    counts[hour]++
  }
}

test('without a curve events are evenly spread from the start on', () => {
  const timetable = new Timetable(generatorSettings({ eventsPerSecond: 3 }), START_MS)
  assert.deepEqual(
    [0, 1, 3, 10 ** 9].map((index) => timetable.dueMs(index) - START_MS),
    [0, 333, 1000, 333_333_333_333],
  )
  assert.deepEqual(perHour(0, 3), [3600, 7200, 7200])
})

test('with a curve the first event is at the start, each hour has its share, and a day as many as without', () => {
  const timetable = new Timetable(generatorSettings({ eventsPerSecond: 2, diurnalStrength: 1 }), START_MS)
  assert.equal(timetable.dueMs(0), START_MS)
  assert.equal(timetable.dueMs(2 * 86_400) - START_MS, MS_PER_DAY)
  assert.equal(timetable.dueMs(2 * 86_400 * 365) - START_MS, 365 * MS_PER_DAY)
  const counts = perHour(1, 48)
  const shares = counts.map((count) => Math.round((10 * count) / 7200))
  assert.deepEqual(shares.slice(0, 15), [6, 13, 13, 12, 12, 12, 12, 13, 14, 15, 17, 19, 18, 11, 7])
  assert.deepEqual(shares.slice(15, 24), [4, 3, 2, 2, 2, 3, 5, 8, 11])
  assert.deepEqual(shares.slice(25, 39), shares.slice(1, 15))
})

test('half the strength is half the difference', () => {
  const shares = perHour(0.5, 24).map((count) => count / 7200)
  assert.ok(Math.abs(shares[11] - 1.45) < 0.001 && Math.abs(shares[18] - 0.6) < 0.001, String(shares))
})
