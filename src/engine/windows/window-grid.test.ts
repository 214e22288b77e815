import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { calendarGrid } from './calendar.ts'
import { globalGrid, slidingGrid, tumblingGrid, type WindowGrid } from './window-grid.ts'

const HOUR_MS = 3_600_000

const grids: fc.Arbitrary<WindowGrid> = fc.oneof(
  fc.integer({ min: 1, max: 500 }).map(tumblingGrid),
  fc
    .tuple(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 500 }))
    .map(([one, other]) => slidingGrid(Math.max(one, other), Math.min(one, other))),
)

const zones = fc.constantFrom('Europe/Berlin', 'America/Sao_Paulo', 'Asia/Kolkata', 'Pacific/Apia', 'UTC')
const calendars: fc.Arbitrary<WindowGrid> = fc
  .tuple(fc.constantFrom('day' as const, 'week' as const, 'month' as const), zones)
  .map(([unit, zone]) => calendarGrid(unit, zone))

const smallTime = fc.integer({ min: -2_000, max: 2_000 })
const time = fc.integer({ min: Date.UTC(1990, 0, 1), max: Date.UTC(2030, 0, 1) })

function windowsOf(grid: WindowGrid, timeMs: number): [number, number][] {
  const paneMs = grid.paneAt(timeMs)
  const windows: [number, number][] = []
  for (let at = grid.firstWindow(paneMs); at <= grid.lastWindow(paneMs); at = grid.nextWindow(at)) {
    windows.push([at, grid.windowEnd(at)])
  }
  return windows
}

for (const [name, grid, at, nearMs] of [
  ['a cut grid', grids, smallTime, 700],
  ['a calendar', calendars, time, 900 * HOUR_MS],
] as const) {
  test(`${name}: a time lies in its pane, and every window of the pane contains all of it`, () => {
    fc.assert(
      fc.property(grid, at, (one, timeMs) => {
        const paneMs = one.paneAt(timeMs)
        const endMs = one.paneEnd(paneMs)
        assert.ok(paneMs <= timeMs && timeMs < endMs)
        assert.equal(one.paneAt(paneMs), paneMs)
        assert.equal(one.paneAt(endMs - 1), paneMs)
        assert.equal(one.paneAt(endMs), endMs, 'panes lie side by side')
        const windows = windowsOf(one, timeMs)
        assert.ok(windows.length > 0)
        for (const [startMs, windowEndMs] of windows) assert.ok(startMs <= paneMs && endMs <= windowEndMs)
        assert.ok(!one.single || windows.length === 1)
      }),
    )
  })

  test(`${name}: a row is late exactly when all its windows end at or before the watermark`, () => {
    fc.assert(
      fc.property(grid, at, fc.integer({ min: -nearMs, max: nearMs }), (one, timeMs, distanceMs) => {
        const watermarkMs = timeMs + distanceMs
        const late = windowsOf(one, timeMs).every(([, endMs]) => endMs <= watermarkMs)
        assert.equal(timeMs < one.openFrom(watermarkMs), late)
      }),
      { numRuns: 500 },
    )
  })
}

test('sliding windows begin with each slide, and a time is in all that reach over it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 0, max: 300 }), smallTime, (slide, more, timeMs) => {
      const size = slide + more
      const expected: [number, number][] = []
      for (let start = Math.floor((timeMs - size) / slide) * slide; start <= timeMs; start += slide) {
        if (start + size > timeMs) expected.push([start, start + size])
      }
      assert.deepEqual(windowsOf(slidingGrid(size, slide), timeMs), expected)
    }),
  )
})

test('all of time is one window that no watermark closes but the end of the input', () => {
  const grid = globalGrid()
  assert.equal(grid.openFrom(1e15), Number.NEGATIVE_INFINITY)
  assert.deepEqual(windowsOf(grid, 5), [[0, Number.POSITIVE_INFINITY]])
  assert.equal(grid.paneEnd(grid.paneAt(-5)), Number.POSITIVE_INFINITY)
})
