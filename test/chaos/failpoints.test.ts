import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requirement } from '../support/requirement.ts'
import { runChaos } from '../support/run-chaos.ts'

const full = process.env['MILLRACE_TEST_SCALE'] === 'full'

test('a job that dies at each of its steps loses and doubles nothing', requirement('postgres'), async () => {
  const { singles = 0 } = await runChaos('failpoints', {
    count: full ? 500 : 1,
    seed: 1,
    budget: full ? '50m' : '270s',
  })
  assert.ok(singles > 0, `${singles} singles`)
})
