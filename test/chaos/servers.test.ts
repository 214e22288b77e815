import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requirement } from '../support/requirement.ts'
import { suite } from './servers.ts'

test(
  'a PostgreSQL server that crashes and forgets confirmed transactions gets them again',
  requirement('postgres'),
  async () => {
    const full = process.env['MILLRACE_TEST_SCALE'] === 'full'
    const { counts, mustBeZero, problems } = await suite.run({
      count: full ? 60 : 4,
      seed: 6,
      budgetMs: full ? 300_000 : 30_000,
      name: '',
      say: () => {},
    })
    assert.deepEqual(problems, [])
    for (const what of mustBeZero) assert.equal(counts[what], 0, what)
    assert.ok((counts['restarts'] ?? 0) > 0)
  },
)
