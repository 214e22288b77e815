import { assert } from '../base/assert.ts'
import { ByteReader, ByteWriter } from '../base/bytes.ts'
import { MillraceError } from '../base/error.ts'
import { type Batch, RowStatus } from '../batch/batch.ts'
import type { Field } from '../batch/schema.ts'
import type { OutputMode } from '../plan/connectors.ts'
import type { PipelinePlan, QueryPlan } from '../plan/node.ts'
import { queryChain } from '../plan/query-chain.ts'
import { keyColumns, resultFields } from '../plan/result-schema.ts'
import { sinkTraits } from '../plan/sink-traits.ts'
import type { Engine, EngineOptions, EngineStatus, QueryOutput, QueryStatus } from './engine.ts'
import type { EpochPlan, EpochResults, QueryResults } from './epoch.ts'
import { SHARDS } from './keys/key-table.ts'
import { decoderRefusal, FateCode, Ledger, type Refusal } from './ledger.ts'
import { selectedFields } from './selected-fields.ts'
import { SelectStage } from './stages/select-stage.ts'
import { Refusals } from './stages/stage.ts'
import { compileStages, type StageTree } from './stages/stage-tree.ts'
import { Validator } from './validation/validator.ts'

/** Version of the engine's part of a snapshot. */
const STATE_VERSION = 2
const ALL_SHARDS: readonly number[] = Array.from({ length: SHARDS }, (_, shard) => shard)

/** Compiles a checked plan. */
export function createEngine(plan: PipelinePlan, options: EngineOptions): Engine {
  return new PipelineEngine(plan, options)
}

class PipelineEngine implements Engine {
  readonly fields: readonly Field[]
  readonly queries: readonly QueryOutput[]
  readonly watermarkIds: readonly string[]
  readonly #partitionIds: string[] = []
  readonly #validator: Validator
  readonly #stages: StageTree
  readonly #refusals = new Refusals()
  #plan: EpochPlan | undefined
  #ledger = new Ledger()
  #lateRowsBefore: number[] = []
  #fates = new Uint8Array(1024)
  #valid = new Int32Array(1024)

  constructor(plan: PipelinePlan, options: EngineOptions) {
    const source = plan.queries[0] && queryChain(plan.queries[0].root).source
    assert(source, 'the plan was checked: it has a query')
    this.fields = selectedFields(plan)
    this.#validator = new Validator(this.fields, source.rules)
    this.queries = plan.queries.map((query) => queryOutput(query, options.extraModes))
    this.#stages = compileStages(plan, this.fields, this.queries, options)
    this.watermarkIds = this.#stages.watermarks.map(({ id }) => id)
  }

  get partitionIds(): readonly string[] {
    return this.#partitionIds
  }

