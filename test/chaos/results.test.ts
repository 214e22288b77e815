import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../support/run-millrace.ts'
import { added, type Result, Results } from './results.ts'

test('runs of one suite on one commit are added up, and others are not among them', async (t) => {
  const results = new Results(join(await temporaryFolder(t), 'results.ndjson'))
  const run = (suite: string, commit: string, kills: number): Result => {
    return { suite, commit, seed: 1, seconds: 2, counts: { kills, lost: 0 }, problems: [] }
  }
  assert.deepEqual(added(results.of('kills', 'a')), {})
  for (const one of [run('kills', 'a', 3), run('zombies', 'a', 5), run('kills', 'b', 7), run('kills', 'a', 11)]) {
    results.append(one)
  }
  assert.deepEqual(added(results.of('kills', 'a')), { kills: 14, lost: 0, seconds: 4 })
})
