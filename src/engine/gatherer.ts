import { assert } from '../base/assert.ts'
import { type Batch, RowStatus } from '../batch/batch.ts'
import type { Field } from '../batch/schema.ts'
import type { PipelinePlan } from '../plan/node.ts'
import { queryChain } from '../plan/query-chain.ts'
import type { DeadLetter, EpochPlan, LedgerEntry } from './epoch.ts'
import { decoderRefusal, FateCode, Ledger, type Refusal } from './ledger.ts'
import { SelectStage } from './stages/select-stage.ts'
import { Refusals } from './stages/stage.ts'
import type { StageTree } from './stages/stage-tree.ts'
import { Validator } from './validation/validator.ts'

/** The first half of an epoch: rows get their fates, and go through the steps of the queries. */
export class Gatherer {
  readonly #validator: Validator
  readonly #stages: StageTree
  readonly #refusals = new Refusals()
  #plan: EpochPlan | undefined
  #ledger = new Ledger()
  #fates = new Uint8Array(1024)
  #valid = new Int32Array(1024)

  constructor(plan: PipelinePlan, fields: readonly Field[], stages: StageTree) {
    const source = plan.queries[0] && queryChain(plan.queries[0].root).source
    assert(source, 'the plan was checked: it has a query')
    this.#validator = new Validator(fields, source.rules)
    this.#stages = stages
  }

  /** True between `beginEpoch` and `finish`. */
  get busy(): boolean {
    return this.#plan !== undefined
  }

  beginEpoch(plan: EpochPlan): void {
    assert(!this.#plan, 'one epoch at a time')
    this.#plan = plan
    this.#ledger = new Ledger()
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

  /** What became of the rows of the epoch. */
  finish(): Gathered {
    assert(this.#plan, 'an epoch ends that has begun')
    this.#plan = undefined
    const { rowsRead, deadLetters } = this.#ledger
    return { rowsRead, deadLetters, ledger: this.#ledger.entries() }
  }

  #makeRoom(rowCount: number): void {
    if (this.#fates.length >= rowCount) return
    this.#fates = new Uint8Array(rowCount * 2)
    this.#valid = new Int32Array(rowCount * 2)
  }

  #refusal(batch: Batch, row: number, fate: number, brokenRule: number): Refusal {
    const watermarkMs = Math.min(...this.#stages.watermarks.map(({ watermark }) => watermark.lateWatermarkMs))
    const plain = { rule: '', watermarkMs, windowsMissed: [] }
    if (batch.status[row] !== RowStatus.fine) return { ...plain, ...decoderRefusal(batch, row) }
    const rule = this.#validator.rules[brokenRule - 1]
    if (rule) return { ...plain, rule: rule.name, reason: rule.reason }
    if (fate === FateCode.future) return { ...plain, reason: 'stamped too far ahead of its arrival' }
    if (fate === FateCode.expired) return { ...plain, reason: 'older than the age that is accepted' }
    if (fate === FateCode.duplicate) return { ...plain, reason: 'an event with this id came before' }
    const windowsMissed = this.#refusals.windowsMissed(row)
    return { ...plain, reason: 'every window that it belongs to has closed', windowsMissed }
  }
}

/** The rows of one epoch, counted. */
export interface Gathered {
  readonly rowsRead: number
  readonly deadLetters: readonly DeadLetter[]
  readonly ledger: readonly LedgerEntry[]
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
