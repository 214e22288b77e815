import { assert } from '../base/assert.ts'
import { ByteReader, ByteWriter } from '../base/bytes.ts'
import type { Batch } from '../batch/batch.ts'
import type { Field } from '../batch/schema.ts'
import type { PipelinePlan } from '../plan/node.ts'
import type { Engine, EngineOptions, EngineStatus, QueryOutput, QueryStatus } from './engine.ts'
import type { EpochPlan, EpochResults, QueryResults } from './epoch.ts'
import { Gatherer } from './gatherer.ts'
import { SHARDS } from './keys/key-table.ts'
import { queryOutputs } from './query-outputs.ts'
import { selectedFields } from './selected-fields.ts'
import { SelectStage } from './stages/select-stage.ts'
import { compileStages, type StageTree } from './stages/stage-tree.ts'
import {
  ALL_SHARDS,
  assertAllRead,
  openSection,
  readHead,
  readTables,
  section,
  writeHead,
  writeTables,
} from './state-sections.ts'

/** Compiles a checked plan to run in one thread: what reads rows and what owns the groups are one. */
export function createEngine(plan: PipelinePlan, options: EngineOptions): Engine {
  return new PipelineEngine(plan, options)
}

class PipelineEngine implements Engine {
  readonly fields: readonly Field[]
  readonly queries: readonly QueryOutput[]
  readonly watermarkIds: readonly string[]
  readonly #partitionIds: string[] = []
  readonly #stages: StageTree
  readonly #gatherer: Gatherer
  #plan: EpochPlan | undefined
  #lateRowsBefore: number[] = []
  /** Size of the last snapshot: the next one is about as large, and a buffer that grows step by step is held twice. */
  #snapshotBytes = 1 << 16

  constructor(plan: PipelinePlan, options: EngineOptions) {
    this.fields = selectedFields(plan)
    this.queries = queryOutputs(plan, options.extraModes)
    this.#stages = compileStages(plan, this.fields, this.queries, options)
    this.#gatherer = new Gatherer(plan, this.fields, this.#stages)
    this.watermarkIds = this.#stages.watermarks.map(({ id }) => id)
  }

  get partitionIds(): readonly string[] {
    return this.#partitionIds
  }

  addPartitions(ids: readonly string[]): void {
    assert(!this.#gatherer.busy, 'partitions are added between epochs')
    for (const id of ids) if (!this.#partitionIds.includes(id)) this.#partitionIds.push(id)
    for (const { watermark } of this.#stages.watermarks) watermark.addPartitions(this.#partitionIds.length)
  }

  beginEpoch(plan: EpochPlan): void {
    for (const command of plan.commands ?? []) {
      for (const predict of this.#stages.predicts) if (predict.answersTo(command.model)) predict.obey(command)
    }
    this.#gatherer.beginEpoch(plan)
    this.#plan = plan
    this.#lateRowsBefore = this.#stages.outputs.map(lateRowsOf)
  }

  processBatch(partition: number, batch: Batch): void {
    this.#gatherer.processBatch(partition, batch)
  }

  endEpoch(): EpochResults {
    const gathered = this.#gatherer.finish()
    const plan = this.#plan
    assert(plan, 'an epoch ends that has begun')
    for (const [index, { watermark }] of this.#stages.watermarks.entries()) watermark.finishEpoch(plan, index)
    for (const features of this.#stages.features) features.release(plan.clockMs)
    for (const predict of this.#stages.predicts) predict.release(plan.clockMs)
    for (const funnel of this.#stages.funnels) funnel.release(plan.clockMs)
    for (const output of this.#stages.outputs) if (output instanceof SelectStage) output.finishBatch()
    const queries = this.#stages.outputs.map((output, index): QueryResults => {
      const rows = output instanceof SelectStage ? output.close() : output.close(plan.epoch)
      return { ...rows, lateRows: lateRowsOf(output) - (this.#lateRowsBefore[index] as number) }
    })
    for (const dedupe of this.#stages.dedupes) dedupe.endEpoch()
    const watermarks = this.#stages.watermarks.map(({ watermark }) => watermark.mark())
    return { epoch: plan.epoch, ...gathered, queries, watermarks }
  }

  snapshot(): Uint8Array {
    assert(!this.#gatherer.busy, 'state is saved between epochs')
    const writer = new ByteWriter(Math.ceil(this.#snapshotBytes * 1.1))
    writeHead(writer, this.#partitionIds)
    for (const { id, watermark } of this.#stages.watermarks) section(writer, id, (to) => watermark.snapshot(to))
    for (const dedupe of this.#stages.dedupes) section(writer, dedupe.id, (to) => writeTables(to, dedupe.tables()))
    for (const one of this.#stages.features) section(writer, one.id, (to) => one.snapshot(to, ALL_SHARDS))
    for (const predict of this.#stages.predicts) section(writer, predict.id, (to) => predict.snapshot(to))
    for (const funnel of this.#stages.funnels) section(writer, funnel.id, (to) => funnel.snapshot(to))
    for (const output of this.#stages.outputs) {
      if (output instanceof SelectStage) continue
      section(writer, output.id, (to) => output.snapshot(to, ALL_SHARDS))
    }
    this.#snapshotBytes = writer.length
    return writer.view()
  }

  restore(snapshot: Uint8Array): void {
    const reader = new ByteReader(snapshot, 'the state in the snapshot')
    this.addPartitions(readHead(reader))
    for (const { id, watermark } of this.#stages.watermarks) watermark.restore(openSection(reader, id))
    for (const dedupe of this.#stages.dedupes) {
      for (const [partition, table] of readTables(openSection(reader, dedupe.id)).entries())
        dedupe.restore(partition, table)
    }
    for (const one of this.#stages.features) one.restore(openSection(reader, one.id), SHARDS)
    for (const predict of this.#stages.predicts) predict.restore(openSection(reader, predict.id))
    for (const funnel of this.#stages.funnels) funnel.restore(openSection(reader, funnel.id))
    for (const output of this.#stages.outputs) {
      if (output instanceof SelectStage) continue
      output.restore(openSection(reader, output.id), SHARDS)
    }
    assertAllRead(reader)
  }

  status(): EngineStatus {
    return {
      watermarks: this.#stages.watermarks.map(({ id, watermark }) => watermark.status(id)),
      queries: this.#stages.outputs.map(queryStatus),
      models: this.#stages.predicts.flatMap((predict) => predict.status()),
      waitingRows: holdingStages(this.#stages).reduce((sum, { stateRows }) => sum + stateRows, 0),
    }
  }
}

function holdingStages({ features, predicts, funnels }: StageTree): readonly { readonly stateRows: number }[] {
  return [...features, ...predicts, ...funnels]
}

function lateRowsOf(output: StageTree['outputs'][number]): number {
  return output instanceof SelectStage ? 0 : output.lateRows
}

function queryStatus(output: StageTree['outputs'][number]): QueryStatus {
  if (output instanceof SelectStage) return { name: output.query, openWindows: [], stateRows: 0, lateRows: 0 }
  const { query, operator, lateRows } = output
  return { name: query, openWindows: output.openWindows(), stateRows: operator.stateRows, lateRows }
}
