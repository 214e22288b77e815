import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requirement } from '../support/requirement.ts'
import { runChaos } from '../support/run-chaos.ts'

const full = process.env['MILLRACE_TEST_SCALE'] === 'full'

test(
  'a connection that breaks at COMMIT loses and doubles nothing, whatever the server has done',
  requirement('postgres'),
  async () => {
    const { cuts = 0 } = await runChaos('disconnects', {
      count: full ? 200 : 10,
      seed: 1,
      budget: full ? '20m' : '30s',
    })
    assert.ok(cuts > 0, `${cuts} cuts`)
  },
)
