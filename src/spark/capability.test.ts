import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PRESETS } from '../pipelines/index.ts'
import { sparkPlan } from './capability.ts'

test('repeats by partition are those over all partitions where the topic has a key: nothing differs but the watermark', () => {
  const { plan, changes, refusals } = sparkPlan(preset('url-device-activity'))
  assert.deepEqual(refusals, [])
  assert.equal(plan.queries.length, 3)
  const told = new Set(changes.map(({ what }) => what))
  assert.ok(told.has('a watermark that waits for the slowest partition'))
  assert.ok(!told.has('a dedupe by partition'))
})

test('without a key it is said that repeats in other partitions are repeats on Spark', () => {
  const withoutKey = JSON.parse(
    JSON.stringify(preset('url-device-activity')).replaceAll('"keyed":true', '"keyed":false'),
  )
  const { changes } = sparkPlan(withoutKey)
  assert.ok(changes.some(({ what }) => what === 'a dedupe by partition'))
})

test('a JSON column that a query uses is said to be written anew, one that none uses is not', () => {
  const told = (names: readonly string[]) => {
    const plan = preset('page-geo-sessions')
    const { changes } = sparkPlan({ ...plan, queries: plan.queries.filter(({ name }) => names.includes(name)) })
    return changes.map(({ what }) => what).filter((what) => what.startsWith('JSON'))
  }
  assert.deepEqual(told(['events_raw']), ['JSON as it was written ("props")'])
  assert.deepEqual(told(['sessions']), [])
})

test('of the presets only what learns, and the funnel, is refused, each by its name', () => {
  const refused = [...PRESETS.keys()].flatMap((name) => sparkPlan(preset(name)).refusals.map(({ query }) => query))
  const expected = ['checkout', 'features', 'model_metrics', 'model_weights', 'predictions']
  assert.deepEqual([...new Set(refused)].sort(), expected)
})

test('each refusal says what to do instead', () => {
  for (const name of PRESETS.keys()) {
    for (const { what, instead } of sparkPlan(preset(name)).refusals) assert.match(instead, /here|leave it out/, what)
  }
})

function preset(name: string) {
  const found = PRESETS.get(name)
  assert.ok(found)
  return found.build()
}
