import type { ByteReader, ByteWriter } from '../base/bytes.ts'
import { addText, type FeatureSlots, type FeatureVector, featureVector } from './feature-vector.ts'
import type { OptimizerOptions } from './optimizer.ts'
import { type ClassProbability, SoftmaxRegression } from './softmax-regression.ts'
import { StandardScaler } from './standard-scaler.ts'

/** What a model of several classes is made of. */
export interface ClassModelOptions {
  /** Numbers are brought to mean 0 and variance 1. */
  readonly scale: boolean
  readonly optimizer: OptimizerOptions
  readonly l2: number
}

/**
 * Scaler and softmax regression in one, over classes that are known from the beginning. Each class has a constant: the weight of a slot
 * behind all others that is 1 in every row.
 */
export class ClassModel {
  readonly #scale: boolean
  readonly #numbers: number
  readonly #constantSlot: number
  readonly #scaler: StandardScaler
  readonly #softmax: SoftmaxRegression
  readonly #classes: readonly string[]
  readonly #scaled: FeatureVector
  #updates = 0

  constructor({ scale, optimizer, l2 }: ClassModelOptions, slots: FeatureSlots, classes: readonly string[]) {
    this.#scale = scale
    this.#numbers = slots.numbers
    this.#constantSlot = slots.size
    this.#scaler = new StandardScaler(scale ? slots.numbers : 0)
    this.#classes = classes
    this.#softmax = new SoftmaxRegression({
      size: slots.size + 1,
      optimizer,
      l2,
      classesMax: classes.length,
      classes,
    })
    this.#scaled = featureVector(slots.featuresMax + 1)
  }

  /** Rows that were learned, which makes another version of it. */
  get updates(): number {
    return this.#updates
  }

  /** By class, those of its features and, at the end, its constant. */
  get weights(): readonly Float64Array[] {
    return [...this.#softmax.classes.values()].map(({ weights }) => weights)
  }

  /** Whether all weights are numbers that can be worked with. */
  get sound(): boolean {
    return this.weights.every((weights) => weights.every(Number.isFinite))
  }

  /** Mean and standard deviation by which a slot is scaled; undefined for one that is not. */
  moments(slot: number): { readonly mean: number; readonly deviation: number } | undefined {
    return this.#scale && slot < this.#numbers ? this.#scaler.moments(slot) : undefined
  }

  /** Fills `into` with the probability of each class. */
  tell(row: FeatureVector, into: Float64Array): void {
    fill(into, this.#softmax.probabilities(this.#transformed(row)))
  }

  /** `into` is filled with what was said by the weights of before. */
  learn(row: FeatureVector, outcome: number, into: Float64Array): void {
    if (this.#scale) this.#scaler.learn(row)
    const transformed = this.#transformed(row)
    fill(into, this.#softmax.probabilities(transformed))
    this.#softmax.learn(transformed, this.#classes[outcome] as string)
    this.#updates++
  }

  /** Steps are counted on from here: a model that goes back to old weights is a new version. */
  continueFrom(updates: number): void {
    this.#updates = updates + 1
  }

  write(writer: ByteWriter): void {
    writer.varint(this.#updates)
    this.#scaler.write(writer)
    this.#softmax.write(writer)
  }

  restore(reader: ByteReader): void {
    this.#updates = reader.varint()
    this.#scaler.restore(reader)
    this.#softmax.restore(reader)
  }

  #transformed(row: FeatureVector): FeatureVector {
    const into = this.#scaled
    if (this.#scale) this.#scaler.transform(row, into)
    else {
      into.indices.set(row.indices.subarray(0, row.count))
      into.values.set(row.values.subarray(0, row.count))
      into.count = row.count
      into.numbers = row.numbers
    }
    addText(into, this.#constantSlot, 1)
    return into
  }
}

function fill(into: Float64Array, told: readonly ClassProbability[]): void {
  for (let index = 0; index < told.length; index++) into[index] = (told[index] as ClassProbability).probability
}
