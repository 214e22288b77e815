import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requirement } from '../support/requirement.ts'
import { runChaos } from '../support/run-chaos.ts'

const full = process.env['MILLRACE_TEST_SCALE'] === 'full'

test(
  'a job that dies again, mostly while it recovers, loses and doubles nothing',
  requirement('postgres'),
  async () => {
    const { doubles = 0 } = await runChaos('double-failpoints', {
      count: full ? 2_500 : 2,
      seed: 1,
      budget: full ? '50m' : '60s',
    })
    assert.ok(doubles > 0, `${doubles} doubles`)
  },
)
