import { ByteReader, ByteWriter } from '../base/bytes.ts'
import type { Batch } from '../batch/batch.ts'
import type { Field } from '../batch/schema.ts'
import type { PipelinePlan } from '../plan/node.ts'
import type { EngineOptions, OpenWindow } from './engine.ts'
import type { EpochPlan } from './epoch.ts'
import { type Gathered, Gatherer } from './gatherer.ts'
import type { Operator, OperatorResults } from './operator.ts'
import { queryOutputs } from './query-outputs.ts'
import { selectedFields } from './selected-fields.ts'
import type { AggregateStage } from './stages/aggregate-stage.ts'
import { type SelectPart, SelectStage } from './stages/select-stage.ts'
import { compileStages, type StageTree } from './stages/stage-tree.ts'

/**
 * One worker's share of a pipeline: it reads some partitions, and owns the groups of some shards. What it reads it gathers, whoever owns
 * it; groups go to their owners when windows close that they are in.
 *
 *   rows -> groups gathered here --hand over--> owner of the shard --merge--> groups kept there -> results
 */
export class WorkerEngine {
  readonly fields: readonly Field[]
  readonly #shards: readonly number[]
  readonly #stages: StageTree
  readonly #gatherer: Gatherer

  constructor(plan: PipelinePlan, options: EngineOptions, shards: readonly number[]) {
    this.fields = selectedFields(plan)
    this.#shards = shards
    this.#stages = compileStages(plan, this.fields, queryOutputs(plan, options.extraModes), options, shards)
    this.#gatherer = new Gatherer(plan, this.fields, this.#stages)
  }

  /** `closeWatermarksMs` are those of the epoch before, by watermark; `marks` what owners have closed early since, by query. */
  beginEpoch(
    plan: EpochPlan,
    partitionCount: number,
    closeWatermarksMs: readonly number[],
    marks: readonly (readonly Uint8Array[])[],
  ): void {
    this.#closeAt(closeWatermarksMs)
    for (const { watermark } of this.#stages.watermarks) watermark.addPartitions(partitionCount)
    this.#gatherer.beginEpoch(plan)
    for (const [index, output] of this.#stages.outputs.entries()) {
      if (output instanceof SelectStage) continue
      const readers = readersOf(marks[index] ?? [], 'the marks of another worker')
      output.operator.hearOfMarks?.(readers, output.watermark.lateWatermarkMs)
    }
  }

  processBatch(partition: number, batch: Batch): void {
    this.#gatherer.processBatch(partition, batch)
  }

  /** What became of the rows. */
  finishReading(): WorkerGathered {
    const gathered = this.#gatherer.finish()
    const lateRows = this.#stages.outputs.map((output) => {
      if (output instanceof SelectStage) return 0
      const { lateRows } = output
      output.lateRows = 0
      return lateRows
    })
    return {
      ...gathered,
      lateRows,
      observedMs: this.#stages.watermarks.map(({ watermark }) => watermark.observed()),
      selected: this.#stages.outputs.map((output) => (output instanceof SelectStage ? output.takeParts() : [])),
    }
  }

  /**
   * Keys of groups that may close at these watermarks, depending on what others have of them: by query, nothing where there are none.
   * `newestMs` is the newest event of each watermark that anybody has seen.
   */
  closingKeys(closeWatermarksMs: readonly number[], newestMs: readonly number[]): Uint8Array[][] {
    this.#closeAt(closeWatermarksMs)
    return this.#stages.outputs.map((output) => {
      if (output instanceof SelectStage) return []
      const writer = new ByteWriter(256)
      const index = this.#stages.watermarks.findIndex(({ watermark }) => watermark === output.watermark)
      return output.writeClosingKeys(writer, newestMs[index] as number) ? [writer.finish()] : []
    })
  }

  /** First barrier: groups that their owners want to have before windows close, by owner; nothing for itself. */
  handOver({ shardsByOwner, closeWatermarksMs, all, closingKeys }: HandOverRequest): Uint8Array[] {
    this.#closeAt(closeWatermarksMs)
    const parts = shardsByOwner.map((shards) => ({ shards, writer: new ByteWriter(1 << 14) }))
    const owners = parts.filter(({ shards }) => shards[0] !== this.#shards[0])
    for (const [index, output] of this.#stages.outputs.entries()) {
      if (output instanceof SelectStage) continue
      const readers = readersOf(closingKeys[index] ?? [], 'the closing keys of another worker')
      output.handOver({ all, closingKeys: readers, owners })
    }
    return parts.map(({ writer }) => writer.finish())
  }

  /** Takes in what others have handed over. */
  merge(partials: readonly Uint8Array[]): void {
    for (const reader of readersOf(partials, 'the groups of another worker')) {
      if (reader.remaining === 0) continue
      for (const output of this.#stages.outputs) {
        if (!(output instanceof SelectStage)) output.operator.merge(reader, this.#shards.length)
      }
    }
  }

  /** Second barrier: closes what the watermarks have passed; by query, nothing for a select. */
  close(epoch: number): WorkerClosed[] {
    for (const dedupe of this.#stages.dedupes) dedupe.endEpoch()
    return this.#stages.outputs.map((output): WorkerClosed => {
      if (output instanceof SelectStage) return { results: {}, ...NOTHING_HELD }
      const results = output.close(epoch)
      return { results, ...heldBy(output) }
    })
  }

  /** Everything of other shards has been handed over. */
  snapshot(): WorkerState {
    const groups = this.#stages.outputs.map((output) => {
      if (output instanceof SelectStage) return []
      return this.#shards.map((shard) => {
        const writer = new ByteWriter(1024)
        output.operator.write(writer, [shard])
        return writer.finish()
      })
    })
    return { groups, ids: this.#stages.dedupes.map((dedupe) => dedupe.tables()) }
  }

  /** Takes in what `snapshot` has given, any shards; gives what that is, by query. */
  restore({ groups, ids }: WorkerState, closeWatermarksMs: readonly number[]): WorkerHeld[] {
    this.#closeAt(closeWatermarksMs)
    for (const [index, tables] of ids.entries()) {
      for (const [partition, table] of tables.entries()) {
        if (table.length > 0) this.#stages.dedupes[index]?.restore(partition, table)
      }
    }
    return groups.map((sections, index) => {
      const output = this.#stages.outputs[index]
      if (!output || output instanceof SelectStage) return NOTHING_HELD
      for (const bytes of sections) output.operator.restore(new ByteReader(bytes, `the state of ${output.id}`), 1)
      return heldBy(output)
    })
  }

  #closeAt(closeWatermarksMs: readonly number[]): void {
    for (const [index, { watermark }] of this.#stages.watermarks.entries()) {
      watermark.closeAt(closeWatermarksMs[index] as number)
    }
  }
}

