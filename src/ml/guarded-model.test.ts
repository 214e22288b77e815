import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BinaryModel } from './binary-model.ts'
import { GuardedModel } from './guarded-model.ts'
import { adwin, type LogisticSpec, logisticRegression } from './model-spec.ts'

const SLOTS = { size: 2, numbers: 2, featuresMax: 2 }

test('a loss that is no number takes the weights back at once, and drift is watched as if it had not been', () => {
  const guarded = guardedBy(logisticRegression({ drift: adwin(), guardOutcomes: 1000 }))
  guarded.judge(Number.NaN, 0.5, true)
  assert.equal(guarded.counts.rollbacks, 1)
  for (let outcome = 0; outcome < 500; outcome++) guarded.judge(0.1, 0.5, false)
  assert.equal(guarded.counts.drifts, 0)
  for (let outcome = 0; outcome < 500; outcome++) guarded.judge(2, 0.5, true)
  assert.ok(guarded.counts.drifts > 0)
  const events = guarded.takeEvents().map(({ kind, outcome }) => [kind, outcome])
  assert.deepEqual(events[0], ['rollback', 1])
})

function guardedBy(spec: LogisticSpec): GuardedModel<BinaryModel> {
  return new GuardedModel(() => new BinaryModel(spec, SLOTS), spec, SLOTS.size)
}
