import { ByteReader, ByteWriter } from '../base/bytes.ts'
import { BinaryModel } from './binary-model.ts'
import type { DriftDetector } from './drift/detector.ts'
import { createDetector, watchesErrors } from './drift/index.ts'
import { copyOf, type FeatureSlots, type FeatureVector } from './feature-vector.ts'
import { type Metrics, Prequential } from './metrics/prequential.ts'
import type { ModelSpec } from './model-spec.ts'

/** How a model stands. */
export interface LearnerReport {
  /** How often something was learned: by rows, or by batches. */
  readonly updates: number
  /** Outcomes since the report before. */
  readonly outcomes: number
  /** Of the last outcomes. */
  readonly metrics: Metrics
  readonly intercept: number
  /** Since the beginning. */
  readonly counts: LearnerCounts
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
  #fitted = false
  #warned = false
  #counts = { drifts: 0, warnings: 0, rollbacks: 0, skippedBatches: 0 }
  /** Losses of the outcomes since the weights were last judged, and how many these are. */
  #block = { loss: 0, baseLoss: 0, outcomes: 0 }
  /** A model that was better than the base rate; empty before there was one. */
  #good: Uint8Array = new Uint8Array(0)

  constructor(spec: ModelSpec, slots: FeatureSlots) {
    this.#spec = spec
    this.#slots = slots
    this.#model = new BinaryModel(spec, slots)
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

  /** The outcome of a row has become known; `probability` is what was predicted for it. */
  settle(row: FeatureVector, probability: number, label: boolean): void {
    const loss = this.#prequential.add(probability, label)
    this.#outcomes++
    this.#watch(loss, probability > 0.5 !== label)
    if (this.#spec.learning === 'each') this.#model.learn(row, label)
    else {
      this.#batchRows.push(copyOf(row))
      this.#batchLabels.push(label)
    }
    this.#guard(loss)
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
    const report = { updates, outcomes: this.#outcomes, metrics, intercept, counts: { ...this.#counts } }
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
    writer.f64(this.#block.loss)
    writer.f64(this.#block.baseLoss)
    writer.varint(this.#block.outcomes)
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
    this.#block = { loss: reader.f64(), baseLoss: reader.f64(), outcomes: reader.varint() }
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

  #guard(loss: number): void {
    const { guardOutcomes } = this.#spec
    if (guardOutcomes === null) return
    const block = this.#block
    block.loss += loss
    block.baseLoss += this.#prequential.lastBaseLoss
    block.outcomes++
    if (block.outcomes < guardOutcomes) return
    const better = block.loss < block.baseLoss
    this.#block = { loss: 0, baseLoss: 0, outcomes: 0 }
    if (this.#model.sound && better) this.#remember()
    else if (!this.#model.sound || this.#good.length > 0) this.#rollBack()
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