/** What a worker keeps from epoch to epoch. */
export interface WorkerState {
  /** By query: the groups of its shards, by shard in its own order. */
  readonly groups: readonly (readonly Uint8Array[])[]
  /** By dedupe: the ids that were seen, by partition; empty for those of others. */
  readonly ids: readonly (readonly Uint8Array[])[]
}

/** What owners want to have. */
export interface HandOverRequest {
  readonly shardsByOwner: readonly (readonly number[])[]
  readonly closeWatermarksMs: readonly number[]
  /** Everything, because state is about to be saved. */
  readonly all: boolean
  /** By query: the `closingKeys` of others. */
  readonly closingKeys: readonly (readonly Uint8Array[])[]
}

/** What one worker's rows of an epoch came to. Plain data, so that it can go to another thread. */
export interface WorkerGathered extends Gathered {
  /** By query. */
  readonly lateRows: readonly number[]
  /** By watermark and partition: the largest event time, -Infinity where nothing came. */
  readonly observedMs: readonly Float64Array[]
  /** By query: the rows of selects. */
  readonly selected: readonly (readonly SelectPart[])[]
}

/** What one owner's groups of a query gave at the end of an epoch. */
export interface WorkerClosed extends WorkerHeld {
  readonly results: OperatorResults
}

/** What an owner has of a query. */
export interface WorkerHeld {
  readonly stateRows: number
  readonly openWindows: readonly OpenWindow[]
  /** What was closed before its time since the last answer, for everybody who judges rows. */
  readonly marks: readonly Uint8Array[]
}

function readersOf(all: readonly Uint8Array[], what: string): ByteReader[] {
  return all.map((bytes) => new ByteReader(bytes, what))
}

const NOTHING_HELD: WorkerHeld = { stateRows: 0, openWindows: [], marks: [] }

function heldBy(output: AggregateStage): WorkerHeld {
  const { operator } = output
  return { stateRows: operator.stateRows, openWindows: output.openWindows(), marks: newMarks(operator) }
}

function newMarks(operator: Operator): Uint8Array[] {
  const writer = new ByteWriter(256)
  return operator.writeNewMarks?.(writer) ? [writer.finish()] : []
}
