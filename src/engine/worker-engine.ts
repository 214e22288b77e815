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
import { AggregateStage } from './stages/aggregate-stage.ts'
import { type SelectPart, SelectStage } from './stages/select-stage.ts'
import { compileStages, type StageTree } from './stages/stage-tree.ts'

/**
 * One worker's share of a pipeline: it reads some partitions, and owns the groups of some shards. Rows of its own groups go straight to
 * them; the others it gathers for one epoch only: at the first barrier they go to their owners, at the second one the owners close windows.
 *
 *   gather: rows -> groups of this epoch --write--> owner of the shard --merge--> own: groups of all epochs -> results
 *           rows of its own shards ---------------------------------------------> own
 */
export class WorkerEngine {
  readonly fields: readonly Field[]
  readonly #shards: readonly number[]
  readonly #gather: StageTree
  readonly #own: StageTree
  readonly #gatherer: Gatherer

  constructor(plan: PipelinePlan, options: EngineOptions, shards: readonly number[]) {
    this.fields = selectedFields(plan)
    this.#shards = shards
    const outputs = queryOutputs(plan, options.extraModes)
    this.#gather = compileStages(plan, this.fields, outputs, options, true)
    this.#own = compileStages(plan, this.fields, outputs, options)
    for (const [index, output] of this.#gather.outputs.entries()) {
      const own = this.#own.outputs[index]
      if (output instanceof AggregateStage && own instanceof AggregateStage) output.handOver(own.operator, shards)
    }
    this.#gatherer = new Gatherer(plan, this.fields, this.#gather)
  }

  /** `closeWatermarksMs` are those of the epoch before, by watermark; `marks` what owners have closed early since, by query. */
  beginEpoch(
    plan: EpochPlan,
    partitionCount: number,
    closeWatermarksMs: readonly number[],
    marks: readonly (readonly Uint8Array[])[],
  ): void {
    for (const tree of [this.#gather, this.#own]) {
      for (const [index, { watermark }] of tree.watermarks.entries()) {
        watermark.addPartitions(partitionCount)
        watermark.closeAt(closeWatermarksMs[index] as number)
      }
    }
    for (const { watermark } of this.#own.watermarks) watermark.beginEpoch()
    this.#gatherer.beginEpoch(plan)
    this.#hearOfMarks(marks)
  }

  processBatch(partition: number, batch: Batch): void {
    this.#gatherer.processBatch(partition, batch)
  }

  /** First barrier: what became of the rows, and the groups for the owner of each list of shards. */
  finishReading(shardsByOwner: readonly (readonly number[])[]): WorkerGathered {
    const gathered = this.#gatherer.finish()
    const partials = shardsByOwner.map((shards) => this.#partial(shards))
    const lateRows = this.#gather.outputs.map((output) => {
      if (output instanceof SelectStage) return 0
      output.operator.clear()
      const { lateRows } = output
      output.lateRows = 0
      return lateRows
    })
    return {
      ...gathered,
      partials,
      lateRows,
      observedMs: this.#gather.watermarks.map(({ watermark }) => watermark.observed()),
      selected: this.#gather.outputs.map((output) => (output instanceof SelectStage ? output.takeParts() : [])),
    }
  }

  /** Second barrier: takes in the groups of its shards, closes what the watermarks have passed; by query, undefined for a select. */
  close(epoch: number, partials: readonly Uint8Array[], closeWatermarksMs: readonly number[]): WorkerClosed[] {
    for (const partial of partials) this.#mergePartial(new ByteReader(partial, 'the groups of another worker'))
    for (const [index, { watermark }] of this.#own.watermarks.entries()) {
      watermark.closeAt(closeWatermarksMs[index] as number)
    }
    return this.#own.outputs.map((output): WorkerClosed => {
      if (output instanceof SelectStage) return { results: {}, stateRows: 0, openWindows: [], marks: [] }
      const results = output.close(epoch)
      const { stateRows } = output.operator
      return { results, stateRows, openWindows: output.operator.openWindows(), marks: newMarks(output.operator) }
    })
  }

  /** The groups of its shards: by query, by shard in its own order. */
  snapshot(): Uint8Array[][] {
    return this.#own.outputs.map((output) => {
      if (output instanceof SelectStage) return []
      return this.#shards.map((shard) => {
        const writer = new ByteWriter(1024)
        output.operator.write(writer, [shard])
        return writer.finish()
      })
    })
  }

  /** Takes in what `snapshot` has given, by query, any shards; gives the marks in it, by query. */
  restore(state: readonly (readonly Uint8Array[])[]): Uint8Array[][] {
    return state.map((sections, index) => {
      const output = this.#own.outputs[index]
      if (!output || output instanceof SelectStage) return []
      for (const bytes of sections) output.operator.restore(new ByteReader(bytes, `the state of ${output.id}`), 1)
      return newMarks(output.operator)
    })
  }

  #hearOfMarks(marks: readonly (readonly Uint8Array[])[]): void {
    for (const [index, output] of this.#gather.outputs.entries()) {
      if (output instanceof SelectStage) continue
      const readers = (marks[index] ?? []).map((bytes) => new ByteReader(bytes, 'the marks of another worker'))
      output.operator.hearOfMarks?.(readers, output.watermark.lateWatermarkMs)
    }
  }

  #partial(shards: readonly number[]): Uint8Array {
    const writer = new ByteWriter(1 << 14)
    for (const output of this.#gather.outputs) {
      if (!(output instanceof SelectStage)) output.operator.write(writer, shards, 'any')
    }
    return writer.finish()
  }

  #mergePartial(reader: ByteReader): void {
    for (const output of this.#own.outputs) {
      if (!(output instanceof SelectStage)) output.operator.merge(reader, this.#shards.length)
    }
  }
}

/** What one worker's rows of an epoch came to. Plain data, so that it can go to another thread. */
export interface WorkerGathered extends Gathered {
  /** By owner. */
  readonly partials: readonly Uint8Array[]
  /** By query. */
  readonly lateRows: readonly number[]
  /** By watermark and partition: the largest event time, -Infinity where nothing came. */
  readonly observedMs: readonly Float64Array[]
  /** By query: the rows of selects. */
  readonly selected: readonly (readonly SelectPart[])[]
}

/** What one owner's groups of a query gave at the end of an epoch. */
export interface WorkerClosed {
  readonly results: OperatorResults
  readonly stateRows: number
  readonly openWindows: readonly OpenWindow[]
  /** What was closed before its time in this epoch, for everybody who judges rows. */
  readonly marks: readonly Uint8Array[]
}

function newMarks(operator: Operator): Uint8Array[] {
  const writer = new ByteWriter(256)
  return operator.writeNewMarks?.(writer) ? [writer.finish()] : []
}
