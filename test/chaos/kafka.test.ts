import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requirement } from '../support/requirement.ts'
import { suite } from './kafka.ts'

test(
  'kills, cut connections, restarts of the broker and stale processes lose nothing and double nothing in Kafka',
  requirement('kafka'),
  async () => {
    const full = process.env['MILLRACE_TEST_SCALE'] === 'full'
    const { counts, mustBeZero, problems } = await suite.run({
      count: full ? 120 : 8,
      seed: 3,
      budgetMs: full ? 900_000 : 60_000,
      name: full ? '' : 'kills|cuts|endings|restarts|stale',
      say: () => {},
    })
    assert.deepEqual(problems, [])
    for (const what of mustBeZero) assert.equal(counts[what], 0, what)
    // How many fit into the time is the machine's affair.
    assert.ok((counts['rounds'] ?? 0) > 0, `${counts['rounds']} troubles`)
  },
)
