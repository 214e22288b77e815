import type { ByteReader, ByteWriter } from '../base/bytes.ts'
import { ClassLearner } from './class-learner.ts'
import type { FeatureSlots, FeatureVector } from './feature-vector.ts'
import { Learner, type LearnerReport } from './learner.ts'
import type { LogisticSpec, SoftmaxSpec } from './model-spec.ts'

/** What a step that predicts drives, whatever it is made of. */
export interface StepModel {
  /** Numbers that are said of each row. The first ones are what people are told: a probability, or one for each class. */
  readonly toldSize: number
  /** How often something was learned. */
  readonly version: number
  /** Fills `into` with what is said of a row. */
  tell(row: FeatureVector, into: Float64Array): void
  /** The outcome of a row has become known: 0 or 1, or its class. `told` is what was said of it. */
  settle(row: FeatureVector, told: Float64Array, outcome: number): void
  /** The epoch is over. */
  endBatch(): void
  /** Brings the reports of the parts up to date; false when there is nothing new. */
  report(): boolean
  /** Whatever has weights of its own. */
  parts(): readonly ModelPart[]
  /** Between epochs only. */
  write(writer: ByteWriter): void
  restore(reader: ByteReader): void
}

/** Weights with what they have come to: of a model of two classes all, of one of several those of a class. */
export interface ModelPart {
  /** Null for a model of two classes. */
  readonly className: string | null
  readonly version: number
  /** Slots of features come first. */
  readonly weights: Float64Array
  readonly intercept: number
  /** What turns log odds of the weights into the probability. */
  readonly link: { readonly excess: number; readonly slope: number; readonly shift: number }
  moments(slot: number): { readonly mean: number; readonly deviation: number } | undefined
  /** The newest; null before the first outcome. */
  readonly report: LearnerReport | null
}

/** A model of two classes as a step has it: told are the probability and the base rate. */
export class BinaryStep implements StepModel {
  readonly toldSize = 2
  readonly #learner: Learner
  #report: LearnerReport | null = null

  constructor(spec: LogisticSpec, slots: FeatureSlots) {
    this.#learner = new Learner(spec, slots)
  }

  get version(): number {
    return this.#learner.model.updates
  }

  tell(row: FeatureVector, into: Float64Array): void {
    into[0] = this.#learner.probability(row)
    into[1] = this.#learner.baseRate
  }

  settle(row: FeatureVector, told: Float64Array, outcome: number): void {
    this.#learner.settle(row, told[0] as number, told[1] as number, outcome === 1)
  }

  endBatch(): void {
    this.#learner.endBatch()
  }

  report(): boolean {
    const report = this.#learner.report()
    this.#report = report ?? this.#report
    return report !== undefined
  }

  parts(): ModelPart[] {
    const { model } = this.#learner
    const { updates: version, weights, intercept, link } = model
    const moments = (slot: number) => model.moments(slot)
    return [{ className: null, version, weights, intercept, link, moments, report: this.#report }]
  }

  write(writer: ByteWriter): void {
    this.#learner.write(writer)
  }

  restore(reader: ByteReader): void {
    this.#learner.restore(reader)
  }
}

/** A model of several classes as a step has it: told are the probabilities, then the base rates. */
export class ClassStep implements StepModel {
  readonly toldSize: number
  readonly #classes: readonly string[]
  readonly #learner: ClassLearner
  #reports: readonly LearnerReport[] = []

  constructor(spec: SoftmaxSpec, slots: FeatureSlots, classes: readonly string[]) {
    this.toldSize = 2 * classes.length
    this.#classes = classes
    this.#learner = new ClassLearner(spec, slots, classes)
  }

  get version(): number {
    return this.#learner.model.updates
  }

  tell(row: FeatureVector, into: Float64Array): void {
    this.#learner.tell(row, into)
  }

  settle(row: FeatureVector, told: Float64Array, outcome: number): void {
    this.#learner.settle(row, told, outcome)
  }

  endBatch(): void {}

  report(): boolean {
    const reports = this.#learner.reports()
    this.#reports = reports ?? this.#reports
    return reports !== undefined
  }

  parts(): ModelPart[] {
    const { model } = this.#learner
    const moments = (slot: number) => model.moments(slot)
    return this.#classes.map((className, index) => {
      const weights = model.weights[index] ?? new Float64Array(0)
      const report = this.#reports[index] ?? null
      const intercept = weights.at(-1) ?? 0
      return { className, version: model.updates, weights, intercept, link: PLAIN_LINK, moments, report }
    })
  }

  write(writer: ByteWriter): void {
    this.#learner.write(writer)
  }

  restore(reader: ByteReader): void {
    this.#learner.restore(reader)
  }
}

const PLAIN_LINK = { excess: 0, slope: 1, shift: 0 }
