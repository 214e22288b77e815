import { BinaryModel, type BinaryModelOptions } from '../../src/ml/binary-model.ts'
import { type FeatureVector, featureVector } from '../../src/ml/feature-vector.ts'
import { Learner } from '../../src/ml/learner.ts'
import { logLoss } from '../../src/ml/metrics/prequential.ts'
import { logisticRegression, sgd } from '../../src/ml/model-spec.ts'
import type { OptimizerOptions } from '../../src/ml/optimizer.ts'
import { FEATURES, type Rows } from './gaussian.ts'

const SLOTS = { size: FEATURES, numbers: FEATURES, featuresMax: FEATURES }
export const L2 = 0.0001

/** Predicts and learns the first rows one by one; gives the sum of log losses. */
export function learnBare(optimizer: OptimizerOptions, rows: Rows, count: number): number {
  const model = new BinaryModel(optionsOf(optimizer), SLOTS)
  const row = fullRow()
  let loss = 0
  for (let index = 0; index < count; index++) {
    fill(row, rows, index)
    const label = rows.labels[index] === 1
    loss += logLoss(model.probability(row), label)
    model.learn(row, label)
  }
  return loss
}

/** The same with all that watches a model in a pipeline: metrics, base rate, ADWIN, rollback. */
export function learnWatched(rows: Rows, count: number): number {
  const learner = new Learner(logisticRegression({ optimizer: sgd(0.01), l2: L2 }), SLOTS)
  const row = fullRow()
  let loss = 0
  for (let index = 0; index < count; index++) {
    fill(row, rows, index)
    const label = rows.labels[index] === 1
    const probability = learner.probability(row)
    loss += logLoss(probability, label)
    learner.settle(row, probability, learner.baseRate, label)
  }
  return loss
}

function optionsOf(optimizer: OptimizerOptions): BinaryModelOptions {
  return logisticRegression({ optimizer, l2: L2 })
}

function fill(row: FeatureVector, { values }: Rows, index: number): void {
  for (let slot = 0; slot < FEATURES; slot++) row.values[slot] = values[index * FEATURES + slot] as number
}

function fullRow(): FeatureVector {
  const row = featureVector(FEATURES)
  for (let slot = 0; slot < FEATURES; slot++) row.indices[slot] = slot
  row.count = FEATURES
  row.numbers = FEATURES
  return row
}
