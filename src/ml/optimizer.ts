import { unreachable } from '../base/assert.ts'
import type { ByteReader, ByteWriter } from '../base/bytes.ts'
import type { FeatureVector } from './feature-vector.ts'
import { type LearningRateOptions, learningRateAt } from './learning-rate.ts'
import { readNumbers, writeNumbers } from './state-numbers.ts'

/** How a gradient becomes a step. */
export type OptimizerOptions =
  | { readonly kind: 'sgd'; readonly learningRate: LearningRateOptions }
  | { readonly kind: 'ada-grad'; readonly rate: number; readonly epsilon: number }
  | { readonly kind: 'rms-prop'; readonly rate: number; readonly rho: number; readonly epsilon: number }
  | {
      readonly kind: 'adam'
      readonly rate: number
      readonly beta1: number
      readonly beta2: number
      readonly epsilon: number
    }
  | { readonly kind: 'ftrl'; readonly alpha: number; readonly beta: number; readonly l1: number; readonly l2: number }

/** Moves weights against gradients; remembers per weight what it needs for that. */
export interface Optimizer {
  /** One step: the gradient of a weight is `slope` times its value in the row, plus `l2` times the weight. Weights of absent features stay. */
  step(weights: Float64Array, row: FeatureVector, slope: number, l2: number): void
  /** Steps so far. */
  readonly steps: number
  write(writer: ByteWriter): void
  restore(reader: ByteReader): void
}

/** An optimizer for so many weights. Each gives the numbers of River's one of that name. */
export function createOptimizer(options: OptimizerOptions, size: number): Optimizer {
  switch (options.kind) {
    case 'sgd':
      return new MemoryOptimizer([], (weights, row, slope, l2, steps) => {
        descend(weights, row, slope, l2, learningRateAt(options.learningRate, steps))
      })
    case 'ada-grad': {
      const squares = new Float64Array(size)
      return new MemoryOptimizer([squares], (weights, row, slope, l2) => {
        descendAdaGrad(weights, row, slope, l2, squares, options)
      })
    }
    case 'rms-prop': {
      const squares = new Float64Array(size)
      return new MemoryOptimizer([squares], (weights, row, slope, l2) => {
        descendRmsProp(weights, row, slope, l2, squares, options)
      })
    }
    case 'adam': {
      const [means, squares] = [new Float64Array(size), new Float64Array(size)]
      return new MemoryOptimizer([means, squares], (weights, row, slope, l2, steps) => {
        descendAdam(weights, row, slope, l2, steps, means, squares, options)
      })
    }
    case 'ftrl': {
      const [sums, squares] = [new Float64Array(size), new Float64Array(size)]
      return new MemoryOptimizer([sums, squares], (weights, row, slope, l2) => {
        descendFtrl(weights, row, slope, l2, sums, squares, options)
      })
    }
    default:
      return unreachable(options)
  }
}

type Step = (weights: Float64Array, row: FeatureVector, slope: number, l2: number, steps: number) => void

/** A step with the numbers that it keeps per weight. */
class MemoryOptimizer implements Optimizer {
  readonly #memory: readonly Float64Array[]
  readonly #descend: Step
  #steps = 0

  constructor(memory: readonly Float64Array[], descend: Step) {
    this.#memory = memory
    this.#descend = descend
  }

  get steps(): number {
    return this.#steps
  }

  step(weights: Float64Array, row: FeatureVector, slope: number, l2: number): void {
    this.#descend(weights, row, slope, l2, this.#steps++)
  }

