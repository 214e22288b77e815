import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IdleWatch, type PartitionTick } from './idle-watch.ts'

const QUIET: PartitionTick = { caughtUp: true, movedTime: false }
const BACKLOG: PartitionTick = { caughtUp: false, movedTime: false }
const GIVING: PartitionTick = { caughtUp: true, movedTime: true }

test('a partition that has nothing to say for the timeout is idle, since the plan that says so', () => {
  const watch = new IdleWatch([3_000])
  assert.equal(ticks(watch, 0, 2_000, [QUIET, GIVING]), false)
  assert.equal(ticks(watch, 3_000, 3_000, [QUIET, GIVING]), true)
  const flag = { watermark: 0, partition: 0, sinceMs: 4_000 }
  assert.deepEqual(watch.flagsFor({ ranges: [], clockMs: 4_000 }), [flag])
  assert.deepEqual(watch.flagsFor({ ranges: [], clockMs: 9_000 }), [flag])
})

test('a partition with a backlog is never idle, however slowly it is read', () => {
  const watch = new IdleWatch([3_000])
  assert.equal(ticks(watch, 0, 100_000, [BACKLOG]), false)
  assert.deepEqual(watch.flagsFor({ ranges: [], clockMs: 100_000 }), [])
})

test('a row that moves time, and a backlog, start the count anew', () => {
  for (const interruption of [GIVING, BACKLOG]) {
    const watch = new IdleWatch([3_000])
    assert.equal(ticks(watch, 0, 2_000, [QUIET]), false)
    assert.equal(watch.tick(3_000, [interruption]), false)
    assert.equal(ticks(watch, 4_000, 5_000, [QUIET]), false)
    assert.equal(watch.tick(6_000, [QUIET]), true)
  }
})

test('a process that slept has not watched: a tick counts a second at most', () => {
  const watch = new IdleWatch([3_000])
  watch.tick(0, [QUIET])
  assert.equal(watch.tick(3_600_000, [QUIET]), false)
  assert.equal(watch.tick(3_601_000, [QUIET]), false)
  assert.equal(watch.tick(3_602_000, [QUIET]), true)
})

test('a plan with rows of the partition takes its flag away, and each watermark has its own timeout', () => {
  const watch = new IdleWatch([2_000, 4_000])
  ticks(watch, 0, 2_000, [QUIET])
  assert.deepEqual(
    watch.flagsFor({ ranges: [], clockMs: 2_000 }).map(({ watermark }) => watermark),
    [0],
  )
  ticks(watch, 3_000, 4_000, [QUIET])
  assert.equal(watch.flagsFor({ ranges: [], clockMs: 4_000 }).length, 2)
  assert.deepEqual(watch.flagsFor({ ranges: [{ partition: 0, from: 0, to: 1 }], clockMs: 5_000 }), [])
})

/** A tick each second; true when one of them raised a flag. */
function ticks(watch: IdleWatch, fromMs: number, toMs: number, partitions: readonly PartitionTick[]): boolean {
  let raised = false
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += 1_000) raised = watch.tick(nowMs, partitions) || raised
  return raised
}
