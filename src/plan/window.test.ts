import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MillraceError } from '../base/error.ts'
import { col, eq } from './expression.ts'
import { session, sliding, tumbling } from './window.ts'

describe('tumbling windows', () => {
  test('are aligned to Unix time zero, a week too', () => {
    assert.deepEqual(tumbling('1 day'), { kind: 'tumbling', sizeMs: 86_400_000 })
    assert.deepEqual(tumbling('1 week'), { kind: 'tumbling', sizeMs: 604_800_000 })
  })

  test('are those of a calendar when they have a time zone, when that is asked for, and when they are months', () => {
    assert.deepEqual(tumbling('1 day', { timeZone: 'Europe/Paris' }), {
      kind: 'calendar',
      unit: 'day',
      timeZone: 'Europe/Paris',
    })
    assert.deepEqual(tumbling('7 days', { calendar: true }), { kind: 'calendar', unit: 'week', timeZone: 'UTC' })
    assert.deepEqual(tumbling('24h', { calendar: true }), { kind: 'calendar', unit: 'day', timeZone: 'UTC' })
    assert.deepEqual(tumbling('1 Month'), { kind: 'calendar', unit: 'month', timeZone: 'UTC' })
  })

  test('of a size that no calendar has are refused', () => {
    for (const make of [
      () => tumbling('1 hour', { timeZone: 'Europe/Paris' }),
      () => tumbling('2 days', { calendar: true }),
    ]) {
      assert.throws(
        make,
        (error) => error instanceof MillraceError && /^no calendar has windows of/.test(error.message),
      )
    }
    assert.throws(() => tumbling('1 month', { calendar: false }), { message: 'a window of "1 month" needs a calendar' })
    assert.throws(() => tumbling('1 day', { calendar: false, timeZone: 'UTC' }), {
      message: 'a window of "1 day" needs a calendar',
    })
    assert.throws(() => tumbling('2 months'), { message: 'window size is not a duration: "2 months"' })
  })
})

test('a session lasts 24 hours at most, unless it is told otherwise', () => {
  assert.deepEqual(session('30 minutes'), {
    kind: 'session',
    gapMs: 1_800_000,
    durationMaxMs: 86_400_000,
    eventsMax: null,
  })
  const endWhen = eq(col('event_type'), 'session_end')
  assert.deepEqual(session('15m', { maxDuration: '4h', maxEvents: 10_000, endWhen }), {
    kind: 'session',
    gapMs: 900_000,
    durationMaxMs: 14_400_000,
    eventsMax: 10_000,
    endWhen,
  })
  assert.equal(session('15m', { maxDuration: null }).durationMaxMs, null)
})

test('what is no length of time is named', () => {
  assert.throws(() => sliding('5 minutes', 'often'), { message: 'slide is not a duration: "often"' })
  assert.throws(() => session('5'), { message: 'session gap is not a duration: "5"' })
})
