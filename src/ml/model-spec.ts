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

/** When a model learns. */
export type Learning = 'each' | 'batch' | 'compat'

/** A model's choices; what is left out has its default. */
export interface LogisticRegressionSpec {
  /** `sgd(0.01)`. */
  readonly optimizer?: OptimizerOptions
  /** 0. */
  readonly l2?: number
  /** Rate of the intercept; 0.01. For rare positives one that falls: large enough to get there, small enough to stay. */
  readonly interceptRate?: number | LearningRateOptions
  /** Begins at the log odds of the share of positives so far, so that without a signal the model says just that; false. Not for batches. */
  readonly fromBaseRate?: boolean
  /** Scales numbers to mean 0 and variance 1; true. */
  readonly scale?: boolean
  /** What a row of either class counts; probabilities are corrected for it. 1 and 1. */
  readonly classWeights?: { readonly positive: number; readonly negative: number }
  /** Share of the negatives that are learned from; probabilities are corrected for it. 1. */
  readonly keepNegatives?: number
  /** Rate of online calibration; null, the default: none. */
  readonly calibration?: number | null
  /** `each`. */
  readonly learning?: Learning
  /** 1,000. */
  readonly metricsWindow?: number
  /** `adwin()`; null: none. */
  readonly drift?: DriftOptions | null
  /** Null, the default: none. `adwin()`, `pageHinkley()` or `kswin()`; weights that learn change what they say, too, so a calm stream has alarms. */
  readonly scoreDrift?: DriftOptions | null
  /** 1,000; null: weights are never taken back. */
  readonly guardOutcomes?: number | null
  /** 0.1; for rare positives, of which everything said is small, a smaller one; null: none. */
  readonly calibrationBound?: number | null
}

/** Logistic regression that learns while rows come. */
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

/** What of a model's choices is there for several classes, too. */
export type SoftmaxRegressionSpec = Pick<LogisticRegressionSpec, 'optimizer' | 'l2' | 'scale' | keyof WatchSpec>

/** Softmax regression that learns while rows come: a weight per feature and class, and a constant per class. (A49) */
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
 * The model of the system `online-model` as it was: no scaling, a full fit on the first batch, then one step per batch, rate 0.05, L2
 * 0.01, nothing watched. To be compared with, not to be used. (A4, A20)
 */
export function compatModel(): LogisticSpec {
  const choices = { optimizer: sgd(0.05), l2: 0.01, interceptRate: 0.05, scale: false, learning: 'compat' } as const
  return logisticRegression({ ...choices, drift: null, guardOutcomes: null, calibrationBound: null })
}

/** Plain gradient descent, at a rate that may fall with the steps. */
export function sgd(rate: number | LearningRateOptions): OptimizerOptions {
  return { kind: 'sgd', learningRate: rateOf(rate) }
}

/** The rate falls as rate / (steps + 1)^power. (A52) */
export function inverseScaling(rate: number, power = 0.25): LearningRateOptions {
  return { kind: 'inverse-scaling', rate, power }
}

/** The rate falls as 1 / (alpha (t0 + steps)), by L. Bottou. */
export function optimalRate(alpha = 1e-4): LearningRateOptions {
  return { kind: 'optimal', alpha }
}

/** A rate per weight that falls with its squared gradients. */
export function adaGrad(rate = 0.1): OptimizerOptions {
  return { kind: 'ada-grad', rate, epsilon: 1e-8 }
}

/** As AdaGrad, but old gradients are forgotten. */
export function rmsProp(rate = 0.1, rho = 0.9): OptimizerOptions {
  return { kind: 'rms-prop', rate, rho, epsilon: 1e-8 }
}

/** Momentum and a rate per weight. */
export function adam(rate = 0.1): OptimizerOptions {
  return { kind: 'adam', rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
}

/** Follow the regularized leader: for many sparse features; `l1` keeps weights at 0. */
export function ftrl(
  choices: { readonly alpha?: number; readonly beta?: number; readonly l1?: number; readonly l2?: number } = {},
): OptimizerOptions {
  return { kind: 'ftrl', alpha: 0.05, beta: 1, l1: 0, l2: 1, ...choices }
}

/** A window that shrinks when the mean of losses changes. */
export function adwin(delta = 0.002): DriftOptions {
  return { kind: 'adwin', delta, clock: 32, bucketsMax: 5, sideMin: 5, grace: 10 }
}

/** Sums of deviations of losses from their mean. */
export function pageHinkley(threshold = 50, delta = 0.005): DriftOptions {
  return { kind: 'page-hinkley', valuesMin: 30, delta, threshold, alpha: 1 - 0.0001 }
}

/** Wrong answers that come more often than they did. */
export function ddm(): DriftOptions {
  return { kind: 'ddm', valuesMin: 30, warningThreshold: 2, driftThreshold: 3 }
}

/** Wrong answers that come closer to each other. */
export function eddm(): DriftOptions {
  return { kind: 'eddm', valuesMin: 30, warningShare: 0.95, driftShare: 0.9 }
}

/** Wrong answers by Hoeffding's bound, for sudden changes. */
export function hddmA(): DriftOptions {
  return { kind: 'hddm-a', driftConfidence: 0.001, warningConfidence: 0.005 }
}

/** Wrong answers by McDiarmid's bound, for gradual changes. */
export function hddmW(): DriftOptions {
  return { kind: 'hddm-w', driftConfidence: 0.001, warningConfidence: 0.005, lambda: 0.05 }
}

/** The newest losses against older ones by the test of Kolmogorov and Smirnov. */
export function kswin(alpha = 0.005, seed = 42): DriftOptions {
  return { kind: 'kswin', alpha, windowSize: 100, recentSize: 30, seed }
}

function rateOf(rate: number | LearningRateOptions): LearningRateOptions {
  return typeof rate === 'number' ? { kind: 'constant', rate } : rate
}
