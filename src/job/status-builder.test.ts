import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WatermarkStatus } from '../engine/engine.ts'
import { HolderHistory, watermarkViews } from './status-builder.ts'

test('what a watermark waits for is named, unless it is everything or nothing is known yet', () => {
  assert.equal(whyOf({ kind: 'waiting-for-data', partitions: [1] }), 'waiting for the first event of clicks-1')
  assert.equal(whyOf({ kind: 'waiting-for-data', partitions: [0, 1] }), 'waiting for the first event')
  assert.equal(whyOf({ kind: 'waiting-for-data', partitions: [] }), 'waiting for the first event')
})

function whyOf(heldBy: WatermarkStatus['heldBy']): string | undefined {
  const status: WatermarkStatus = {
    id: 'pages/watermark',
    delayMs: 10_000,
    watermarkMs: Number.NEGATIVE_INFINITY,
    maxEventTimeMs: Number.NEGATIVE_INFINITY,
    partitionMaxEventTimesMs: [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
    heldBy,
  }
  return watermarkViews([status], ['clicks-0', 'clicks-1'], new HolderHistory(), 0)[0]?.why
}
