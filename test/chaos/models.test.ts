import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runChaos } from '../support/run-chaos.ts'

const full = process.env['MILLRACE_TEST_SCALE'] === 'full'

test('a model that is killed again and again has the weights, metrics, detectors and exports of one that nobody disturbed, bit by bit', async () => {
  const size = full ? { count: 300, budget: '50m' } : { count: 6, budget: '40s' }
  const { kills = 0, compared = 0 } = await runChaos('models', { ...size, seed: 1 })
  assert.ok(kills > 0 && compared > 0, `${kills} kills, ${compared} versions compared`)
})
