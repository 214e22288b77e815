import type { DriftOptions } from '../ml/drift/index.ts'
import type { LearningRateOptions } from '../ml/learning-rate.ts'
import type { LogisticSpec, ModelSpec } from '../ml/model-spec.ts'
import type { OptimizerOptions } from '../ml/optimizer.ts'
import type { ContestSpec, ModelFeature } from './node.ts'
import { kinds, list, nullable, number, object, type Shape, text, truth, word } from './shape.ts'

/** The shape of a feature of a model in a plan that comes as JSON. */
export const modelFeatureShape: Shape<ModelFeature> = kinds<ModelFeature>('feature of a model', {
  column: { column: text() },
  'one-hot': { column: text(), valuesMax: number() },
  hashed: { column: text(), buckets: number(), signed: truth() },
})

const rateShape = kinds<LearningRateOptions>('learning rate', {
  constant: { rate: number() },
  'inverse-scaling': { rate: number(), power: number() },
  optimal: { alpha: number() },
})

const optimizerShape = kinds<OptimizerOptions>('optimizer', {
  sgd: { learningRate: rateShape },
  'ada-grad': { rate: number(), epsilon: number() },
  'rms-prop': { rate: number(), rho: number(), epsilon: number() },
  adam: { rate: number(), beta1: number(), beta2: number(), epsilon: number() },
  ftrl: { alpha: number(), beta: number(), l1: number(), l2: number() },
})

const driftShape = kinds<DriftOptions>('drift detector', {
  adwin: { delta: number(), clock: number(), bucketsMax: number(), sideMin: number(), grace: number() },
  'page-hinkley': { valuesMin: number(), delta: number(), threshold: number(), alpha: number() },
  ddm: { valuesMin: number(), warningThreshold: number(), driftThreshold: number() },
  eddm: { valuesMin: number(), warningShare: number(), driftShare: number() },
  'hddm-a': { driftConfidence: number(), warningConfidence: number() },
  'hddm-w': { driftConfidence: number(), warningConfidence: number(), lambda: number() },
  kswin: { alpha: number(), windowSize: number(), recentSize: number(), seed: number() },
})

const watchMembers = {
  metricsWindow: number(),
  drift: nullable(driftShape),
  scoreDrift: nullable(driftShape),
  guardOutcomes: nullable(number()),
  calibrationBound: nullable(number()),
} as const

const logisticMembers = {
  scale: truth(),
  optimizer: optimizerShape,
  l2: number(),
  interceptRate: rateShape,
  fromBaseRate: truth(),
  weightPos: number(),
  weightNeg: number(),
  keepNegatives: number(),
  plattRate: nullable(number()),
  learning: word('way to learn', ['each', 'batch', 'compat']),
  ...watchMembers,
} as const

/** The shape of a model in a plan that comes as JSON. */
export const modelShape: Shape<ModelSpec> = kinds<ModelSpec>('model', {
  logistic: logisticMembers,
  softmax: { scale: truth(), optimizer: optimizerShape, l2: number(), ...watchMembers },
})

/** The shape of the models beside one in a plan that comes as JSON. */
export const contestShape: Shape<ContestSpec> = object<ContestSpec>({
  challengers: list(
    object<ContestSpec['challengers'][number]>({
      name: text(),
      model: kinds<LogisticSpec>('challenger', { logistic: logisticMembers }),
    }),
  ),
  promoteAfter: nullable(number()),
})
