import assert from 'node:assert/strict'
import { test } from 'node:test'
import { axisScale, positionOf, WATERMARK_POSITION } from './axis-scale.ts'

const NOON_MS = Date.UTC(2026, 2, 14, 12)

test('the watermark stands at its place, whatever the time and the scale', () => {
  for (const windowMs of [1_000, 10_000, 3_600_000, 86_400_000]) {
    for (const frontMs of [NOON_MS, NOON_MS + 7_000, NOON_MS + 40 * windowMs]) {
      const scale = axisScale(NOON_MS, frontMs, windowMs)
      assert.ok(Math.abs(positionOf(scale, NOON_MS) - WATERMARK_POSITION) < 1e-9, `${windowMs} ${frontMs}`)
    }
  }
})

test('the newest event and the window it falls into are in the picture', () => {
  for (const gapMs of [0, 5_000, 30_000, 120_000]) {
    const scale = axisScale(NOON_MS, NOON_MS + gapMs, 10_000)
    assert.ok(positionOf(scale, NOON_MS + gapMs + 10_000) <= 1, `a gap of ${gapMs} ms`)
  }
})

test('the scale stays the same while the gap breathes, and steps when it grows', () => {
  const spans = [4_000, 4_600, 5_000, 5_300].map((gapMs) => axisScale(NOON_MS, NOON_MS + gapMs, 10_000).spanMs)
  assert.equal(new Set(spans).size, 1)
  assert.ok(axisScale(NOON_MS, NOON_MS + 200_000, 10_000).spanMs > (spans[0] as number))
})

test('a clock that is a year ahead does not squeeze the windows away', () => {
  const scale = axisScale(NOON_MS, NOON_MS + 365 * 86_400_000, 10_000)
  assert.ok(10_000 / scale.spanMs > 0.01)
})

test('there are a few ticks, at round times, all in the picture', () => {
  for (const windowMs of [1_000, 10_000, 60_000, 3_600_000, 86_400_000, 400 * 86_400_000]) {
    const scale = axisScale(NOON_MS + 1_234, NOON_MS + 6_789, windowMs)
    assert.ok(scale.ticks.length >= 4 && scale.ticks.length <= 10, `${scale.ticks.length} ticks for ${windowMs}`)
    for (const timeMs of scale.ticks) {
      assert.equal(timeMs % scale.tickMs, 0)
      assert.ok(positionOf(scale, timeMs) >= 0 && positionOf(scale, timeMs) < 1)
    }
  }
})
