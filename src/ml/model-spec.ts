import type { BinaryModelOptions } from './binary-model.ts'
import type { DriftOptions } from './drift/index.ts'
import type { LearningRateOptions } from './learning-rate.ts'
import type { OptimizerOptions } from './optimizer.ts'

/** A model as plain data, with how it learns and how it is watched. */
export type ModelSpec = LogisticSpec | SoftmaxSpec

/** A model of two classes. */
export interface LogisticSpec extends BinaryModelOptions, WatchSpec {
  readonly kind: 'logistic'
  /**
   * each     a step per row, in the order of time: the same weights for any cut into epochs
   * batch    a step per epoch, with the mean gradient of its rows
   * compat   as `batch`, but the weights begin with a full fit on the first epoch with both classes, and epochs with one are skipped
   */
  readonly learning: Learning
}

/** A model of several classes; it takes a step per row, in the order of time. */
export interface SoftmaxSpec extends WatchSpec {
  readonly kind: 'softmax'
  /** Numbers are brought to mean 0 and variance 1. */
  readonly scale: boolean
  readonly optimizer: OptimizerOptions
  readonly l2: number
}

/** How a model is watched. */
export interface WatchSpec {
  /** Outcomes that metrics look back on. */
  readonly metricsWindow: number
  /** Watches the losses, or whether answers were right; null: nobody does. */
  readonly drift: DriftOptions | null
  /** Watches the probabilities that are said of rows, of several classes the largest, long before outcomes are known; null: nobody does. */
  readonly scoreDrift: DriftOptions | null
  /**
   * After each so many outcomes (a sixteenth of the weights, if that is more): weights that were surely worse than the base rate go back to
   * the last ones that were surely better; null: never.
   */
  readonly guardOutcomes: number | null
  /** So do weights whose calibration error over those outcomes is surely larger than this; null: they may have any. */
  readonly calibrationBound: number | null
}

/** When a model learns: from `each` row, one step per epoch (`batch`), or as the original system did (`compat`). */
export type Learning = 'each' | 'batch' | 'compat'

/** The options of a model, each with its default. */
export interface LogisticRegressionSpec {
  /** Default: `sgd(0.01)`. */
  readonly optimizer?: OptimizerOptions
  /** Strength of L2 regularization. Default: 0. */
  readonly l2?: number
  /** Learning rate of the intercept. Default: 0.01. For rare positives, use one that falls. */
  readonly interceptRate?: number | LearningRateOptions
  /** Starts from the log odds of the share of positives so far, so that without a signal the model predicts the base rate. Default: false. Not for batches. */
  readonly fromBaseRate?: boolean
  /** Scales numbers to mean 0 and variance 1. Default: true. */
  readonly scale?: boolean
  /** Weight of a row of each class; probabilities are corrected for it. Default: 1 and 1. */
  readonly classWeights?: { readonly positive: number; readonly negative: number }
  /** Share of the negatives to learn from (under-sampling), 0 to 1; probabilities are corrected for it. Default: 1. */
  readonly keepNegatives?: number
  /** Learning rate of online calibration (Platt). Default: null, none. */
  readonly calibration?: number | null
  /** Default: `each`. */
  readonly learning?: Learning
  /** Outcomes that metrics look back on. Default: 1,000. */
  readonly metricsWindow?: number
  /** Drift detector. Default: `adwin()`; null: none. */
  readonly drift?: DriftOptions | null
  /**
   * Drift detector of the predicted probabilities: `adwin()`, `pageHinkley()` or `kswin()`. A model that learns changes its predictions as well, so
   * there are alarms in a calm stream. Default: null, none.
   */
  readonly scoreDrift?: DriftOptions | null
  /** After so many outcomes, weights that were surely worse than the base rate go back to the last good ones. Default: 1,000; null: never. */
  readonly guardOutcomes?: number | null
  /** So do weights whose calibration error over those outcomes is surely larger than this. Default: 0.1; for rare positives use less; null: no bound. */
  readonly calibrationBound?: number | null
}

/** Logistic regression that learns from each row when its label becomes known. */
export function logisticRegression(choices: LogisticRegressionSpec = {}): LogisticSpec {
  const { classWeights, calibration, drift, scoreDrift, guardOutcomes, calibrationBound } = choices
  return Object.freeze({
    kind: 'logistic',
    scale: choices.scale ?? true,
    optimizer: choices.optimizer ?? sgd(0.01),
    l2: choices.l2 ?? 0,
    interceptRate: rateOf(choices.interceptRate ?? 0.01),
    fromBaseRate: choices.fromBaseRate ?? false,
    weightPos: classWeights?.positive ?? 1,
    weightNeg: classWeights?.negative ?? 1,
    keepNegatives: choices.keepNegatives ?? 1,
    plattRate: calibration ?? null,
    learning: choices.learning ?? 'each',
    metricsWindow: choices.metricsWindow ?? 1000,
    drift: drift === undefined ? adwin() : drift,
    scoreDrift: scoreDrift ?? null,
    guardOutcomes: guardOutcomes === undefined ? 1000 : guardOutcomes,
    calibrationBound: calibrationBound === undefined ? 0.1 : calibrationBound,
  })
}

