import { failpoint } from '../base/failpoint.ts'
import type { EpochPlan, EpochResults } from '../engine/epoch.ts'
import type { EpochTimer } from './job-monitor.ts'
import type { JobParts } from './job-parts.ts'
import type { PreparedRecord, SinkOutput } from './journal.ts'
import { modeHashes } from './result-hash.ts'
import type { EpochAt } from './sink-group.ts'
import { epochCounts } from './totals.ts'

/** An epoch that only has to be made certain. */
export interface ComputedEpoch {
  readonly plan: EpochPlan
  readonly results: EpochResults
  readonly bytesRead: number
  readonly timer: EpochTimer
  /** It is the last one of this process. */
  readonly final: boolean
}

/** What the job does for its commits, and is told by them. */
export interface CommitContext {
  /** Nobody waits any more for a sink that is away. */
  readonly signal: AbortSignal
  /** Tries again for as long as a disk is full. */
  patiently(attempt: () => Promise<void>): Promise<void>
  /** The epoch is certain: everything that counts moves on. */
  certain(plan: EpochPlan, prepared: PreparedRecord): void
  /** Something has failed for good; `throwIfFailed` says what. */
  failed(): void
}

/**
 * Makes computed epochs certain, then visible, in their order: prepared by every sink, recorded in the journal, committed by every sink.
 * An epoch is prepared only when the one before is committed.
 */
export class EpochCommits {
  readonly #parts: JobParts
  readonly #context: CommitContext
  /** The epoch that was computed last becomes certain. */
  #preparing: Promise<void> = Promise.resolve()
  /** The epoch that was certain last becomes visible. */
  #commit: Promise<void> = Promise.resolve()
  /** What ended one of the two. */
  #failure: unknown

  constructor(parts: JobParts, context: CommitContext) {
    this.#parts = parts
    this.#context = context
  }

  /** Resolves when the epoch before is certain; this one becomes so from then on. One epoch at most waits for that. */
  async begin(epoch: ComputedEpoch): Promise<void> {
    await this.#preparing
    this.#preparing = this.#prepareEpoch(epoch)
    this.#notice(this.#preparing)
  }

  /** Resolves when the last epoch that was begun is certain. */
  lastCertain(): Promise<void> {
    return this.#preparing
  }

  /** Resolves when nothing is under way: the last epoch computed is committed everywhere. */
  async settled(): Promise<void> {
    await this.#preparing
    await this.#commit
  }

  /** Commits, maybe once more, what every sink has prepared. */
  async commit(
    { epoch, previous }: Pick<EpochPlan, 'epoch' | 'previous'>,
    outputs: readonly SinkOutput[],
  ): Promise<void> {
    await this.#parts.sinks.commit(this.#at(epoch, previous), outputs, this.#context.signal)
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Resolves when nothing is under way any more, whatever became of it. */
  async end(): Promise<void> {
    await this.#preparing.catch(() => {})
    await this.#commit.catch(() => {})
  }

  async #prepareEpoch({ plan, results, bytesRead, timer, final }: ComputedEpoch): Promise<void> {
    const { checkpoint, engine, sinks, deadLetters } = this.#parts
    const hashes = modeHashes(engine.queries, results)
    // Only one epoch may be between prepared and committed.
    await this.#commit
    if (results.deadLetters.length > 0) await checkpoint?.assertOwned()
    await this.#context.patiently(() => deadLetters.append(plan.epoch, results.deadLetters, engine.partitionIds))
    const at = this.#at(plan.epoch, plan.previous)
    const outputs = await sinks.prepare({ ...at, final }, results, hashes, this.#context.signal)
    failpoint('job:before-prepared')
    const prepared: PreparedRecord = {
      type: 'prepared',
      epoch: plan.epoch,
      watermarks: results.watermarks,
      hashes: [...hashes.values()],
      outputs,
      counts: epochCounts(
        results,
        engine.queries.map((query) => query.name),
        bytesRead,
      ),
      deadLetters: deadLetters.lengths,
    }
    await this.#context.patiently(async () => checkpoint?.append(prepared))
    failpoint('job:after-prepared')
    timer.prepared()
    this.#context.certain(plan, prepared)
    this.#commit = this.#commitEpoch(plan, outputs, () => timer.committed(results.rowsRead))
    this.#notice(this.#commit)
  }

  async #commitEpoch(plan: EpochPlan, outputs: readonly SinkOutput[], done: () => void): Promise<void> {
    await this.commit(plan, outputs)
    failpoint('job:after-commit')
    done()
  }

  /** The job is told when it fails. */
  #notice(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#failure ??= error
      this.#context.failed()
    })
  }

  #at(epoch: number, previous: number): EpochAt {
    return { epoch, previous, fence: this.#parts.checkpoint?.fence ?? 1 }
  }
}
