import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shopFunnel, shopStatus } from '../../test/support/shop-status.ts'
import { funnelOf, throughput } from './funnel.ts'

test('a funnel is told of its last final window, step by step', () => {
  const funnel = funnelOf(shopFunnel())
  assert.deepEqual(
    funnel?.steps.map(({ step, name, entered, medianMs }) => [step, name, entered, medianMs]),
    [
      [1, 'item', 1240, 95_250],
      [2, 'cart', 310, 61_000],
      [3, 'order', 93, null],
    ],
  )
  assert.equal(funnel?.window?.closed, true)
  assert.deepEqual(throughput(funnel?.steps ?? []), { began: 1240, through: 93 })
})

test('nobody got through when the last step has no row', () => {
  const { steps = [] } = funnelOf(shopFunnel()) ?? {}
  assert.deepEqual(throughput(steps.slice(0, 2)), { began: 1240, through: 0 })
})

test('a funnel without a final window has no steps yet, and other queries are none', () => {
  assert.deepEqual(funnelOf({ ...shopFunnel(), windows: [] }), { name: 'checkout', window: null, steps: [] })
  assert.deepEqual(shopStatus(63_000).queries.map(funnelOf), [null, null])
})
