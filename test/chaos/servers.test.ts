import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requirement } from '../support/requirement.ts'
import { runChaos } from '../support/run-chaos.ts'

const full = process.env['MILLRACE_TEST_SCALE'] === 'full'

test(
  'a PostgreSQL server that crashes and forgets confirmed transactions gets them again',
  requirement('postgres'),
  async () => {
    const { restarts = 0 } = await runChaos('servers', { count: full ? 60 : 4, seed: 6, budget: full ? '10m' : '30s' })
    assert.ok(restarts > 0, `${restarts} restarts`)
  },
)
