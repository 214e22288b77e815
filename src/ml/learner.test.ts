import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteReader, ByteWriter } from '../base/bytes.ts'
import { Random } from '../base/random.ts'
import { addNumber, type FeatureVector, featureVector } from './feature-vector.ts'
import { Learner, type LearnerReport } from './learner.ts'
import {
  adaGrad,
  adam,
  adwin,
  compatModel,
  ddm,
  eddm,
  ftrl,
  hddmA,
  hddmW,
  inverseScaling,
  kswin,
  type LogisticSpec,
  logisticRegression,
  optimalRate,
  pageHinkley,
  rmsProp,
  sgd,
} from './model-spec.ts'

const SLOTS = { size: 2, numbers: 2, featuresMax: 2 }
const DETECTORS = [adwin(), pageHinkley(5), ddm(), eddm(), hddmA(), hddmW(), kswin()]
const OPTIMIZERS = [
  sgd(0.1),
  sgd(inverseScaling(0.5)),
  sgd(optimalRate(0.01)),
  adaGrad(),
  rmsProp(),
  adam(),
  ftrl({ l1: 0.001 }),
]

for (const [index, drift] of DETECTORS.entries()) {
  const optimizer = OPTIMIZERS[index % OPTIMIZERS.length] ?? sgd(0.1)
  test(`a model with ${drift.kind} and ${optimizer.kind} that is stored and restored again and again learns the same`, () => {
    const scoreDrift = index % 2 === 0 ? adwin() : kswin()
    const choices = { optimizer, drift, scoreDrift, guardOutcomes: 50, keepNegatives: 0.8, calibration: 0.05 } as const
    const spec = logisticRegression({ ...choices, metricsWindow: 200 })
    const straight = turning(new Learner(spec, SLOTS), (learner) => learner)
    const stored = turning(new Learner(spec, SLOTS), (learner) => restored(spec, learner))
    assert.ok(bytesOf(stored.learner).equals(bytesOf(straight.learner)))
    assert.deepEqual(stored.report, straight.report)
    const { drifts, rollbacks } = straight.report.counts
    assert.ok(drifts > 0, 'the turn of the stream is noticed')
    assert.ok(rollbacks > 0, 'weights that were worse than the base rate were taken back')
  })
}

test('weights go back to the last ones that were better than the base rate, and versions go on', () => {
  const spec = logisticRegression({ optimizer: sgd(0.5), guardOutcomes: 100, drift: null })
  const learner = new Learner(spec, SLOTS)
  const random = new Random(3)
  for (let row = 0; row < 100; row++) step(learner, random, 1)
  const [good, version] = [[...learner.model.weights], learner.model.updates]
  // Answers that are the opposite of what was learned, too few to learn better within the block.
  for (let row = 0; row < 100; row++) step(learner, random, random.chance(0.5) ? 1 : -1)
  assert.equal(learner.report()?.counts.rollbacks, 1)
  assert.deepEqual([...learner.model.weights], good)
  assert.equal(learner.model.updates, version + 100 + 1)
})

test('class weights and left out rows are taken back from the probabilities', () => {
  for (const choices of [
    { classWeights: { positive: 10, negative: 1 } },
    { keepNegatives: 0.1 },
    { classWeights: { positive: 3, negative: 2 }, keepNegatives: 0.2 },
  ]) {
    const learner = new Learner(logisticRegression({ optimizer: adaGrad(), drift: null, ...choices }), SLOTS)
    const random = new Random(5)
    let sum = 0
    for (let row = 0; row < 40_000; row++) sum += rareStep(learner, random)
    assert.ok(Math.abs(sum / 40_000 - 0.05) < 0.005, `${JSON.stringify(choices)} says ${sum / 40_000} of 0.05`)
  }
})

test('calibration makes probabilities come true that are too sure of themselves', () => {
  const errors = [null, 0.1].map((calibration) => {
    const spec = logisticRegression({ optimizer: sgd(3), drift: null, guardOutcomes: null, calibration })
    const learner = new Learner({ ...spec, metricsWindow: 5000 }, SLOTS)
    const random = new Random(9)
    for (let row = 0; row < 10_000; row++) rareStep(learner, random)
    return learner.report()?.metrics.ece ?? 1
  })
  const [plain = 0, calibrated = 1] = errors
  assert.ok(calibrated < plain / 2, `calibration error ${calibrated} of ${plain}`)
})

test('the model of the source system skips batches of one class, fits the first one with both, then takes a step per batch', () => {
  const learner = new Learner(compatModel(), SLOTS)
  const random = new Random(1)
  const batch = (labels: readonly boolean[]): number => {
    const row = featureVector(2)
    for (const label of labels) {
      fill(row, random.fraction() + (label ? 0.5 : 0), 1)
      learner.settle(row, learner.probability(row), learner.baseRate, label)
    }
    learner.endBatch()
    return learner.model.updates
  }
  assert.equal(batch([false, false]), 0)
  assert.equal(batch([true, false, true, false]), 1)
  const fitted = [...learner.model.weights]
  assert.ok(Math.abs(fitted[0] ?? 0) > 0.1, 'a full fit goes all the way')
  assert.equal(batch([true, true]), 1)
  assert.deepEqual([...learner.model.weights], fitted)
  assert.equal(batch([true, false]), 2)
  assert.equal(learner.report()?.counts.skippedBatches, 2)
})

/** A stream whose meaning turns around in the middle, by a learner that is handed on after each row. */
function turning(first: Learner, next: (learner: Learner) => Learner): { learner: Learner; report: LearnerReport } {
  const random = new Random(11)
  let learner = first
  for (let row = 0; row < 1500; row++) {
    step(learner, random, row < 750 ? 1 : -1)
    learner = next(learner)
  }
  const report = learner.report()
  assert.ok(report)
  return { learner, report }
}

function step(learner: Learner, random: Random, sign: number): void {
  const row = featureVector(2)
  const value = random.fraction() - 0.5
  fill(row, value, random.fraction())
  learner.settle(row, learner.probability(row), learner.baseRate, random.chance(1 / (1 + Math.exp(-20 * sign * value))))
}

/** One positive in twenty; gives the probability. */
function rareStep(learner: Learner, random: Random): number {
  const row = featureVector(2)
  const label = random.chance(0.05)
  fill(row, random.fraction() + (label ? 0.3 : 0), random.fraction())
  const probability = learner.probability(row)
  learner.settle(row, probability, learner.baseRate, label)
  return probability
}

function fill(row: FeatureVector, left: number, right: number): void {
  row.count = 0
  addNumber(row, 0, left)
  addNumber(row, 1, right)
}

function restored(spec: LogisticSpec, learner: Learner): Learner {
  const copy = new Learner(spec, SLOTS)
  copy.restore(new ByteReader(bytesOf(learner), 'a model'))
  return copy
}

function bytesOf(learner: Learner): Buffer {
  const writer = new ByteWriter(1024)
  learner.write(writer)
  return Buffer.from(writer.finish())
}
