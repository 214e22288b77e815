import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requirement } from '../support/requirement.ts'
import { runChaos } from '../support/run-chaos.ts'

const full = process.env['MILLRACE_TEST_SCALE'] === 'full'

test(
  'a job that is killed under a steady load has everything once in all its sinks, most of it after the log has let go of the events',
  requirement('postgres'),
  async () => {
    const size = full ? { count: 60, budget: '60m' } : { count: 2, budget: '10s' }
    const { kills = 0, events = 0 } = await runChaos('soak', { ...size, seed: 1 })
    assert.ok(kills === size.count && events > 10_000, `${kills} kills, ${events} events`)
  },
)
