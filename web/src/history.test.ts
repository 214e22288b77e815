import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shopStatus } from '../../test/support/shop-status.ts'
import { appended, HISTORY_MS, type Sample, watermarkPace } from './history.ts'

test('the history keeps what the chart shows, at a bounded density', () => {
  const samples = watch(0, 600_000, 50)
  assert.ok(samples.length < HISTORY_MS / 400, `${samples.length} samples`)
  const [first, last] = [samples.at(0), samples.at(-1)]
  assert.ok(first && last && last.timeMs - first.timeMs >= HISTORY_MS)
})

test('time in which nobody looked is a gap, not a line', () => {
  const samples = watch(60_000, 62_000, 500, watch(0, 2_000, 500))
  assert.deepEqual(
    samples.map(({ rate }) => rate === null),
    [false, false, false, false, true, false, false, false, false],
  )
})

test('a job that was started anew begins a new history', () => {
  const before = watch(0, 5_000, 500)
  const job = shopStatus(500)
  const restarted = { ...job, startedAtMs: job.startedAtMs + 60_000, nowMs: job.nowMs + 60_000 }
  assert.equal(appended(before, restarted).length, 1)
})

test('the pace of the watermark is event time per time', () => {
  assert.equal(watermarkPace(watch(1_000, 2_000, 500)), null)
  assert.equal(watermarkPace(watch(1_000, 9_000, 500)), 1)
  const standing = watch(1_000, 9_000, 500).map((sample) => ({ ...sample, watermarkMs: 42 }))
  assert.equal(watermarkPace(standing), 0)
  assert.equal(watermarkPace([]), null)
})

/** What somebody sees who looks at the shop's job again and again. */
function watch(fromMs: number, toMs: number, everyMs: number, before: readonly Sample[] = []): readonly Sample[] {
  let samples = before
  for (let elapsedMs = fromMs; elapsedMs < toMs; elapsedMs += everyMs)
    samples = appended(samples, shopStatus(elapsedMs))
  return samples
}
