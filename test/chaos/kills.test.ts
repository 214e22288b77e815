import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requirement } from '../support/requirement.ts'
import { runChaos } from '../support/run-chaos.ts'

const full = process.env['MILLRACE_TEST_SCALE'] === 'full'

test(
  'a hundred kills at random moments lose nothing, double nothing, and show no reader half an epoch',
  requirement('postgres'),
  async () => {
    const { kills = 0 } = await runChaos('kills', { count: full ? 1_000 : 100, seed: 1, budget: full ? '50m' : '140s' })
    assert.ok(kills >= 5, `${kills} kills`)
  },
)
