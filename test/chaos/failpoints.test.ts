import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requirement } from '../support/requirement.ts'
import { suite } from './failpoints.ts'

test(
  'a job that dies at each of its steps, and at some more while it recovers, loses and doubles nothing',
  requirement('postgres'),
  async () => {
    const full = process.env['MILLRACE_TEST_SCALE'] === 'full'
    const { counts, mustBeZero, problems } = await suite.run({
      count: full ? 100 : 2,
      seed: 1,
      budgetMs: full ? 900_000 : 240_000,
      name: '',
      say: () => {},
    })
    assert.deepEqual(problems, [])
    for (const what of mustBeZero) assert.equal(counts[what], 0, what)
  },
)
