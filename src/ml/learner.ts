import type { ByteReader, ByteWriter } from '../base/bytes.ts'
import { BinaryModel } from './binary-model.ts'
import { copyOf, type FeatureSlots, type FeatureVector } from './feature-vector.ts'
import { type GuardCounts, GuardedModel, NO_NUMBERS } from './guarded-model.ts'
import { sigmoid } from './logistic-regression.ts'
import { logLoss, type Metrics, Prequential } from './metrics/prequential.ts'
import type { LogisticSpec } from './model-spec.ts'

/** How a model stands. */
export interface LearnerReport {
  /** How often something was learned: by rows, or by batches. */
  readonly updates: number
  /** Outcomes since the report before. */
  readonly outcomes: number
  /** Of the last outcomes. */
  readonly metrics: Metrics
  readonly intercept: number
  /** Of a model that learns by batches; null for others. */
  readonly batch: BatchReport | null
  /** Since the beginning. */
  readonly counts: LearnerCounts
}

/** The last batch, judged by the weights that have learned from it: what the source system calls accuracy. */
export interface BatchReport {
  readonly rows: number
  readonly accuracy: number
  /** Accuracy of always giving its commoner answer. */
  readonly majorityAccuracy: number
}

/** What has happened to a model since the beginning. */
export interface LearnerCounts extends GuardCounts {
  /** Batches that had one class only. */
  readonly skippedBatches: number
}

/** A model of two classes that learns. Each outcome is first scored against what was predicted, then learned: test, then train. */
export class Learner {
  readonly #spec: LogisticSpec
  readonly #guarded: GuardedModel<BinaryModel>
  readonly #prequential: Prequential
  readonly #batchRows: FeatureVector[] = []
  readonly #batchLabels: boolean[] = []
  #outcomes = 0
  #batch: BatchReport | null = null
  #fitted = false
  #skippedBatches = 0

  constructor(spec: LogisticSpec, slots: FeatureSlots) {
    this.#spec = spec
    this.#guarded = new GuardedModel(() => new BinaryModel(spec, slots), spec, slots.size)
    this.#prequential = new Prequential(spec.metricsWindow)
  }

  /** What the model says of a row that has come. Weights that have become no numbers go back before they can answer. */
  probability(row: FeatureVector): number {
    let probability = this.model.probability(row)
    if (Number.isNaN(probability)) {
      this.#guarded.rollBack(NO_NUMBERS)
      probability = this.model.probability(row)
    }
    this.#guarded.watchScore(probability)
    return probability
  }

  /** What somebody would predict who knows only how many rows were positive so far. */
  get baseRate(): number {
    return this.#prequential.baseRate
  }

  /**
   * The outcome of a row has become known; `probability` and `baseRate` are what was predicted for it. The weights have learned since: who
   * watches them judges what they would say now.
   */
  settle(row: FeatureVector, probability: number, baseRate: number, label: boolean): void {
    const baseRateNow = this.#prequential.baseRate
    this.#prequential.add(probability, baseRate, label)
    this.#outcomes++
    let now: number
    if (this.#spec.learning === 'each') now = sigmoid(this.model.learn(row, label))
    else {
      now = this.model.probability(row)
      this.#batchRows.push(copyOf(row))
      this.#batchLabels.push(label)
    }
    this.#guarded.judge(logLoss(now, label), logLoss(baseRateNow, label), now > 0.5 !== label, now, label)
  }

  /** The epoch is over: learns from its rows, unless each was learned by itself. */
  endBatch(): void {
    const rows = this.#batchRows.splice(0)
    const labels = this.#batchLabels.splice(0)
    if (rows.length === 0) return
    const bothClasses = labels.includes(true) && labels.includes(false)
    if (this.#spec.learning === 'batch') this.model.learnBatch(rows, labels)
    else if (!bothClasses) this.#skippedBatches++
    else if (this.#fitted) this.model.learnBatch(rows, labels)
    else {
      this.model.fit(rows, labels)
      this.#fitted = true
    }
    this.#batch = this.#judged(rows, labels)
  }

  #judged(rows: readonly FeatureVector[], labels: readonly boolean[]): BatchReport {
    const hits = rows.filter((row, index) => this.model.probability(row) > 0.5 === labels[index]).length
    const positives = labels.filter((label) => label).length
    const majority = Math.max(positives, labels.length - positives)
    return { rows: rows.length, accuracy: hits / rows.length, majorityAccuracy: majority / rows.length }
  }

  /** Who watches the weights, and can take them back. */
  get guarded(): GuardedModel<BinaryModel> {
    return this.#guarded
  }

  /** Valid until the next step. */
  get model(): BinaryModel {
    return this.#guarded.current
  }

  /** Undefined when no outcome has come since the report before. */
  report(): LearnerReport | undefined {
    if (this.#outcomes === 0) return undefined
    const report = this.standing()
    this.#outcomes = 0
    return report
  }

  /** How it stands, whether or not an outcome has come since the report before; undefined before the first. */
  standing(): LearnerReport | undefined {
    const metrics = this.#prequential.metrics()
    if (!metrics) return undefined
    const { updates, intercept } = this.model
    const counts = { ...this.#guarded.counts, skippedBatches: this.#skippedBatches }
    return { updates, outcomes: this.#outcomes, metrics, intercept, batch: this.#batch, counts }
  }

  /** The weights, scaler and optimizer that another model has written, in place of fresh ones; before the first row. */
  begin(state: ByteReader): void {
    this.model.restore(state)
    this.#fitted = this.model.updates > 0
  }

  /** Between epochs only. */
  write(writer: ByteWriter): void {
    this.#guarded.write(writer)
    this.#prequential.write(writer)
    writer.u8(this.#fitted ? 1 : 0)
    writer.varint(this.#outcomes)
    writer.varint(this.#skippedBatches)
  }

  restore(reader: ByteReader): void {
    this.#guarded.restore(reader)
    this.#prequential.restore(reader)
    this.#fitted = reader.u8() === 1
    this.#outcomes = reader.varint()
    this.#skippedBatches = reader.varint()
  }
}