/** The options that a model of several classes has, too. */
export type SoftmaxRegressionSpec = Pick<LogisticRegressionSpec, 'optimizer' | 'l2' | 'scale' | keyof WatchSpec>

/** Softmax regression that learns from each row when its label becomes known: a weight per feature and class, and a constant per class. (A49) */
export function softmaxRegression(choices: SoftmaxRegressionSpec = {}): SoftmaxSpec {
  const { scale, optimizer, l2, metricsWindow, drift, scoreDrift, ...guard } = logisticRegression(choices)
  const { guardOutcomes, calibrationBound } = guard
  return Object.freeze({
    kind: 'softmax',
    scale,
    optimizer,
    l2,
    metricsWindow,
    drift,
    scoreDrift,
    guardOutcomes,
    calibrationBound,
  })
}

/**
 * The model of the original system `online-model`: no scaling, a full fit on the first batch, then one step per batch, rate 0.05, L2
 * 0.01, no drift detector. For comparison only. (A4, A20)
 */
export function compatModel(): LogisticSpec {
  const choices = { optimizer: sgd(0.05), l2: 0.01, interceptRate: 0.05, scale: false, learning: 'compat' } as const
  return logisticRegression({ ...choices, drift: null, guardOutcomes: null, calibrationBound: null })
}

/** Optimizer: stochastic gradient descent, at a constant rate or one that falls with the steps. */
export function sgd(rate: number | LearningRateOptions): OptimizerOptions {
  return { kind: 'sgd', learningRate: rateOf(rate) }
}

/** Learning rate that falls as rate / (steps + 1)^power. (A52) */
export function inverseScaling(rate: number, power = 0.25): LearningRateOptions {
  return { kind: 'inverse-scaling', rate, power }
}

/** Learning rate that falls as 1 / (alpha (t0 + steps)), by L. Bottou. */
export function optimalRate(alpha = 1e-4): LearningRateOptions {
  return { kind: 'optimal', alpha }
}

/** Optimizer: AdaGrad, a rate per weight that falls with the sum of its squared gradients. */
export function adaGrad(rate = 0.1): OptimizerOptions {
  return { kind: 'ada-grad', rate, epsilon: 1e-8 }
}

/** Optimizer: RMSProp, like AdaGrad with a mean of squared gradients that forgets old ones; `rho` is the share that is kept. */
export function rmsProp(rate = 0.1, rho = 0.9): OptimizerOptions {
  return { kind: 'rms-prop', rate, rho, epsilon: 1e-8 }
}

/** Optimizer: Adam, momentum and a rate per weight. */
export function adam(rate = 0.1): OptimizerOptions {
  return { kind: 'adam', rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
}

/** Optimizer: FTRL-Proximal (follow the regularized leader), for many sparse features. A larger `l1` keeps more weights at 0. */
export function ftrl(
  choices: { readonly alpha?: number; readonly beta?: number; readonly l1?: number; readonly l2?: number } = {},
): OptimizerOptions {
  return { kind: 'ftrl', alpha: 0.05, beta: 1, l1: 0, l2: 1, ...choices }
}

/** Drift detector: ADWIN, a window of losses that shrinks when their mean changes. `delta` is the chance of a false alarm. */
export function adwin(delta = 0.002): DriftOptions {
  return { kind: 'adwin', delta, clock: 32, bucketsMax: 5, sideMin: 5, grace: 10 }
}

/** Drift detector: Page-Hinkley, sums of how far losses are above their mean by more than `delta`; alarm at `threshold`. */
export function pageHinkley(threshold = 50, delta = 0.005): DriftOptions {
  return { kind: 'page-hinkley', valuesMin: 30, delta, threshold, alpha: 1 - 0.0001 }
}

/** Drift detector: DDM, alarm when wrong answers come more often than at their best. */
export function ddm(): DriftOptions {
  return { kind: 'ddm', valuesMin: 30, warningThreshold: 2, driftThreshold: 3 }
}

/** Drift detector: EDDM, alarm when wrong answers come closer to each other. */
export function eddm(): DriftOptions {
  return { kind: 'eddm', valuesMin: 30, warningShare: 0.95, driftShare: 0.9 }
}

/** Drift detector: HDDM-A, the share of wrong answers by Hoeffding's bound, for sudden changes. */
export function hddmA(): DriftOptions {
  return { kind: 'hddm-a', driftConfidence: 0.001, warningConfidence: 0.005 }
}

/** Drift detector: HDDM-W, a weighted share of wrong answers by McDiarmid's bound, for gradual changes. */
export function hddmW(): DriftOptions {
  return { kind: 'hddm-w', driftConfidence: 0.001, warningConfidence: 0.005, lambda: 0.05 }
}

/**
 * Drift detector: KSWIN, compares the newest 30 of 100 losses with older ones by the Kolmogorov-Smirnov test. `alpha` is the chance of a
 * false alarm per test.
 */
export function kswin(alpha = 0.005, seed = 42): DriftOptions {
  return { kind: 'kswin', alpha, windowSize: 100, recentSize: 30, seed }
}

function rateOf(rate: number | LearningRateOptions): LearningRateOptions {
  return typeof rate === 'number' ? { kind: 'constant', rate } : rate
}
