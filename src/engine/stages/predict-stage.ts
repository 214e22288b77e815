import { assert } from '../../base/assert.ts'
import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { MillraceError } from '../../base/error.ts'
import type { Batch } from '../../batch/batch.ts'
import { type Field, fieldIndex } from '../../batch/schema.ts'
import { type FeatureVector, featureVector } from '../../ml/feature-vector.ts'
import { Learner, type LearnerReport } from '../../ml/learner.ts'
import type { ModelSummary, NamedWeight, RowCounts } from '../../ml/model-summary.ts'
import { reportFields } from '../../plan/model-fields.ts'
import type { ModelReportNode, PredictNode } from '../../plan/node.ts'
import { timesOf } from '../event-times.ts'
import { HeldRows } from '../features/held-rows.ts'
import { type HashKey, KeyTable } from '../keys/key-table.ts'
import { compilePredicate, type Predicate, TRUE } from '../predicate.ts'
import { FeatureReader } from '../predict/feature-reader.ts'
import { LabelJoiner } from '../predict/label-joiner.ts'
import { metricsRow, namedWeights, REPORT_WEIGHTS_MAX, weightRows } from '../predict/model-report.ts'
import type { Watermark } from '../watermark.ts'
import { allRows, computedBatch, releasedInput, rowsOnTime } from './released-rows.ts'
import type { Stage, StageInput } from './stage.ts'

/** What the stage is made for. */
export interface PredictStageOptions {
  readonly id: string
  readonly node: PredictNode
  /** Columns of the rows. */
  readonly fields: readonly Field[]
  /** Those, then what a prediction adds. */
  readonly outputFields: readonly Field[]
  readonly eventTimeIndex: number
  readonly watermark: Watermark
  /** Rows come from a step that has held them until the watermark passed: they are in order, and were judged. */
  readonly ordered: boolean
  readonly hashKey: HashKey
  readonly rowsMax: number
}

/** What comes behind the model. */
export interface PredictNext {
  /** Get the rows that were predicted. */
  readonly predictions: readonly Stage[]
  /** Get what the model says about itself. */
  readonly reports: readonly { readonly what: ModelReportNode['what']; readonly stages: readonly Stage[] }[]
}

/** Weights that people are shown; the largest ones. */
const SHOWN_WEIGHTS_MAX = 50

/**
 * Predicts each row by what the model has learned from the labels that were known when the row happened, and learns from each row when its
 * own label is known. Both in the order of time, whatever the order in which rows came: at equal times labels first, then learning, then
 * predictions. So the weights are those of one pass over the sorted rows, for any cut into epochs.
 */
export class PredictStage implements Stage {
  readonly id: string
  readonly #options: PredictStageOptions
  readonly #next: PredictNext
  readonly #held: HeldRows
  readonly #reader: FeatureReader
  readonly #keys: KeyTable
  readonly #joiner: LabelJoiner
  readonly #learner: Learner
  readonly #row: FeatureVector
  readonly #isLabel: Predicate
  readonly #isWanted: Predicate | undefined
  #arrived: ArrivedRows | undefined
  #report: LearnerReport | undefined

  constructor(options: PredictStageOptions, next: PredictNext) {
    const { id, node, fields, hashKey } = options
    this.id = id
    this.#options = options
    this.#next = next
    this.#held = new HeldRows(fields)
    this.#reader = new FeatureReader(node.features, fields)
    this.#keys = new KeyTable([fieldIndex({ fields }, node.by)], hashKey)
    const { featuresMax } = this.#reader.slots
    const withinMs = node.label.kind === 'within' ? node.label.withinMs : 0
    this.#joiner = new LabelJoiner({ withinMs, waitingMax: node.waitingMax, featuresMax, keys: this.#keys })
    this.#learner = new Learner(node.model, this.#reader.slots)
    this.#row = featureVector(featuresMax)
    this.#isLabel = compilePredicate(node.label.when, fields)
    this.#isWanted = node.rows ? compilePredicate(node.rows, fields) : undefined
  }

  get stateRows(): number {
    return this.#held.size + this.#joiner.waiting
  }

