import assert from 'node:assert/strict'
import { test } from 'node:test'
import { suite } from './corruption.ts'

test('a damaged file is noticed by the next start or by its reader, or does no harm', async () => {
  const count = process.env['MILLRACE_TEST_SCALE'] === 'full' ? 2_000 : 48
  const { counts, problems } = await suite.run({ count, seed: 1, budgetMs: 300_000, name: '', say: () => {} })
  assert.deepEqual(problems, [])
  assert.equal(counts['damaged'], count)
  // A suite in which nothing is ever noticed would have tested nothing.
  assert.ok((counts['atStart'] ?? 0) > count / 10 && (counts['byReader'] ?? 0) > 0)
})
