import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requirement } from '../support/requirement.ts'
import { suite } from './zombies.ts'

test(
  'a process that wakes up after it was taken over publishes nothing and ends',
  requirement('postgres'),
  async () => {
    const full = process.env['MILLRACE_TEST_SCALE'] === 'full'
    const { counts, mustBeZero, problems } = await suite.run({
      count: full ? 30 : 3,
      seed: 1,
      budgetMs: full ? 300_000 : 40_000,
      name: '',
      say: () => {},
    })
    assert.deepEqual(problems, [])
    for (const what of mustBeZero) assert.equal(counts[what], 0, what)
    assert.ok((counts['zombies'] ?? 0) > 0)
  },
)