  write(writer: ByteWriter): void {
    writer.varint(this.#steps)
    for (const numbers of this.#memory) writeNumbers(writer, numbers)
  }

  restore(reader: ByteReader): void {
    this.#steps = reader.varint()
    for (const numbers of this.#memory) readNumbers(reader, numbers)
  }
}

function descend(
  weights: Float64Array,
  { indices, values, count }: FeatureVector,
  slope: number,
  l2: number,
  rate: number,
): void {
  for (let place = 0; place < count; place++) {
    const index = indices[place] as number
    const weight = weights[index] as number
    weights[index] = weight - rate * (slope * (values[place] as number) + l2 * weight)
  }
}

/** J. Duchi, E. Hazan, Y. Singer, "Adaptive Subgradient Methods" (2011). */
function descendAdaGrad(
  weights: Float64Array,
  { indices, values, count }: FeatureVector,
  slope: number,
  l2: number,
  squares: Float64Array,
  { rate, epsilon }: { readonly rate: number; readonly epsilon: number },
): void {
  for (let place = 0; place < count; place++) {
    const index = indices[place] as number
    const weight = weights[index] as number
    const gradient = slope * (values[place] as number) + l2 * weight
    const square = (squares[index] as number) + gradient * gradient
    squares[index] = square
    weights[index] = weight - (rate / Math.sqrt(square + epsilon)) * gradient
  }
}

/** T. Tieleman, G. Hinton, Lecture 6.5 of "Neural Networks for Machine Learning" (2012). */
function descendRmsProp(
  weights: Float64Array,
  { indices, values, count }: FeatureVector,
  slope: number,
  l2: number,
  squares: Float64Array,
  { rate, rho, epsilon }: { readonly rate: number; readonly rho: number; readonly epsilon: number },
): void {
  for (let place = 0; place < count; place++) {
    const index = indices[place] as number
    const weight = weights[index] as number
    const gradient = slope * (values[place] as number) + l2 * weight
    const square = rho * (squares[index] as number) + (1 - rho) * gradient * gradient
    squares[index] = square
    weights[index] = weight - (rate / Math.sqrt(square + epsilon)) * gradient
  }
}

/** D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization" (2015). */
function descendAdam(
  weights: Float64Array,
  { indices, values, count }: FeatureVector,
  slope: number,
  l2: number,
  steps: number,
  means: Float64Array,
  squares: Float64Array,
  { rate, beta1, beta2, epsilon }: Extract<OptimizerOptions, { readonly kind: 'adam' }>,
): void {
  const corrected = (rate * Math.sqrt(1 - beta2 ** (steps + 1))) / (1 - beta1 ** (steps + 1))
  for (let place = 0; place < count; place++) {
    const index = indices[place] as number
    const weight = weights[index] as number
    const gradient = slope * (values[place] as number) + l2 * weight
    const mean = beta1 * (means[index] as number) + (1 - beta1) * gradient
    const square = beta2 * (squares[index] as number) + (1 - beta2) * gradient * gradient
    means[index] = mean
    squares[index] = square
    weights[index] = weight - (corrected * mean) / (Math.sqrt(square) + epsilon)
  }
}

/**
 * H. B. McMahan et al., "Ad Click Prediction: a View from the Trenches" (2013). River writes the weights before it takes the gradient
 * into account, so they are one step behind; its order is kept.
 */
function descendFtrl(
  weights: Float64Array,
  { indices, values, count }: FeatureVector,
  slope: number,
  l2: number,
  sums: Float64Array,
  squares: Float64Array,
  { alpha, beta, l1, l2: ridge }: Extract<OptimizerOptions, { readonly kind: 'ftrl' }>,
): void {
  for (let place = 0; place < count; place++) {
    const index = indices[place] as number
    const sum = sums[index] as number
    const square = squares[index] as number
    const gradient = slope * (values[place] as number) + l2 * (weights[index] as number)
    if (Math.abs(sum) > l1) weights[index] = -(sum - Math.sign(sum) * l1) / ((beta + Math.sqrt(square)) / alpha + ridge)
    const grown = square + gradient * gradient
    const pull = (Math.sqrt(grown) - Math.sqrt(square)) / alpha
    sums[index] = sum + gradient - pull * (weights[index] as number)
    squares[index] = grown
  }
}
