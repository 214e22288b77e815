import { ByteReader, ByteWriter } from '../base/bytes.ts'
import { BinaryModel } from './binary-model.ts'
import type { DriftDetector } from './drift/detector.ts'
import { createDetector, watchesErrors } from './drift/index.ts'
import { copyOf, type FeatureSlots, type FeatureVector } from './feature-vector.ts'
import { logLoss, type Metrics, Prequential } from './metrics/prequential.ts'
import type { ModelSpec } from './model-spec.ts'
import { WeightJudge } from './weight-judge.ts'

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
export interface LearnerCounts {
  readonly drifts: number
  readonly warnings: number
  /** Times that weights went back to the last good ones. */
  readonly rollbacks: number
  /** Batches that had one class only. */
  readonly skippedBatches: number
}

/** Copying and checking so many weights takes a small part of the time that an outcome takes. */
const SLOTS_FOR_AN_OUTCOME = 16

/**
 * A model with who watches it. Each outcome is first scored against what was predicted, then learned: test, then train. Weights that were
 * worse than the base rate, or are no numbers any more, go back to the last ones that were better.
 */
export class Learner {
  readonly #spec: ModelSpec
  readonly #slots: FeatureSlots
  #model: BinaryModel
  readonly #prequential: Prequential
  readonly #detector: DriftDetector | undefined
  readonly #batchRows: FeatureVector[] = []
  readonly #batchLabels: boolean[] = []
  #outcomes = 0
  #batch: BatchReport | null = null
  #fitted = false
  #warned = false
  #counts = { drifts: 0, warnings: 0, rollbacks: 0, skippedBatches: 0 }
  readonly #judge = new WeightJudge()
  /** Outcomes between two judgements; more for models whose copy would cost more than these. */
  readonly #guardOutcomes: number
  /** A model that was better than the base rate; empty before there was one. */
  #good: Uint8Array = new Uint8Array(0)

  constructor(spec: ModelSpec, slots: FeatureSlots) {
    this.#spec = spec
    this.#slots = slots
    this.#model = new BinaryModel(spec, slots)
    this.#guardOutcomes = Math.max(spec.guardOutcomes ?? 0, Math.ceil(slots.size / SLOTS_FOR_AN_OUTCOME))
    this.#prequential = new Prequential(spec.metricsWindow)
    this.#detector = spec.drift === null ? undefined : createDetector(spec.drift)
  }

  /** Weights that have become no numbers go back before they can answer. */
  probability(row: FeatureVector): number {
    const probability = this.#model.probability(row)
    if (!Number.isNaN(probability)) return probability
    this.#rollBack()
    return this.#model.probability(row)
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
    if (this.#spec.learning === 'each') now = this.#model.learn(row, label)
    else {
      now = this.#model.probability(row)
      this.#batchRows.push(copyOf(row))
      this.#batchLabels.push(label)
    }
    const loss = logLoss(now, label)
    this.#watch(loss, now > 0.5 !== label)
    if (this.#spec.guardOutcomes === null) return
    this.#judge.add(loss, logLoss(baseRateNow, label))
    if (this.#judge.outcomes >= this.#guardOutcomes) this.#guard()
  }

  /** The epoch is over: learns from its rows, unless each was learned by itself. */
  endBatch(): void {
    const rows = this.#batchRows.splice(0)
    const labels = this.#batchLabels.splice(0)
    if (rows.length === 0) return
    const bothClasses = labels.includes(true) && labels.includes(false)
    if (this.#spec.learning === 'batch') this.#model.learnBatch(rows, labels)
    else if (!bothClasses) this.#counts.skippedBatches++
    else if (this.#fitted) this.#model.learnBatch(rows, labels)
    else {
      this.#model.fit(rows, labels)
      this.#fitted = true
    }
    this.#batch = this.#judged(rows, labels)
  }

  #judged(rows: readonly FeatureVector[], labels: readonly boolean[]): BatchReport {
    const hits = rows.filter((row, index) => this.#model.probability(row) > 0.5 === labels[index]).length
    const positives = labels.filter((label) => label).length
    const majority = Math.max(positives, labels.length - positives)
    return { rows: rows.length, accuracy: hits / rows.length, majorityAccuracy: majority / rows.length }
  }

  /** Valid until the next step. */
  get model(): BinaryModel {
    return this.#model
  }

  /** Undefined when no outcome has come since the report before. */
  report(): LearnerReport | undefined {
    if (this.#outcomes === 0) return undefined
    const metrics = this.#prequential.metrics()
    if (!metrics) return undefined
    const { updates, intercept } = this.#model
    const counts = { ...this.#counts }
    const report = { updates, outcomes: this.#outcomes, metrics, intercept, batch: this.#batch, counts }
    this.#outcomes = 0
    return report
  }

  /** Between epochs only. */
  write(writer: ByteWriter): void {
    this.#model.write(writer)
    this.#prequential.write(writer)
    this.#detector?.write(writer)
    writer.u8((this.#fitted ? 1 : 0) + (this.#warned ? 2 : 0))
    const { drifts, warnings, rollbacks, skippedBatches } = this.#counts
    for (const count of [this.#outcomes, drifts, warnings, rollbacks, skippedBatches]) writer.varint(count)
    this.#judge.write(writer)
    writer.bytes(this.#good)
  }

  restore(reader: ByteReader): void {
    this.#model.restore(reader)
    this.#prequential.restore(reader)
    this.#detector?.restore(reader)
    const flags = reader.u8()
    this.#fitted = (flags & 1) === 1
    this.#warned = (flags & 2) === 2
    this.#outcomes = reader.varint()
    this.#counts = {
      drifts: reader.varint(),
      warnings: reader.varint(),
      rollbacks: reader.varint(),
      skippedBatches: reader.varint(),
    }
    this.#judge.restore(reader)
    this.#good = reader.bytes().slice()
  }

  #watch(loss: number, wrong: boolean): void {
    const { drift } = this.#spec
    if (!this.#detector || !drift) return
    this.#detector.update(watchesErrors(drift.kind) ? (wrong ? 1 : 0) : loss)
    if (this.#detector.drift) this.#counts.drifts++
    if (this.#detector.warning && !this.#warned) this.#counts.warnings++
    this.#warned = this.#detector.warning
  }

  #guard(): void {
    const verdict = this.#judge.verdict()
    if (this.#model.sound && verdict === 'better') this.#remember()
    else if (!this.#model.sound || (verdict === 'worse' && this.#good.length > 0)) this.#rollBack()
  }

  #remember(): void {
    const writer = new ByteWriter(1024)
    this.#model.write(writer)
    this.#good = writer.finish()
  }

  /** Weights that are no numbers begin anew when there were never good ones. */
  #rollBack(): void {
    this.#counts.rollbacks++
    const { updates } = this.#model
    this.#model = new BinaryModel(this.#spec, this.#slots)
    if (this.#good.length > 0) this.#model.restore(new ByteReader(this.#good, 'the last good weights'))
    this.#model.continueFrom(updates)
  }
}
