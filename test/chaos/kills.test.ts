import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requirement } from '../support/requirement.ts'
import { suite } from './kills.ts'

test(
  'twenty kills at random moments lose nothing, double nothing, and show no reader half an epoch',
  requirement('postgres'),
  async () => {
    const full = process.env['MILLRACE_TEST_SCALE'] === 'full'
    const { counts, mustBeZero, problems } = await suite.run({
      count: full ? 200 : 20,
      seed: 1,
      budgetMs: full ? 600_000 : 50_000,
      name: '',
      say: () => {},
    })
    assert.deepEqual(problems, [])
    for (const what of mustBeZero) assert.equal(counts[what], 0, what)
    assert.ok((counts['kills'] ?? 0) >= 5, `${counts['kills']} kills`)
  },
)
