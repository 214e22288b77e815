import assert from 'node:assert/strict'
import { Random } from '../src/base/random.ts'
import { BinaryModel, type BinaryModelOptions } from '../src/ml/binary-model.ts'
import { type FeatureVector, featureVector } from '../src/ml/feature-vector.ts'
import { logLoss } from '../src/ml/metrics/prequential.ts'
import type { OptimizerOptions } from '../src/ml/optimizer.ts'
import type { Bench } from './support/bench.ts'
import { type Contender, measure, resultOf } from './support/measure.ts'

const FEATURES = 30
const ROWS = 100_000

/** Predicting and learning, row by row on one core: scaler, logistic regression, L2, log loss, 30 gaussian features. */
export const bench: Bench = {
  name: 'ml',
  summary: `predict and learn per row: ${FEATURES} numbers, scaled; logistic regression with L2; log loss (River 0.22: 14,100 rows/s)`,
  async run() {
    const rows = gaussianRows(new Random(1))
    const contenders = [
      contender('ada-grad', { kind: 'ada-grad', rate: 0.1, epsilon: 1e-8 }, rows),
      contender('adam', { kind: 'adam', rate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }, rows),
      contender('ftrl', { kind: 'ftrl', alpha: 0.05, beta: 1, l1: 0, l2: 1 }, rows),
      contender('sgd', { kind: 'sgd', learningRate: { kind: 'constant', rate: 0.01 } }, rows),
    ]
    const measured = await measure(contenders)
    return measured.map((one) => resultOf({ name: one.name, data: 'gaussian' }, one))
  },
}

interface Rows {
  readonly values: Float64Array
  readonly labels: Uint8Array
}

function contender(name: string, optimizer: OptimizerOptions, { values, labels }: Rows): Contender {
  const options: BinaryModelOptions = {
    scale: true,
    optimizer,
    l2: 0.0001,
    interceptRate: { kind: 'constant', rate: 0.01 },
    fromBaseRate: false,
    weightPos: 1,
    weightNeg: 1,
    keepNegatives: 1,
    plattRate: null,
  }
  const row = fullRow()
  return {
    name,
    run() {
      const model = new BinaryModel(options, { size: FEATURES, numbers: FEATURES, featuresMax: FEATURES })
      let loss = 0
      for (let index = 0; index < ROWS; index++) {
        for (let slot = 0; slot < FEATURES; slot++) row.values[slot] = values[index * FEATURES + slot] as number
        const label = labels[index] === 1
        loss += logLoss(model.probability(row), label)
        model.learn(row, label)
      }
      assert.ok(loss / ROWS < 0.6, `a loss of ${loss / ROWS}: nothing was learned`)
      return ROWS
    },
  }
}

function fullRow(): FeatureVector {
  const row = featureVector(FEATURES)
  for (let slot = 0; slot < FEATURES; slot++) row.indices[slot] = slot
  row.count = FEATURES
  row.numbers = FEATURES
  return row
}

/** Labels that a third of the numbers tell something about. */
function gaussianRows(random: Random): Rows {
  const values = new Float64Array(ROWS * FEATURES)
  const labels = new Uint8Array(ROWS)
  for (let row = 0; row < ROWS; row++) {
    let logit = -1
    for (let slot = 0; slot < FEATURES; slot++) {
      const value = 5 + 2 * gaussian(random)
      values[row * FEATURES + slot] = value
      if (slot % 3 === 0) logit += (value - 5) * 0.3
    }
    labels[row] = random.chance(1 / (1 + Math.exp(-logit))) ? 1 : 0
  }
  return { values, labels }
}

/** By G. E. P. Box and M. E. Muller (1958). */
function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.fraction())) * Math.cos(2 * Math.PI * random.fraction())
}
