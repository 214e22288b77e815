import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fill, POISONED_OPTIMIZERS, POISONS } from '../../test/support/poisons.ts'
import { ByteReader, ByteWriter } from '../base/bytes.ts'
import { Random } from '../base/random.ts'
import { ClassLearner } from './class-learner.ts'
import { addNumber, addText, type FeatureSlots, featureVector } from './feature-vector.ts'
import type { LearnerReport } from './learner.ts'
import { adaGrad, type SoftmaxSpec, sgd, softmaxRegression } from './model-spec.ts'

/*
 * As poison.test.ts, for models of several classes.
 */

const CLASSES = ['page', 'cart', 'purchase', 'none']
const SLOTS: FeatureSlots = { size: 2, numbers: 2, featuresMax: 2 }
const ROWS = 2000

for (const [poison, valuesOf] of Object.entries(POISONS)) {
  for (const [name, optimizer] of Object.entries(POISONED_OPTIMIZERS)) {
    for (const scale of [true, false]) {
      test(`${poison}: ${name}, ${scale ? 'scaled' : 'as they are'}`, () => {
        const spec = softmaxRegression({ optimizer, scale, l2: 0.01, guardOutcomes: 100 })
        run(spec, valuesOf, (random) => random.below(CLASSES.length), true)
      })
    }
  }
}

for (const [index, only] of CLASSES.entries()) {
  test(`one class only, ${only}: it is said of it, and of the others, what can be said`, () => {
    const reports = run(
      softmaxRegression({ optimizer: adaGrad() }),
      (random) => [random.fraction()],
      () => index,
      true,
    )
    for (const [place, { metrics, counts }] of reports.entries()) {
      const { outcomes, positives, auc, lift, accuracy, majorityAccuracy } = metrics
      const own = place === index
      assert.deepEqual([outcomes, positives, auc, lift], [1000, own ? 1000 : 0, null, own ? 1 : null])
      assert.deepEqual([accuracy, majorityAccuracy], [1, 1])
      assert.equal(counts.rollbacks, 0, 'who says what always comes is no worse than its share')
    }
  })
}

test('classes that come for the first time after an hour of one are learned', () => {
  const reports = run(
    softmaxRegression({ optimizer: adaGrad() }),
    (_, likely) => [likely ? 1 : 0],
    (random, row, likely) => (row < 0.8 * ROWS || likely ? 0 : 1 + random.below(2)),
    true,
  )
  assert.deepEqual(
    reports.map(({ metrics }) => metrics.positives > 0),
    [true, true, true, false],
  )
})

test('a rate that is far too high is taken back, says so, and drift is still watched', () => {
  const wild = softmaxRegression({ optimizer: sgd(1e6), l2: 1e6, scale: false, guardOutcomes: 100 })
  const [report] = run(
    wild,
    (random) => [random.fraction() * 1e6],
    (random) => random.below(CLASSES.length),
  )
  assert.ok((report?.counts.rollbacks ?? 0) > 0)
})

test('a model with a slot for each of a hundred thousand categories comes back from its bytes', () => {
  const slots = { size: 100_001, numbers: 1, featuresMax: 2 }
  const spec = softmaxRegression({ optimizer: adaGrad() })
  const learner = new ClassLearner(spec, slots, CLASSES)
  const row = featureVector(2)
  const told = new Float64Array(2 * CLASSES.length)
  for (let category = 0; category < 100_000; category++) {
    row.count = 0
    addNumber(row, 0, category % 7)
    addText(row, 1 + category, 1)
    learner.tell(row, told)
    learner.settle(row, told, category % CLASSES.length)
  }
  assert.ok(learner.model.sound)
  assertComesBack(spec, slots, learner)
})

/** Rows by one model; of a `steady` one every weight is a number at any time. */
function run(
  spec: SoftmaxSpec,
  valuesOf: (random: Random, likely: boolean) => readonly number[],
  outcomeOf: (random: Random, row: number, likely: boolean) => number,
  steady = false,
): LearnerReport[] {
  const learner = new ClassLearner(spec, SLOTS, CLASSES)
  const random = new Random(7)
  const row = featureVector(SLOTS.featuresMax)
  const told = new Float64Array(2 * CLASSES.length)
  for (let index = 0; index < ROWS; index++) {
    const likely = random.chance(0.5)
    fill(row, valuesOf(random, likely))
    learner.tell(row, told)
    const probabilities = told.subarray(0, CLASSES.length)
    assert.ok(
      probabilities.every((one) => one >= 0 && one <= 1),
      `row ${index}: ${probabilities}`,
    )
    const sum = probabilities.reduce((total, one) => total + one, 0)
    assert.ok(Math.abs(sum - 1) < 1e-9, `row ${index}: ${probabilities}`)
    learner.settle(row, told, outcomeOf(random, index, likely))
    assert.ok(!steady || learner.model.sound, `row ${index}: ${learner.model.weights}`)
  }
  assertComesBack(spec, SLOTS, learner)
  const reports = learner.reports()
  assert.equal(reports?.length, CLASSES.length)
  for (const [name, value] of (reports ?? []).flatMap(({ metrics }) => Object.entries(metrics))) {
    const numbers = typeof value === 'number' || value === null ? [value ?? 0] : value.flatMap(Object.values<number>)
    assert.ok(numbers.every(Number.isFinite), `${name} is ${value}`)
  }
  return reports ?? []
}

function assertComesBack(spec: SoftmaxSpec, slots: FeatureSlots, learner: ClassLearner): void {
  const bytes = bytesOf(learner)
  const copy = new ClassLearner(spec, slots, CLASSES)
  copy.restore(new ByteReader(bytes, 'a model'))
  assert.ok(Buffer.from(bytesOf(copy)).equals(bytes), 'a restored model writes what it was restored from')
}

function bytesOf(learner: ClassLearner): Uint8Array {
  const writer = new ByteWriter(1024)
  learner.write(writer)
  return writer.finish()
}