  process(input: StageInput): void {
    const { batch, rows, count, context } = input
    const { watermark, eventTimeIndex, ordered, rowsMax } = this.#options
    const times = timesOf(batch, eventTimeIndex)
    if (ordered) {
      assert(!this.#arrived, 'rows in order come once an epoch')
      const partitions = context.partitions ?? new Float64Array(batch.rowCount).fill(context.partition)
      this.#arrived = { batch, rows: rows.slice(0, count), times, partitions }
      return
    }
    const onTime = rowsOnTime(input, times, watermark.lateWatermarkMs)
    this.#held.add(batch, onTime, onTime.length, times, context.partition)
    if (this.#held.size > rowsMax) throw tooManyRows(this.#options)
  }

  /** The watermark has moved: predicts the rows that it has passed, and learns from those whose labels are known. */
  release(clockMs: number): void {
    const { closeWatermarkMs } = this.#options.watermark
    const { maxEventTimeMs } = this.#options.watermark.mark()
    const atEnd = closeWatermarkMs === Number.POSITIVE_INFINITY
    const arrived = this.#options.ordered ? this.#arrived : released(this.#held, closeWatermarkMs)
    this.#arrived = undefined
    if (arrived) this.#predict(arrived, clockMs)
    this.#joiner.settleUpTo(atEnd ? maxEventTimeMs : closeWatermarkMs, this.#settle)
    if (atEnd) this.#joiner.giveUp()
    this.#learner.endBatch()
    const report = this.#learner.report()
    if (report) this.#tell(report, atEnd ? maxEventTimeMs : closeWatermarkMs, clockMs)
    this.#joiner.forgetKeys()
  }

  status(): ModelSummary {
    const { model } = this.#learner
    const { excess, slope, shift } = model.link
    const names = this.#reader.names(model.weights)
    const weights = namedWeights(model, names, SHOWN_WEIGHTS_MAX)
    return {
      name: this.#options.node.name,
      version: model.updates,
      report: this.#report ?? null,
      weights,
      weightsLeftOut: Math.max(0, names.length - weights.length),
      intercept: model.intercept,
      excess,
      calibration: { slope, shift },
      ...this.#rowCounts(),
    }
  }

  snapshot(writer: ByteWriter): void {
    this.#held.write(writer, () => 0, [0])
    this.#reader.write(writer)
    this.#joiner.write(writer)
    this.#learner.write(writer)
  }

  restore(reader: ByteReader): void {
    this.#held.merge(reader, 1)
    this.#reader.restore(reader)
    this.#joiner.restore(reader, this.#reader.slots.size)
    this.#learner.restore(reader)
  }

  #predict({ batch, rows, times, partitions }: ArrivedRows, clockMs: number): void {
    const truths = { label: this.#isLabel(batch), wanted: this.#isWanted?.(batch) }
    const keyIds = this.#keys.of(batch, rows, rows.length)
    const sequences = new Float64Array(rows.length)
    const probabilities = new Float64Array(batch.rowCount)
    const versions = new Float64Array(batch.rowCount)
    const predicted: number[] = []
    for (let first = 0; first < rows.length; ) {
      const timeMs = times[rows[first] as number] as number
      this.#joiner.settleBefore(timeMs, this.#settle)
      let end = first
      for (; end < rows.length && times[rows[end] as number] === timeMs; end++) {
        const row = rows[end] as number
        sequences[end] = this.#joiner.next()
        if (truths.label[row] === TRUE) this.#joiner.mark(keyIds[row] as number, sequences[end] as number)
      }
      this.#joiner.settleUpTo(timeMs, this.#settle)
      for (let place = first; place < end; place++) {
        const row = rows[place] as number
        const isLabel = truths.label[row] === TRUE
        if (!this.#wants(row, isLabel, truths.wanted)) continue
        versions[row] = this.#learner.model.updates
        probabilities[row] = this.#one(batch, row, keyIds[row] as number, timeMs, sequences[place] as number, isLabel)
        predicted.push(row)
      }
      first = end
    }
    if (predicted.length === 0) return
    const columns = [...batch.columns, { kind: 'number', values: probabilities }, { kind: 'number', values: versions }]
    const output = { ...batch, fields: this.#options.outputFields, columns } as Batch
    const oldestMs = times[predicted[0] as number] as number
    const input = releasedInput(output, Int32Array.from(predicted), partitions, clockMs, oldestMs)
    for (const stage of this.#next.predictions) stage.process(input)
  }

  /** Predicts one row, and has it wait for its label. */
  #one(batch: Batch, row: number, keyId: number, timeMs: number, sequence: number, isLabel: boolean): number {
    this.#reader.read(batch, row, this.#row)
    const probability = this.#learner.probability(this.#row)
    const { baseRate } = this.#learner
    if (this.#options.node.label.kind === 'itself') this.#learner.settle(this.#row, probability, baseRate, isLabel)
    // A single null is one byte: what has no key has nothing to wait for.
    else if (this.#keys.bytes(keyId).length > 1) {
      this.#joiner.wait(this.#row, timeMs, keyId, { probability, baseRate }, sequence)
    }
    return probability
  }

  #wants(row: number, isLabel: boolean, wanted: Uint8Array | undefined): boolean {
    if (wanted) return wanted[row] === TRUE
    return this.#options.node.label.kind === 'itself' || !isLabel
  }

  readonly #settle = (row: FeatureVector, probability: number, baseRate: number, label: boolean): void => {
    this.#learner.settle(row, probability, baseRate, label)
  }

  #rowCounts(): RowCounts {
    const { waiting, unlabelled, leftOut } = this.#joiner
    return { waiting, unlabelled, leftOut, extremeNumbers: this.#reader.extremes }
  }

  #weights(weightsMax: number): NamedWeight[] {
    const { model } = this.#learner
    return namedWeights(model, this.#reader.names(model.weights), weightsMax)
  }

  #tell(report: LearnerReport, asOfMs: number, clockMs: number): void {
    this.#report = report
    for (const { what, stages } of this.#next.reports) {
      if (stages.length === 0) continue
      const rows =
        what === 'metrics'
          ? metricsRow(asOfMs, report, this.#rowCounts())
          : weightRows(asOfMs, report, this.#weights(REPORT_WEIGHTS_MAX))
      const batch = computedBatch(reportFields(what), rows.columns, rows.rowCount)
      const partitions = new Float64Array(rows.rowCount)
      const input = releasedInput(batch, allRows(rows.rowCount), partitions, clockMs, asOfMs)
      for (const stage of stages) stage.process(input)
    }
  }
}

/** Rows that the watermark has passed, by event time, partition and offset. */
interface ArrivedRows {
  readonly batch: Batch
  readonly rows: Int32Array
  /** By row of the batch. */
  readonly times: Float64Array
  readonly partitions: Float64Array
}

function released(held: HeldRows, upToMs: number): ArrivedRows | undefined {
  const rows = held.take(upToMs)
  return rows && { ...rows, rows: allRows(rows.batch.rowCount) }
}

function tooManyRows({ id, rowsMax }: PredictStageOptions): MillraceError {
  return new MillraceError('unsupported', `${id} holds more than ${rowsMax} rows that wait for the watermark`, {
    hint: 'use a shorter watermark delay',
  })
}
