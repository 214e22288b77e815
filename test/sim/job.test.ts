import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runChaos } from '../support/run-chaos.ts'
import { simulate } from './simulate.ts'

test('whatever dies and whenever, each row comes out once, and fates and dead letters are those that were planted', async () => {
  const count = process.env['MILLRACE_TEST_SCALE'] === 'full' ? 2_000 : 200
  const { seeds } = await runChaos('simulation', { count, seed: 0, budget: '1h' })
  assert.equal(seeds, count)
})

test('a seed runs the same way twice', async () => {
  for (const seed of [0, 1, 2]) assert.deepEqual(await simulate(seed, new Set()), await simulate(seed, new Set()))
})
