import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requirement } from '../support/requirement.ts'
import { runChaos } from '../support/run-chaos.ts'

const full = process.env['MILLRACE_TEST_SCALE'] === 'full'

test(
  'a process that wakes up after it was taken over publishes nothing and ends',
  requirement('postgres'),
  async () => {
    const { zombies = 0 } = await runChaos('zombies', { count: full ? 300 : 3, seed: 1, budget: full ? '50m' : '40s' })
    assert.ok(zombies > 0, `${zombies} zombies`)
  },
)
