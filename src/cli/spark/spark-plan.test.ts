import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PRESETS } from '../../pipelines/index.ts'
import { fileSource } from '../../plan/connectors.ts'
import { sourceOf } from '../../plan/plan-source.ts'
import { withSource } from '../adapt-plan.ts'
import { fullPath, withFullPaths } from './spark-plan.ts'

test('a folder is told from the root, an address as it is', () => {
  assert.equal(fullPath('/w', 'out'), '/w/out')
  assert.equal(fullPath('/w', '/out/../in'), '/in')
  assert.equal(fullPath('/w', 's3a://lake/checkpoints'), 's3a://lake/checkpoints')
  assert.equal(fullPath('/w', 'file:/lake'), 'file:/lake')
})

test('what is read is a pattern below a folder that is none', () => {
  const plan = PRESETS.get('user-activity')?.build()
  assert.ok(plan)
  const read = sourceOf(withFullPaths(withSource(plan, fileSource('in/[ab].gz', '/odd[1]/*')), '/w {1}/[a]\\'))
  assert.deepEqual('paths' in read && read.paths, ['/w \\{1\\}/\\[a\\]\\\\/in/[ab].gz', '/odd[1]/*'])
})
