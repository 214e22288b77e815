import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shopFunnel, shopStatus } from '../../test/support/shop-status.ts'
import { describeClosing, nextClosing } from './closing.ts'

const job = shopStatus(9_000) // The watermark is at 10:04:06.38.
const both = ['page_metrics', 'geo_metrics']

test('the open window that ends first closes next', () => {
  assert.equal(nextClosing(job, both, 1)?.query, 'page_metrics')
  assert.equal(nextClosing(job, ['geo_metrics'], 1)?.endMs, Date.UTC(2026, 2, 14, 10, 4, 30))
  assert.equal(nextClosing(job, [], 1), null)
})

test('how long it takes depends on the pace of the watermark', () => {
  assert.equal(nextClosing(job, both, 1)?.inMs, 3_620)
  assert.equal(nextClosing(job, both, null)?.inMs, 3_620)
  assert.equal(nextClosing(job, both, 10)?.inMs, 362)
  assert.equal(nextClosing(job, both, 0)?.inMs, null)
})

test('it is told in words', () => {
  const closing = { query: 'page_metrics', endMs: Date.UTC(2026, 2, 14, 10, 5) }
  const words = 'when the watermark passes 10:05:00'
  assert.equal(describeClosing({ ...closing, inMs: 8_200 }), `${words}, in about 8s`)
  assert.equal(describeClosing({ ...closing, inMs: 125_000 }), `${words}, in about 2m 05s`)
  assert.equal(describeClosing({ ...closing, inMs: 300 }), `${words}, any moment now`)
  assert.equal(describeClosing({ ...closing, inMs: null }), `${words}; it stands still`)
})

test('a window of a funnel closes when the last of its attempts are over', () => {
  const openWindows = [{ startMs: Date.UTC(2026, 2, 14, 9, 30), endMs: Date.UTC(2026, 2, 14, 9, 40), groups: 3 }]
  const funnel = { ...job, queries: [{ ...shopFunnel(), openWindows }] }
  assert.equal(nextClosing(funnel, ['checkout'], 1)?.endMs, Date.UTC(2026, 2, 14, 10, 10))
})
