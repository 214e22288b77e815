import type { ByteReader, ByteWriter } from '../base/bytes.ts'
import type { FeatureVector } from './feature-vector.ts'
import { createOptimizer, type Optimizer, type OptimizerOptions } from './optimizer.ts'
import { readNumbers, writeNumbers } from './state-numbers.ts'

/** What the model is made for. */
export interface SoftmaxRegressionOptions {
  /** Slots that features may have. */
  readonly size: number
  readonly optimizer: OptimizerOptions
  readonly l2: number
  /** Classes that it may come to know. */
  readonly classesMax: number
  /** Classes that it knows from the beginning, in this order; none. */
  readonly classes?: readonly string[]
}

/** A class with its probability. */
export interface ClassProbability {
  readonly name: string
  readonly probability: number
}

/** A class that was seen. */
interface Class {
  readonly weights: Float64Array
  readonly optimizer: Optimizer
}

/**
 * The probabilities of several classes; those that it has not seen yet have none. Each class has its weights and its optimizer, and no
 * intercept. The numbers of River's `SoftmaxRegression`.
 */
export class SoftmaxRegression {
  readonly #options: SoftmaxRegressionOptions
  /** In the order in which they were seen. */
  readonly #classes = new Map<string, Class>()

  constructor(options: SoftmaxRegressionOptions) {
    this.#options = options
    for (const name of options.classes ?? []) this.#class(name)
  }

  /** The classes that were seen, with their weights. */
  get classes(): ReadonlyMap<string, { readonly weights: Float64Array }> {
    return this.#classes
  }

  /** The classes seen so far; empty before the first. */
  probabilities(row: FeatureVector): ClassProbability[] {
    const scores = [...this.#classes].map(([name, { weights }]) => ({ name, score: score(weights, row) }))
    const largest = Math.max(...scores.map((one) => one.score))
    const powers = scores.map((one) => Math.exp(one.score - largest))
    const sum = powers.reduce((total, power) => total + power, 0)
    return scores.map(({ name }, index) => ({ name, probability: (powers[index] as number) / sum }))
  }

  /** False when the class is one too many: nothing was learned. */
  learn(row: FeatureVector, label: string): boolean {
    if (!this.#classes.has(label) && this.#classes.size >= this.#options.classesMax) return false
    const before = this.probabilities(row)
    if (!this.#classes.has(label)) before.push({ name: label, probability: 0 })
    for (const { name, probability } of before) {
      const { weights, optimizer } = this.#class(name)
      optimizer.step(weights, row, clamped(probability) - (name === label ? 1 : 0), this.#options.l2)
    }
    return true
  }

  write(writer: ByteWriter): void {
    writer.varint(this.#classes.size)
    for (const [name, { weights, optimizer }] of this.#classes) {
      writer.text(name)
      writeNumbers(writer, weights)
      optimizer.write(writer)
    }
  }

  restore(reader: ByteReader): void {
    this.#classes.clear()
    for (let left = reader.count(); left > 0; left--) {
      const { weights, optimizer } = this.#class(reader.text())
      readNumbers(reader, weights)
      optimizer.restore(reader)
    }
  }

  #class(name: string): Class {
    let found = this.#classes.get(name)
    if (!found) {
      const { size, optimizer } = this.#options
      found = { weights: new Float64Array(size), optimizer: createOptimizer(optimizer, size) }
      this.#classes.set(name, found)
    }
    return found
  }
}

function score(weights: Float64Array, { indices, values, count }: FeatureVector): number {
  let sum = 0
  for (let place = 0; place < count; place++) {
    sum += (weights[indices[place] as number] as number) * (values[place] as number)
  }
  return sum
}

function clamped(probability: number): number {
  return Math.min(Math.max(probability, 1e-15), 1 - 1e-15)
}
