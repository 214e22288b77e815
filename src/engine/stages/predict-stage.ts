import { assert } from '../../base/assert.ts'
import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { MillraceError } from '../../base/error.ts'
import type { Batch } from '../../batch/batch.ts'
import { type Field, fieldIndex } from '../../batch/schema.ts'
import { type FeatureVector, featureVector } from '../../ml/feature-vector.ts'
import type { ModelCommand } from '../../ml/model-event.ts'
import type { ModelSummary, RowCounts } from '../../ml/model-summary.ts'
import { RecentEvents } from '../../ml/recent-events.ts'
import type { StepModel } from '../../ml/step-model.ts'
import { reportFields } from '../../plan/model-fields.ts'
import type { ModelReportNode, PredictNode } from '../../plan/node.ts'
import { timesOf } from '../event-times.ts'
import { HeldRows } from '../features/held-rows.ts'
import { type HashKey, KeyTable } from '../keys/key-table.ts'
import { compilePredicate, type Predicate, TRUE } from '../predicate.ts'
import { createStepModel } from '../predict/create-step-model.ts'
import { beginFrom } from '../predict/exported-model.ts'
import { FeatureReader } from '../predict/feature-reader.ts'
import { LabelJoiner } from '../predict/label-joiner.ts'
import { modelReport, namedWeights } from '../predict/model-report.ts'
import { PredictionColumns } from '../predict/prediction-columns.ts'
import { RowLabels } from '../predict/row-labels.ts'
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
  readonly #model: StepModel
  readonly #events = new RecentEvents()
  readonly #row: FeatureVector
  readonly #told: Float64Array
  readonly #labels: RowLabels
  readonly #isWanted: Predicate | undefined
  #arrived: ArrivedRows | undefined

  constructor(options: PredictStageOptions, next: PredictNext) {
    const { id, node, fields, hashKey } = options
    this.id = id
    this.#options = options
    this.#next = next
    this.#held = new HeldRows(fields)
    this.#reader = new FeatureReader(node.features, fields)
    this.#keys = new KeyTable([fieldIndex({ fields }, node.by)], hashKey)
    const { featuresMax } = this.#reader.slots
    this.#model = createStepModel(node, this.#reader.slots)
    const { toldSize } = this.#model
    this.#labels = new RowLabels(node.label, fields)
    this.#joiner = new LabelJoiner({
      withinMs: node.label.kind === 'itself' ? 0 : node.label.withinMs,
      waitingMax: node.waitingMax,
      featuresMax,
      toldSize,
      nothing: node.label.kind === 'next' ? node.label.classes.length : null,
      keys: this.#keys,
    })
    if (node.startFrom) beginFrom(node.startFrom, node, this.#model, this.#reader)
    this.#row = featureVector(featuresMax)
    this.#told = new Float64Array(toldSize)
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
    this.#model.endBatch()
    const asOfMs = atEnd ? maxEventTimeMs : closeWatermarkMs
    // A command may be followed before there was an event.
    this.#tell(Number.isFinite(asOfMs) ? asOfMs : clockMs, clockMs)
    this.#joiner.forgetKeys()
  }

  /** Of each part of the model. */
  status(): ModelSummary[] {
    return this.#model.parts().map((part) => {
      const names = this.#reader.names(part.weights)
      const weights = namedWeights(part, names, SHOWN_WEIGHTS_MAX)
      const { name, role, className, version, kept, report, intercept, link } = part
      return {
        name: className === null ? name : `${name}/${className}`,
        model: this.#options.node.name,
        role,
        className,
        version,
        kept,
        events: this.#events.of(name),
        report,
        weights,
        weightsLeftOut: Math.max(0, names.length - weights.length),
        intercept,
        excess: link.excess,
        calibration: { slope: link.slope, shift: link.shift },
        ...this.#rowCounts(),
      }
    })
  }

  /** Whether this is the name of its model, or of one beside it. */
  answersTo(name: string): boolean {
    return name === this.#options.node.name || name.startsWith(`${this.#options.node.name}/`)
  }

  /** Between epochs. */
  obey(command: ModelCommand): void {
    this.#model.obey(command)
  }

  snapshot(writer: ByteWriter): void {
    this.#held.write(writer, () => 0, [0])
    this.#reader.write(writer)
    this.#joiner.write(writer)
    this.#model.write(writer)
    this.#events.write(writer)
  }

  restore(reader: ByteReader): void {
    this.#held.merge(reader, 1)
    this.#reader.restore(reader)
    this.#joiner.restore(reader, this.#reader.slots.size)
    this.#model.restore(reader)
    this.#events.restore(reader)
  }

  #predict({ batch, rows, times, partitions }: ArrivedRows, clockMs: number): void {
    const { node, outputFields } = this.#options
    const outcomes = this.#labels.of(batch)
    const wanted = this.#isWanted?.(batch)
    const keyIds = this.#keys.of(batch, rows, rows.length)
    const sequences = new Float64Array(rows.length)
    const columns = new PredictionColumns(node.label, batch.rowCount)
    const predicted: number[] = []
    for (let first = 0; first < rows.length; ) {
      const timeMs = times[rows[first] as number] as number
      this.#joiner.settleBefore(timeMs, this.#settle)
      let end = first
      for (; end < rows.length && times[rows[end] as number] === timeMs; end++) {
        const row = rows[end] as number
        sequences[end] = this.#joiner.next()
        this.#note(keyIds[row] as number, sequences[end] as number, outcomes[row] as number)
      }
      this.#joiner.settleUpTo(timeMs, this.#settle)
      for (let place = first; place < end; place++) {
        const row = rows[place] as number
        const outcome = outcomes[row] as number
        // A row of the same moment may have begun to wait since this one was noted.
        if (node.label.kind === 'next' && outcome >= 0) this.#joiner.follow(keyIds[row] as number, outcome)
        if (!this.#wants(row, outcome, wanted)) continue
        const version = this.#model.version
        this.#one(batch, row, keyIds[row] as number, timeMs, sequences[place] as number, outcome)
        columns.set(row, this.#told, version)
        predicted.push(row)
      }
      first = end
    }
    if (predicted.length === 0) return
    const output = { ...batch, fields: outputFields, columns: [...batch.columns, ...columns.finish()] } as Batch
    const oldestMs = times[predicted[0] as number] as number
    const input = releasedInput(output, Int32Array.from(predicted), partitions, clockMs, oldestMs)
    for (const stage of this.#next.predictions) stage.process(input)
  }

  /** What a row is to those of its key that came before. */
  #note(keyId: number, sequence: number, outcome: number): void {
    if (this.#options.node.label.kind !== 'next') {
      if (outcome === 1) this.#joiner.mark(keyId, sequence)
    } else if (outcome >= 0) this.#joiner.follow(keyId, outcome)
  }

  /** Predicts one row, and has it wait for its label. */
  #one(batch: Batch, row: number, keyId: number, timeMs: number, sequence: number, outcome: number): void {
    this.#reader.read(batch, row, this.#row)
    this.#model.tell(this.#row, this.#told)
    if (this.#options.node.label.kind === 'itself') this.#model.settle(this.#row, this.#told, outcome)
    // A single null is one byte: what has no key has nothing to wait for.
    else if (this.#keys.bytes(keyId).length > 1) {
      this.#joiner.wait(this.#row, timeMs, keyId, this.#told, sequence)
    }
  }

  #wants(row: number, outcome: number, wanted: Uint8Array | undefined): boolean {
    if (wanted) return wanted[row] === TRUE
    return this.#options.node.label.kind !== 'within' || outcome === 0
  }

  readonly #settle = (row: FeatureVector, told: Float64Array, outcome: number): void => {
    this.#model.settle(row, told, outcome)
  }

  #rowCounts(): RowCounts {
    const { waiting, unlabelled, leftOut } = this.#joiner
    return { waiting, unlabelled, leftOut, ...this.#reader.counts }
  }

  #tell(asOfMs: number, clockMs: number): void {
    const events = this.#model.takeEvents()
    this.#events.add(events)
    const news = this.#model.report()
    const parts = this.#model.parts()
    for (const { what, stages } of this.#next.reports) {
      if (stages.length === 0 || (what === 'events' ? events.length === 0 : !news)) continue
      const rows = modelReport(what, {
        asOfMs,
        parts,
        events,
        exports: () => this.#model.exports(),
        node: this.#options.node,
        counts: this.#rowCounts(),
        reader: this.#reader,
      })
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
