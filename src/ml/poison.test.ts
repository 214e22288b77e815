import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fill, POISONED_OPTIMIZERS, POISONS } from '../../test/support/poisons.ts'
import { ByteReader, ByteWriter, encodeText } from '../base/bytes.ts'
import { Random } from '../base/random.ts'
import { hashedSlot } from './feature-hasher.ts'
import { addNumber, addText, featureVector } from './feature-vector.ts'
import { Learner } from './learner.ts'
import { adaGrad, type LogisticSpec, logisticRegression, sgd } from './model-spec.ts'
import { OneHot } from './one-hot.ts'

/*
 * What a stream may throw at a model. Whatever it is: probabilities are probabilities, metrics are numbers, and state comes back from its
 * bytes.
 */

for (const [poison, valuesOf] of Object.entries(POISONS)) {
  for (const [name, optimizer] of Object.entries(POISONED_OPTIMIZERS)) {
    for (const scale of [true, false]) {
      test(`${poison}: ${name}, ${scale ? 'scaled' : 'as they are'}`, () => {
        const spec = logisticRegression({ optimizer, scale, l2: 0.01, guardOutcomes: 100, calibration: 0.05 })
        run(spec, valuesOf, (random) => random.chance(0.3), true)
      })
    }
  }
}

for (const label of [true, false]) {
  test(`one class only, ${label}: the metrics say what can be said`, () => {
    const { metrics } = run(
      logisticRegression({ keepNegatives: 0.5 }),
      (random) => [random.fraction()],
      () => label,
    )
    assert.equal(metrics.auc, null)
    assert.equal(metrics.lift, label ? 1 : null)
    assert.equal(metrics.accuracy, 1)
    assert.equal(metrics.majorityAccuracy, 1)
  })
}

test('a rate that is far too high is taken back, and says so', () => {
  const wild = logisticRegression({ optimizer: sgd(1e6), l2: 1e6, scale: false, guardOutcomes: 100 })
  const { counts } = run(
    wild,
    (random) => [random.fraction() * 1e6],
    (random) => random.chance(0.5),
  )
  assert.ok(counts.rollbacks > 0)
})

test('a hundred thousand categories take the slots that were planned', () => {
  const oneHot = new OneHot(1000)
  const seen = new Set<number>()
  for (let category = 0; category < 100_000; category++) seen.add(oneHot.slot(encodeText(`c${category}`)))
  assert.equal(seen.size, 1000)
  assert.equal(oneHot.slot(encodeText('c998')), 998)
  assert.equal(oneHot.slot(encodeText('c999')), 999)
  assert.equal(oneHot.slot(encodeText('never seen')), 999)
  assert.equal(oneHot.names().length, 999)

  const buckets = 2 ** 18
  const hashes = new Set<number>()
  let negative = 0
  for (let category = 0; category < 100_000; category++) {
    const { slot, value } = hashedSlot(encodeText(`c${category}`), buckets, true)
    assert.ok(slot >= 0 && slot < buckets)
    hashes.add(slot)
    if (value < 0) negative++
  }
  const expected = buckets * (1 - Math.exp(-100_000 / buckets))
  assert.ok(Math.abs(hashes.size - expected) < 500, `${hashes.size} of ${expected} slots`)
  assert.ok(Math.abs(negative - 50_000) < 1_000)
})

test('a model with a slot for each of a hundred thousand categories comes back from its bytes', () => {
  const slots = { size: 100_001, numbers: 1, featuresMax: 2 }
  const spec = logisticRegression({ optimizer: adaGrad() })
  const learner = new Learner(spec, slots)
  const row = featureVector(2)
  for (let category = 0; category < 100_000; category++) {
    row.count = 0
    addNumber(row, 0, category % 7)
    addText(row, 1 + category, 1)
    learner.settle(row, learner.probability(row), learner.baseRate, category % 3 === 0)
  }
  assertComesBack(spec, slots, learner)
})

/** Two thousand rows by one model; of a `steady` one every weight is a number at any time. */
function run(
  spec: LogisticSpec,
  valuesOf: (random: Random, label: boolean) => readonly number[],
  labelOf: (random: Random) => boolean,
  steady = false,
) {
  const slots = { size: 2, numbers: 2, featuresMax: 2 }
  const learner = new Learner(spec, slots)
  const random = new Random(7)
  const row = featureVector(2)
  for (let index = 0; index < 2000; index++) {
    const label = labelOf(random)
    fill(row, valuesOf(random, label))
    const probability = learner.probability(row)
    assert.ok(probability >= 0 && probability <= 1, `row ${index}: ${probability}`)
    learner.settle(row, probability, learner.baseRate, label)
    assert.ok(!steady || learner.model.sound, `row ${index}: ${learner.model.weights}`)
  }
  assertComesBack(spec, slots, learner)
  const report = learner.report()
  assert.ok(report)
  for (const [name, value] of Object.entries(report.metrics)) {
    const numbers = typeof value === 'number' || value === null ? [value ?? 0] : value.flatMap(Object.values<number>)
    assert.ok(numbers.every(Number.isFinite), `${name} is ${value}`)
  }
  return report
}

function assertComesBack(spec: LogisticSpec, slots: ConstructorParameters<typeof Learner>[1], learner: Learner): void {
  const bytes = bytesOf(learner)
  const copy = new Learner(spec, slots)
  copy.restore(new ByteReader(bytes, 'a model'))
  assert.ok(Buffer.from(bytesOf(copy)).equals(bytes), 'a restored model writes what it was restored from')
}

function bytesOf(learner: Learner): Uint8Array {
  const writer = new ByteWriter(1024)
  learner.write(writer)
  return writer.finish()
}
