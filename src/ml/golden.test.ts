import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { requirement } from '../../test/support/requirement.ts'
import { readPhishing, readSegments, riverAuc } from '../../test/support/river-data.ts'
import { riverModel } from '../../test/support/river-model.ts'
import { BinaryModel } from './binary-model.ts'
import { createDetector, type DriftOptions } from './drift/index.ts'
import { featureVector } from './feature-vector.ts'
import { logLoss } from './metrics/prequential.ts'
import { rankingOf } from './metrics/ranking.ts'
import type { OptimizerOptions } from './optimizer.ts'
import { SoftmaxRegression } from './softmax-regression.ts'
import { StandardScaler } from './standard-scaler.ts'

const GOLDEN_FOLDER = join(import.meta.dirname, '..', '..', 'test', 'golden', 'river')
const golden = JSON.parse(readFileSync(join(GOLDEN_FOLDER, 'golden.json'), 'utf8'))
const streams = JSON.parse(readFileSync(join(GOLDEN_FOLDER, 'drift_streams.json'), 'utf8'))

const sgd = (rate: number): OptimizerOptions => ({ kind: 'sgd', learningRate: { kind: 'constant', rate } })
const OPTIMIZERS: readonly (readonly [string, 'accuracy' | 'f1', OptimizerOptions])[] = [
  ['LogReg SGD(.1) accuracy', 'accuracy', sgd(0.1)],
  ['SGD(.1) F1', 'f1', sgd(0.1)],
  ['AdaGrad F1', 'f1', { kind: 'ada-grad', rate: 0.1, epsilon: 1e-8 }],
  ['Adam F1', 'f1', { kind: 'adam', rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }],
  ['FTRL F1', 'f1', { kind: 'ftrl', alpha: 0.05, beta: 1, l1: 0, l2: 1 }],
  ['RMSProp F1', 'f1', { kind: 'rms-prop', rate: 0.1, rho: 0.9, epsilon: 1e-8 }],
]

for (const [name, measure, optimizer] of OPTIMIZERS) {
  test(`${name} is River's to the digit`, requirement('data'), () => {
    const run = runPhishing(optimizer)
    assertNear(100 * run[measure], golden.checks[name][0], 1e-9)
  })
}

test("the default model has River's weights, losses and areas under the curve", requirement('data'), () => {
  const run = runPhishing(sgd(0.01))
  const expected = golden['default_lr_sgd_0.01']
  for (const [index, name] of run.names.entries()) {
    assertNear(run.model.weights[index] as number, expected.w[name], 1e-12)
  }
  assertNear(run.model.intercept, expected.b, 1e-12)
  assertNear(run.logLoss, expected.logloss, 1e-12)
  assertNear(run.accuracy, expected.acc, 1e-12)
  assertNear(run.f1, expected.f1, 1e-12)
  for (const rows of [200, 400, 600, 800, 1000, 1200, 1250]) {
    const auc = riverAuc(run.probabilities.slice(0, rows), run.labels.slice(0, rows), 10)
    assertNear(100 * auc, golden.checks[`default LR ROCAUC@${rows}`][0], 1e-9)
  }
})

test("the exact area under the curve is what River's comes to with enough thresholds", () => {
  const scores = Float64Array.of(0.1, 0.4, 0.35, 0.8)
  const labels = Uint8Array.of(0, 0, 1, 1)
  assertNear(100 * riverAuc([...scores], [false, false, true, true], 10), golden.checks['ROCAUC n=10 doc'][0], 1e-9)
  assertNear(100 * rankingOf(scores, labels, 1).auc, golden.checks['ROCAUC n=20 doc'][0], 1e-9)
})

