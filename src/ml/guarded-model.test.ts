import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../base/random.ts'
import { BinaryModel } from './binary-model.ts'
import { addNumber, featureVector } from './feature-vector.ts'
import { GuardedModel } from './guarded-model.ts'
import { Learner } from './learner.ts'
import { adwin, type LogisticSpec, logisticRegression, sgd } from './model-spec.ts'

const SLOTS = { size: 2, numbers: 2, featuresMax: 2 }

test('a loss that is no number takes the weights back at once, and drift is watched as if it had not been', () => {
  const guarded = guardedBy(logisticRegression({ drift: adwin(), guardOutcomes: 1000 }))
  guarded.judge(Number.NaN, 0.5, true, Number.NaN, false)
  assert.equal(guarded.counts.rollbacks, 1)
  for (let outcome = 0; outcome < 500; outcome++) guarded.judge(0.1, 0.5, false, 0.5, outcome % 2 === 0)
  assert.equal(guarded.counts.drifts, 0)
  for (let outcome = 0; outcome < 500; outcome++) guarded.judge(2, 0.5, true, 0.5, outcome % 2 === 0)
  assert.ok(guarded.counts.drifts > 0)
  const events = guarded.takeEvents().map(({ kind, outcome }) => [kind, outcome])
  assert.deepEqual(events[0], ['rollback', 1])
})

test('weights whose promises surely do not come true go back once, until others have kept theirs', () => {
  const guarded = guardedBy(logisticRegression({ drift: null, guardOutcomes: 100 }))
  const rollbacks = (of100: number): number => {
    for (let outcome = 0; outcome < 100; outcome++) guarded.judge(0.2, 0.5, false, 0.5, outcome < of100)
    return guarded.counts.rollbacks
  }
  assert.equal(rollbacks(100), 0, 'nothing is kept yet that they could go back to')
  assert.deepEqual(guarded.kept, [])
  assert.equal(rollbacks(41), 0, 'nine less than fifty may be chance')
  assert.equal(guarded.kept.length, 1)
  assert.equal(rollbacks(26), 1)
  assert.equal(rollbacks(26), 1, 'going back did not help, so they go on learning')
  assert.equal(rollbacks(55), 1)
  assert.equal(rollbacks(100), 2)
  assert.deepEqual(
    guarded.takeEvents().map(({ kind, outcome, reason }) => [kind, outcome, reason]),
    [
      ['rollback', 300, 'a calibration error of 0.140'],
      ['rollback', 600, 'a calibration error of 0.400'],
    ],
  )
})

test('weights that were taken back in between are judged by what they say themselves, not by what those before them said', () => {
  const guarded = guardedBy(logisticRegression({ drift: null, guardOutcomes: 100 }))
  const judge = (outcomes: number, loss: number): void => {
    for (let outcome = 0; outcome < outcomes; outcome++) guarded.judge(loss, 0.5, false, 0.5, outcome % 2 === 0)
  }
  judge(100, 0.2)
  assert.equal(guarded.kept.length, 1)
  judge(90, 5)
  guarded.rollBackTo(null, 'by command')
  judge(100, 0.2)
  assert.equal(guarded.counts.rollbacks, 1)
  assert.equal(guarded.kept.length, 2)
})

test('the bound of the calibration error is a choice', () => {
  for (const [calibrationBound, rollbacks] of [
    [0.5, 0],
    [null, 0],
    [0.3, 1],
  ] as const) {
    const guarded = guardedBy(logisticRegression({ drift: null, guardOutcomes: 100, calibrationBound }))
    for (let outcome = 0; outcome < 100; outcome++) guarded.judge(0.2, 0.5, false, 0.5, outcome < 50)
    for (let outcome = 0; outcome < 100; outcome++) guarded.judge(0.2, 0.5, false, 0.5, true)
    assert.equal(guarded.counts.rollbacks, rollbacks, `${calibrationBound}`)
  }
})

test('what is said of rows is watched before any outcome is known', () => {
  const learner = new Learner(logisticRegression({ optimizer: sgd(0.1), drift: null, scoreDrift: adwin() }), SLOTS)
  const random = new Random(5)
  const row = featureVector(2)
  const come = (mean: number): number => {
    row.count = 0
    addNumber(row, 0, mean + random.fraction())
    return learner.probability(row)
  }
  for (let index = 0; index < 500; index++) {
    const probability = come(0)
    learner.settle(row, probability, learner.baseRate, random.chance(row.values[0] as number))
  }
  learner.guarded.takeEvents()
  const before = learner.guarded.counts.scoreDrifts
  for (let index = 0; index < 200; index++) come(0)
  assert.equal(learner.guarded.counts.scoreDrifts, before, 'rows are as they were')
  for (let index = 0; index < 200; index++) come(2)
  assert.equal(learner.guarded.counts.scoreDrifts, before + 1)
  const [event, ...more] = learner.guarded.takeEvents()
  assert.deepEqual([event?.kind, event?.outcome, more], ['drift', 500, []])
  assert.match(event?.reason ?? '', /^adwin raised an alarm: what is said of rows has changed$/)
  assert.equal(learner.guarded.counts.drifts, 0)
})

function guardedBy(spec: LogisticSpec): GuardedModel<BinaryModel> {
  return new GuardedModel(() => new BinaryModel(spec, SLOTS), spec, SLOTS.size)
}
