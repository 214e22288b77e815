import type { ByteReader, ByteWriter } from '../base/bytes.ts'
import { ClassBalance } from './class-balance.ts'
import { copyOf, type FeatureSlots, type FeatureVector, featureVector } from './feature-vector.ts'
import type { LearningRateOptions } from './learning-rate.ts'
import { LogisticRegression, sigmoid } from './logistic-regression.ts'
import { fitLogistic } from './newton-fit.ts'
import type { OptimizerOptions } from './optimizer.ts'
import { PlattScaling } from './platt-scaling.ts'
import { StandardScaler } from './standard-scaler.ts'

/** What a model of two classes is made of. */
export interface BinaryModelOptions {
  /** Numbers are brought to mean 0 and variance 1. */
  readonly scale: boolean
  readonly optimizer: OptimizerOptions
  readonly l2: number
  readonly interceptRate: LearningRateOptions
  /** Whether log odds begin at those of the share of positives so far, so that weights and intercept have only the difference to learn. */
  readonly fromBaseRate: boolean
  readonly weightPos: number
  readonly weightNeg: number
  /** Share of the negatives that are learned from. */
  readonly keepNegatives: number
  /** Rate at which probabilities are brought to come true; null: they are left as they are. */
  readonly plattRate: number | null
}

/**
 * Scaler, regression and calibration in one. Predicting uses what was learned so far; learning takes a row into the scaler first, then
 * scales it, then takes a step, as pipelines of River do.
 */
export class BinaryModel {
  readonly #options: BinaryModelOptions
  readonly #size: number
  readonly #numbers: number
  readonly #scaler: StandardScaler
  readonly #regression: LogisticRegression
  readonly #balance: ClassBalance
  readonly #platt: PlattScaling | undefined
  readonly #scaled: FeatureVector
  #updates = 0
  #learned = 0
  #positives = 0
  #offset = 0

  constructor(options: BinaryModelOptions, { size, numbers, featuresMax }: FeatureSlots) {
    this.#options = options
    this.#size = size
    this.#numbers = numbers
    this.#scaler = new StandardScaler(options.scale ? numbers : 0)
    this.#regression = new LogisticRegression({ ...options, size })
    this.#balance = new ClassBalance(options)
    this.#platt = options.plattRate === null ? undefined : new PlattScaling(options.plattRate)
    this.#scaled = featureVector(featuresMax)
  }

  /** Times that something was learned, which makes another version of it: rows, or batches. */
  get updates(): number {
    return this.#updates
  }

  get weights(): Float64Array {
    return this.#regression.weights
  }

  /** Log odds of a row whose features say nothing. */
  get intercept(): number {
    return this.#regression.intercept + this.#offset
  }

  /** What turns log odds of the weights into the probability. */
  get link(): { readonly excess: number; readonly slope: number; readonly shift: number } {
    return { excess: this.#balance.excess, slope: this.#platt?.slope ?? 1, shift: this.#platt?.shift ?? 0 }
  }

  /** Mean and standard deviation by which a slot is scaled; undefined for one that is not. */
  moments(slot: number): { readonly mean: number; readonly deviation: number } | undefined {
    return this.#options.scale && slot < this.#numbers ? this.#scaler.moments(slot) : undefined
  }

  /** Whether all weights are numbers that can be worked with. */
  get sound(): boolean {
    return Number.isFinite(this.intercept) && this.weights.every(Number.isFinite)
  }

  probability(row: FeatureVector): number {
    return sigmoid(this.#calibrated(this.#balance.recalibrated(this.#logit(row))))
  }

  /** Gives the log odds by what was learned before; their sigmoid is the probability. */
  learn(row: FeatureVector, label: boolean): number {
    const scaled = this.#options.scale ? this.#scaled : row
    const logit = this.#options.scale
      ? this.#scaler.learnAndProject(row, this.weights, scaled) + this.intercept
      : this.#logit(row)
    const odds = this.#balance.recalibrated(logit)
    const before = this.#calibrated(odds)
    this.#platt?.learn(odds, label)
    if (this.#balance.keeps(label)) this.#regression.learn(scaled, logit, label)
    this.#count(label)
    this.#updates++
    return before
  }

  /** One step with the mean gradient of all rows. */
  learnBatch(rows: readonly FeatureVector[], labels: readonly boolean[]): void {
    const { rows: kept, labels: keptLabels } = this.#taken(rows, labels)
    this.#regression.learnBatch(kept, keptLabels)
    this.#updates++
  }

  /** Weights anew, to the best of these rows. */
  fit(rows: readonly FeatureVector[], labels: readonly boolean[]): void {
    const { rows: kept, labels: keptLabels } = this.#taken(rows, labels)
    const { weights, intercept } = fitLogistic(kept, keptLabels, this.#size, this.#options.l2)
    this.#regression.weights.set(weights)
    this.#regression.intercept = intercept
    this.#updates++
  }

  write(writer: ByteWriter): void {
    writer.varint(this.#updates)
    writer.varint(this.#learned)
    writer.varint(this.#positives)
    this.#scaler.write(writer)
    this.#regression.write(writer)
    this.#balance.write(writer)
    this.#platt?.write(writer)
  }

  /** Steps are counted on from here: a model that goes back to old weights is a new version. */
  continueFrom(updates: number): void {
    this.#updates = updates + 1
  }

  restore(reader: ByteReader): void {
    this.#updates = reader.varint()
    this.#learned = reader.varint()
    this.#positives = reader.varint()
    this.#begin()
    this.#scaler.restore(reader)
    this.#regression.restore(reader)
    this.#balance.restore(reader)
    this.#platt?.restore(reader)
  }

  #taken(
    rows: readonly FeatureVector[],
    labels: readonly boolean[],
  ): { readonly rows: FeatureVector[]; readonly labels: boolean[] } {
    for (const [index, row] of rows.entries()) {
      if (this.#options.scale) this.#scaler.learn(row)
      this.#platt?.learn(this.#balance.recalibrated(this.#logit(row)), labels[index] === true)
    }
    const kept = rows.flatMap((row, index) => {
      const label = labels[index] as boolean
      return this.#balance.keeps(label) ? [{ row: copyOf(this.#transformed(row)), label }] : []
    })
    return { rows: kept.map(({ row }) => row), labels: kept.map(({ label }) => label) }
  }

  #logit(row: FeatureVector): number {
    if (!this.#options.scale) return this.#regression.logit(row) + this.#offset
    return this.#scaler.project(row, this.weights) + this.intercept
  }

  #count(label: boolean): void {
    this.#learned++
    if (label) this.#positives++
    this.#begin()
  }

  /** One positive and one negative are taken as seen. */
  #begin(): void {
    if (!this.#options.fromBaseRate) return
    this.#offset = Math.log((this.#positives + 1) / (this.#learned - this.#positives + 1))
  }

  #calibrated(odds: number): number {
    return this.#platt ? this.#platt.logOdds(odds) : odds
  }

  #transformed(row: FeatureVector): FeatureVector {
    if (!this.#options.scale) return row
    this.#scaler.transform(row, this.#scaled)
    return this.#scaled
  }
}