  addPartitions(ids: readonly string[]): void {
    assert(!this.#plan, 'partitions are added between epochs')
    for (const id of ids) if (!this.#partitionIds.includes(id)) this.#partitionIds.push(id)
    for (const { watermark } of this.#stages.watermarks) watermark.addPartitions(this.#partitionIds.length)
  }

  beginEpoch(plan: EpochPlan): void {
    assert(!this.#plan, 'one epoch at a time')
    this.#plan = plan
    this.#ledger = new Ledger()
    this.#lateRowsBefore = this.#stages.outputs.map(lateRowsOf)
    for (const { watermark } of this.#stages.watermarks) watermark.beginEpoch()
  }

  processBatch(partition: number, batch: Batch): void {
    const plan = this.#plan
    assert(plan, 'rows belong to an epoch')
    if (batch.rowCount === 0) return
    this.#makeRoom(batch.rowCount)
    const fates = this.#fates
    const broken = this.#validator.check(batch)
    const count = judgeValidity(batch, broken, fates, this.#valid)
    const context = { partition, clockMs: plan.clockMs, fates, accepted: undefined, refusals: this.#refusals }
    const input = { batch, rows: this.#valid, count, oldestMs: Number.NEGATIVE_INFINITY, context }
    if (count > 0) {
      for (const stage of this.#stages.roots) stage.process(input)
      for (const output of this.#stages.outputs) if (output instanceof SelectStage) output.finishBatch()
    }
    this.#ledger.record(partition, batch, fates, (row) =>
      this.#refusal(batch, row, fates[row] as number, broken[row] as number),
    )
    this.#refusals.clear()
  }

  endEpoch(): EpochResults {
    const plan = this.#plan
    assert(plan, 'an epoch ends that has begun')
    for (const [index, { watermark }] of this.#stages.watermarks.entries()) watermark.finishEpoch(plan, index)
    const queries = this.#stages.outputs.map((output, index): QueryResults => {
      const rows = output instanceof SelectStage ? output.close() : output.close(plan.epoch)
      return { ...rows, lateRows: lateRowsOf(output) - (this.#lateRowsBefore[index] as number) }
    })
    for (const dedupe of this.#stages.dedupes) dedupe.endEpoch()
    this.#plan = undefined
    return {
      epoch: plan.epoch,
      rowsRead: this.#ledger.rowsRead,
      queries,
      deadLetters: this.#ledger.deadLetters,
      ledger: this.#ledger.entries(),
      watermarks: this.#stages.watermarks.map(({ watermark }) => watermark.mark()),
    }
  }

  snapshot(): Uint8Array {
    assert(!this.#plan, 'state is saved between epochs')
    const writer = new ByteWriter(1 << 16)
    writer.varint(STATE_VERSION)
    writer.varint(this.#partitionIds.length)
    for (const id of this.#partitionIds) writer.text(id)
    for (const { id, watermark } of this.#stages.watermarks) section(writer, id, (to) => watermark.snapshot(to))
    for (const dedupe of this.#stages.dedupes) section(writer, dedupe.id, (to) => dedupe.snapshot(to, ALL_SHARDS))
    for (const output of this.#stages.outputs) {
      if (output instanceof SelectStage) continue
      section(writer, `${output.query}/aggregate`, (to) => output.snapshot(to, ALL_SHARDS))
    }
    return writer.finish()
  }

  restore(snapshot: Uint8Array): void {
    const reader = new ByteReader(snapshot, 'the state in the snapshot')
    const version = reader.varint()
    if (version !== STATE_VERSION) throw misfit(`it has version ${version}, this version reads ${STATE_VERSION}`)
    const ids: string[] = []
    for (let count = reader.count(); count > 0; count--) ids.push(reader.text())
    this.addPartitions(ids)
    for (const { id, watermark } of this.#stages.watermarks) watermark.restore(openSection(reader, id))
    for (const dedupe of this.#stages.dedupes) dedupe.restore(openSection(reader, dedupe.id), SHARDS)
    for (const output of this.#stages.outputs) {
      if (output instanceof SelectStage) continue
      output.restore(openSection(reader, `${output.query}/aggregate`), SHARDS)
    }
    if (reader.remaining > 0) throw misfit('it holds more than this pipeline has')
  }

  status(): EngineStatus {
    return {
      watermarks: this.#stages.watermarks.map(({ id, watermark }) => watermark.status(id)),
      queries: this.#stages.outputs.map(queryStatus),
    }
  }

  #makeRoom(rowCount: number): void {
    if (this.#fates.length >= rowCount) return
    this.#fates = new Uint8Array(rowCount * 2)
    this.#valid = new Int32Array(rowCount * 2)
  }

  #refusal(batch: Batch, row: number, fate: number, brokenRule: number): Refusal {
    const lateWatermarkMs = Math.min(...this.#stages.watermarks.map(({ watermark }) => watermark.lateWatermarkMs))
    const plain = { rule: '', watermarkMs: lateWatermarkMs, windowsMissed: [] }
    if (batch.status[row] !== RowStatus.fine) return { ...plain, ...decoderRefusal(batch, row) }
    const rule = this.#validator.rules[brokenRule - 1]
    if (rule) return { ...plain, rule: rule.name, reason: rule.reason }
    if (fate === FateCode.future) return { ...plain, reason: 'stamped too far ahead of its arrival' }
    if (fate === FateCode.duplicate) return { ...plain, reason: 'an event with this id came before' }
    if (fate === FateCode.expired) return { ...plain, reason: 'older than the age that is accepted' }
    const windowsMissed = this.#refusals.windowsMissed(row)
    return { ...plain, reason: 'every window that it belongs to has closed', windowsMissed }
  }
}

function lateRowsOf(output: StageTree['outputs'][number]): number {
  return output instanceof SelectStage ? 0 : output.lateRows
}

function queryStatus(output: StageTree['outputs'][number]): QueryStatus {
  if (output instanceof SelectStage) return { name: output.query, openWindows: [], stateRows: 0, lateRows: 0 }
  const { query, operator, lateRows } = output
  return { name: query, openWindows: operator.openWindows(), stateRows: operator.stateRows, lateRows }
}

/** Gives each row that is not valid its fate, and `filtered` to the others for now; collects these and gives how many they are. */
function judgeValidity(batch: Batch, broken: Uint8Array, fates: Uint8Array, valid: Int32Array): number {
  let count = 0
  for (let row = 0; row < batch.rowCount; row++) {
    const status = batch.status[row] as number
    if (status === RowStatus.fine && broken[row] === 0) {
      fates[row] = FateCode.filtered
      valid[count++] = row
    } else {
      fates[row] = status === RowStatus.malformed ? FateCode.malformed : FateCode.invalid
    }
  }
  return count
}

function queryOutput(query: QueryPlan, extraModes: readonly OutputMode[]): QueryOutput {
  const modes = new Set<OutputMode>(extraModes)
  for (const sink of query.sinks) modes.add(sinkTraits(sink).mode)
  if (modes.size === 0) modes.add('append')
  const order: readonly OutputMode[] = ['append', 'update', 'complete']
  return {
    name: query.name,
    fields: resultFields(query),
    keyColumns: keyColumns(query),
    modes: order.filter((mode) => modes.has(mode)),
  }
}

function section(writer: ByteWriter, id: string, write: (to: ByteWriter) => void): void {
  const part = new ByteWriter(1 << 12)
  write(part)
  writer.text(id)
  writer.bytes(part.view())
}

function openSection(reader: ByteReader, id: string): ByteReader {
  const found = reader.text()
  if (found !== id) throw misfit(`it has "${found}" where this pipeline has "${id}"`)
  return new ByteReader(reader.bytes(), `the state of ${id}`)
}

function misfit(detail: string): MillraceError {
  return new MillraceError('incompatible-state', `the saved state does not fit the pipeline: ${detail}`, {
    hint: 'start over with another --checkpoint folder and another --output',
  })
}
