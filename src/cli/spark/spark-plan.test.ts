import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fullPath } from './spark-plan.ts'

test('a folder is told from the root, an address as it is', () => {
  assert.equal(fullPath('/w', 'out'), '/w/out')
  assert.equal(fullPath('/w', '/out/../in'), '/in')
  assert.equal(fullPath('/w', 's3a://lake/checkpoints'), 's3a://lake/checkpoints')
  assert.equal(fullPath('/w', 'file:/lake'), 'file:/lake')
})