test("softmax regression over image segments has River's F1 score", requirement('data'), () => {
  const rows = readSegments()
  const size = rows[0]?.values.length ?? 0
  const scaler = new StandardScaler(size)
  const model = new SoftmaxRegression({ size, optimizer: sgd(0.01), l2: 0, classesMax: 10 })
  const row = fullRow(size)
  const scaled = featureVector(size)
  const outcomes: (readonly [string, string])[] = []
  for (const { values, label } of rows) {
    row.values.set(values)
    scaler.transform(row, scaled)
    const [best] = model.probabilities(scaled).toSorted((left, right) => right.probability - left.probability)
    if (best) outcomes.push([label, best.name])
    scaler.learn(row)
    scaler.transform(row, scaled)
    assert.ok(model.learn(scaled, label))
  }
  assertNear(100 * macroF1(outcomes), golden.checks['Softmax MacroF1 ImageSegments'][0], 1e-9)
})

const HDDM = { driftConfidence: 0.001, warningConfidence: 0.005 }
const DETECTORS: readonly (readonly [string, 'A_seed12345' | 'B_seed42', DriftOptions])[] = [
  ['ADWIN', 'A_seed12345', { kind: 'adwin', delta: 0.002, clock: 32, bucketsMax: 5, sideMin: 5, grace: 10 }],
  [
    'PageHinkley',
    'A_seed12345',
    { kind: 'page-hinkley', valuesMin: 30, delta: 0.005, threshold: 50, alpha: 1 - 0.0001 },
  ],
  ['DDM', 'B_seed42', { kind: 'ddm', valuesMin: 30, warningThreshold: 2, driftThreshold: 3 }],
  ['EDDM(.8,.75)', 'B_seed42', { kind: 'eddm', valuesMin: 30, warningShare: 0.8, driftShare: 0.75 }],
  ['HDDM_A', 'B_seed42', { kind: 'hddm-a', ...HDDM }],
  ['HDDM_W', 'B_seed42', { kind: 'hddm-w', ...HDDM, lambda: 0.05 }],
  ['KSWIN(.0001,seed 42)', 'A_seed12345', { kind: 'kswin', alpha: 0.0001, windowSize: 100, recentSize: 30, seed: 42 }],
]

for (const [name, stream, options] of DETECTORS) {
  test(`${name} alarms where River's does`, () => {
    const detector = createDetector(options)
    const alarms: (readonly [string, number])[] = []
    let quiet = true
    for (const [index, value] of streams[stream].entries()) {
      detector.update(value)
      if (detector.warning && quiet) {
        alarms.push(['warn', index])
        quiet = false
      }
      if (!detector.drift) continue
      alarms.push(['drift', index])
      quiet = true
    }
    assert.deepEqual(alarms, golden.checks[name][0])
  })
}

function runPhishing(optimizer: OptimizerOptions) {
  const rows = readPhishing()
  const names = rows[0]?.names ?? []
  const model = new BinaryModel(riverModel(optimizer), {
    size: names.length,
    numbers: names.length,
    featuresMax: names.length,
  })
  const row = fullRow(names.length)
  const probabilities: number[] = []
  const labels: boolean[] = []
  let loss = 0
  for (const { values, label } of rows) {
    row.values.set(values)
    const positive = label === '1'
    const probability = model.probability(row)
    probabilities.push(probability)
    labels.push(positive)
    loss += logLoss(probability, positive)
    model.learn(row, positive)
  }
  const hits = probabilities.filter((probability, index) => probability > 0.5 === labels[index])
  return {
    names,
    model,
    probabilities,
    labels,
    logLoss: loss / rows.length,
    accuracy: hits.length / rows.length,
    f1: f1Score(probabilities.map((probability, index) => [String(labels[index]), String(probability > 0.5)])),
  }
}

function fullRow(size: number) {
  const row = featureVector(size)
  for (let index = 0; index < size; index++) row.indices[index] = index
  row.count = size
  row.numbers = size
  return row
}

function f1Score(outcomes: readonly (readonly string[])[], name = 'true'): number {
  const told = outcomes.filter(([, said]) => said === name).length
  const truly = outcomes.filter(([label]) => label === name).length
  const both = outcomes.filter(([label, said]) => label === name && said === name).length
  return both === 0 ? 0 : (2 * both) / (told + truly)
}

function macroF1(outcomes: readonly (readonly [string, string])[]): number {
  const names = new Set(outcomes.flat())
  return [...names].reduce((sum, name) => sum + f1Score(outcomes, name), 0) / names.size
}

function assertNear(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`)
}
