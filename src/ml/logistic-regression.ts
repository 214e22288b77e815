import type { ByteReader, ByteWriter } from '../base/bytes.ts'
import { addText, type FeatureVector, featureVector } from './feature-vector.ts'
import { type LearningRateOptions, learningRateAt } from './learning-rate.ts'
import { createOptimizer, type Optimizer, type OptimizerOptions } from './optimizer.ts'
import { readNumbers, writeNumbers } from './state-numbers.ts'

/** What the model is made for. */
export interface LogisticRegressionOptions {
  /** Slots that features may have. */
  readonly size: number
  readonly optimizer: OptimizerOptions
  /** Pulls the weights of the features of each row towards 0. */
  readonly l2: number
  /** The intercept has a rate of its own, and no L2. */
  readonly interceptRate: LearningRateOptions
  /** What a row of either class counts. */
  readonly weightPos: number
  readonly weightNeg: number
}

/** Gradients of the loss are cut here, as in River. */
const GRADIENT_MAX = 1e12
/** Beyond, the loss and the probability are their limits, as in River. */
const MARGIN_MAX = 18
const LOGIT_MAX = 30

/**
 * The probability of one of two classes, linear in the features: sigmoid(w x + b). Learns by gradient descent on the log loss, row by
 * row (`learn`) or by one step over a batch (`learnBatch`), which is not the same. The numbers of River's `LogisticRegression`.
 */
export class LogisticRegression {
  readonly #options: LogisticRegressionOptions
  readonly #optimizer: Optimizer
  readonly weights: Float64Array
  intercept = 0

  constructor(options: LogisticRegressionOptions) {
    this.#options = options
    this.#optimizer = createOptimizer(options.optimizer, options.size)
    this.weights = new Float64Array(options.size)
  }

  /** Log odds. */
  logit({ indices, values, count }: FeatureVector): number {
    return dot(this.weights, indices, values, count) + this.intercept
  }

  /** `logit` is what the weights say to the row, from which their step follows. */
  learn(row: FeatureVector, logit: number, label: boolean): void {
    const slope = this.#slope(logit, label)
    this.intercept -= learningRateAt(this.#options.interceptRate, this.#optimizer.steps) * slope
    this.#optimizer.step(this.weights, row, slope, this.#options.l2)
  }

  /** One step with the mean gradient of the rows; L2 for all weights. */
  learnBatch(rows: readonly FeatureVector[], labels: readonly boolean[]): void {
    if (rows.length === 0) return
    const { l2, interceptRate, size } = this.#options
    const mean = featureVector(size)
    for (let slot = 0; slot < size; slot++) addText(mean, slot, 0)
    let slopes = 0
    for (const [index, row] of rows.entries()) {
      const slope = this.#slope(this.logit(row), labels[index] as boolean)
      slopes += slope
      addScaled(mean.values, row, slope)
    }
    for (let slot = 0; slot < size; slot++) mean.values[slot] = (mean.values[slot] as number) / rows.length
    this.intercept -= (learningRateAt(interceptRate, this.#optimizer.steps) * slopes) / rows.length
    this.#optimizer.step(this.weights, mean, 1, l2)
  }

  write(writer: ByteWriter): void {
    writeNumbers(writer, this.weights)
    writer.f64(this.intercept)
    this.#optimizer.write(writer)
  }

  restore(reader: ByteReader): void {
    readNumbers(reader, this.weights)
    this.intercept = reader.f64()
    this.#optimizer.restore(reader)
  }

  #slope(logit: number, label: boolean): number {
    const { weightPos, weightNeg } = this.#options
    const slope = lossSlope(logit, label) * (label ? weightPos : weightNeg)
    return Math.max(-GRADIENT_MAX, Math.min(GRADIENT_MAX, slope))
  }
}

/** The probability that log odds stand for. */
export function sigmoid(logit: number): number {
  if (logit < -LOGIT_MAX) return 0
  return logit > LOGIT_MAX ? 1 : 1 / (1 + Math.exp(-logit))
}

/** Slope of the log loss at log odds. */
function lossSlope(logit: number, label: boolean): number {
  const sign = label ? 1 : -1
  const margin = logit * sign
  if (margin > MARGIN_MAX) return Math.exp(-margin) * -sign
  return margin < -MARGIN_MAX ? -sign : -sign / (Math.exp(margin) + 1)
}

function dot(weights: Float64Array, indices: Int32Array, values: Float64Array, count: number): number {
  let sum = 0
  for (let place = 0; place < count; place++) {
    sum += (weights[indices[place] as number] as number) * (values[place] as number)
  }
  return sum
}

function addScaled(to: Float64Array, { indices, values, count }: FeatureVector, factor: number): void {
  for (let place = 0; place < count; place++) {
    const index = indices[place] as number
    to[index] = (to[index] as number) + factor * (values[place] as number)
  }
}
