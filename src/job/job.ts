import { assert } from '../base/assert.ts'
import { failpoint } from '../base/failpoint.ts'
import type { EpochPlan, EpochResults } from '../engine/epoch.ts'
import type { ModelCommand } from '../ml/model-event.ts'
import { configHash } from './checkpoint-identity.ts'
import { EpochAbandoned, readWhole } from './epoch-abandoned.ts'
import { EpochCommits } from './epoch-commits.ts'
import { type EpochInput, EpochPlanner, type EpochRecords, noInput } from './epoch-planner.ts'
import type { RangeRecords } from './epoch-runner.ts'
import { IdleWatch } from './idle-watch.ts'
import { JobMonitor } from './job-monitor.ts'
import type { JobParts } from './job-parts.ts'
import type { PreparedRecord } from './journal.ts'
import { PartitionTable } from './partition-table.ts'
import { Prefetcher } from './prefetcher.ts'
import { planRecovery } from './recovery.ts'
import { modeHashes } from './result-hash.ts'
import { untilAvailable } from './retry.ts'
import type { JobStatus } from './status.ts'
import { assertLedger, Totals } from './totals.ts'

const TICK_MS = 1_000

/**
 * Runs a pipeline, epoch after epoch: plan, compute, prepare, prepared, commit; see docs/delivery-guarantees.md.
 * Epoch N+1 is computed while N is being prepared and committed, and prepared only after that.
 */
export class Job {
  readonly #parts: JobParts
  readonly #monitor: JobMonitor
  readonly #commits: EpochCommits
  readonly #partitions = new PartitionTable()
  readonly #prefetcher: Prefetcher
  readonly #idle: IdleWatch
  readonly #planner: EpochPlanner
  readonly #stopping = new AbortController()
  readonly #configHash: string
  readonly #hasModels: boolean
  #totals = new Totals()
  /** The last epoch that is certain; 0 before the first. */
  #prepared = 0
  /** The last epoch that is computed: the one that is certain, or the one that is being prepared. */
  #computed = 0
  #lastEpochNumber = 0
  #clockMs = 0
  #lastPlanMs = Number.NEGATIVE_INFINITY
  #lastSnapshotMs = 0
  #snapshotEpoch = -1
  /** What somebody wants of the models; the next plan takes it in. */
  #commands: readonly ModelCommand[] = []
  #draining: { flush: boolean; ends: readonly number[] | undefined } | undefined
  #flushed = false
  /** The epoch in hand is the last one of this process. */
  #final = false

  constructor(parts: JobParts) {
    this.#parts = parts
    this.#prefetcher = new Prefetcher(parts.source, parts.settings.prefetchBytesMax, parts.clock)
    this.#planner = new EpochPlanner(this.#prefetcher, this.#partitions, parts.settings, this.#stopping.signal)
    this.#idle = new IdleWatch(parts.idleTimeoutsMs)
    this.#configHash = configHash(parts.identity)
    this.#hasModels = parts.engine.status().models.length > 0
    this.#monitor = new JobMonitor(parts, this.#partitions, this.#idle)
    this.#commits = new EpochCommits(parts, {
      signal: this.#stopping.signal,
      patiently: (attempt) => this.#patiently(attempt),
      certain: (plan, prepared) => this.#settle(plan, prepared),
      failed: () => this.#prefetcher.wake(),
    })
  }

  /** Recovers, then runs until the input ends, `stop` is called or something fails; resolves to the last status. */
  async run(): Promise<JobStatus> {
    try {
      await this.#work()
      this.#monitor.enter(this.#stopping.signal.aborted ? 'stopped' : 'finished')
    } catch (error) {
      this.#monitor.fail(error)
      throw error
    } finally {
      await this.close()
    }
    return this.status()
  }

  async #work(): Promise<void> {
    try {
      await this.#recover()
      failpoint('job:recovered')
      await this.#startReading()
      this.#monitor.enter('running')
      await this.#loop()
      await this.#finish()
    } catch (error) {
      if (!(error instanceof EpochAbandoned)) throw error
      await this.#commits.settled()
    }
  }

  /** Finishes the epoch in hand, if its rows come, keeps a snapshot, and ends. */
  stop(): void {
    this.#stopping.abort()
    this.#prefetcher.wake()
  }

  /** Ends when everything that the input holds now is computed; with `flush` after closing every window. */
  async drain(options: { flush: boolean }): Promise<void> {
    const ends = await this.#partitions.ends(this.#parts.source)
    this.#draining = { flush: options.flush, ends }
    this.#prefetcher.wake()
  }

  status(): JobStatus {
    return this.#monitor.status(this.#totals, this.#prepared)
  }

  /** Calls back after each epoch and change of state; gives a function that ends that. */
  subscribe(listener: () => void): () => void {
    return this.#monitor.subscribe(listener)
  }

  async #recover(): Promise<void> {
    const { checkpoint, engine, sinks, deadLetters } = this.#parts
    this.#clockMs = this.#parts.clock.now()
    // What is computed again counts: were it to crash once more, it would have to be computed a third time.
    this.#lastSnapshotMs = this.#clockMs
    if (!checkpoint) {
      await sinks.open(1, { lastPreparedEpoch: 0, certain: [], sinksNamed: new Set() })
      return
    }
    const { snapshot } = checkpoint.content
    const recovery = planRecovery(checkpoint.content, this.#configHash, checkpoint.folder)
    engine.addPartitions(recovery.partitionIds)
    this.#lastEpochNumber = recovery.lastEpochNumber
    if (snapshot) {
      await engine.restore(snapshot.engineState)
      this.#totals = Totals.fromJson(snapshot.header.totals)
      this.#clockMs = Math.max(this.#clockMs, snapshot.header.clockMs)
      this.#prepared = snapshot.header.epoch
      this.#computed = snapshot.header.epoch
      this.#snapshotEpoch = snapshot.header.epoch
      this.#partitions.restore(snapshot.header.partitions)
    }
    await this.#partitions.addNew(this.#parts.source, engine, recovery.partitionIds)
    await sinks.open(checkpoint.fence, recovery)
    await deadLetters.open()
    // Somebody may have died between writing a plan and letting go of the commands that it took in.
    await checkpoint.commands.taken(recovery.commands)
    if (recovery.again.length > 0 || recovery.open) this.#monitor.enter('recovering')
    for (const { plan, prepared } of recovery.again) await this.#runAgain(plan, prepared)
    if (recovery.last) await this.#commits.commit(recovery.last, recovery.last.outputs)
    // Snapshot 0: from now on a plan in the journal can always be run again.
    if (!snapshot) await this.#snapshot()
    this.#monitor.recovered(checkpoint.content.notices, recovery, snapshot !== undefined)
    if (recovery.open) await this.#runOpenPlan(recovery.open)
  }

  /** Computes a certain epoch once more; the sinks have its rows already. */
  async #runAgain(plan: EpochPlan, prepared: PreparedRecord): Promise<void> {
    const results = await this.#parts.engine.compute(plan, this.#readAgain(plan))
    const hashes = [...modeHashes(this.#parts.engine.queries, results)]
    const changed = hashes.filter(([, hash], index) => hash !== prepared.hashes[index]).map(([name]) => name)
    assert(
      changed.length === 0 && hashes.length === prepared.hashes.length,
      `epoch ${plan.epoch}, run again, gives the results that the journal recorded, not others of ${changed.join(', ')}`,
    )
    this.#advance(plan, results)
    this.#settle(plan, prepared)
  }

  /**
   * A plan that was written down but never became certain: its rows are exactly those of the next epoch. One that was made while this one
   * was being prepared is forgotten, and its rows are planned anew.
   */
  async #runOpenPlan(plan: EpochPlan): Promise<void> {
    const again = { ...plan, epoch: this.#nextEpochNumber(), previous: this.#computed }
    await this.#runEpoch(again, { ...noInput(), records: this.#readAgain(again) })
  }

  #readAgain(plan: EpochPlan): RangeRecords[] {
    const ids = this.#parts.engine.partitionIds
    return plan.ranges.map((range) =>
      readWhole(this.#parts.source, ids[range.partition] as string, range, this.#stopping.signal),
    )
  }

  async #startReading(): Promise<void> {
    const { source, engine, settings } = this.#parts
    if (!this.#parts.checkpoint) await this.#partitions.addNew(source, engine, [])
    const ends = await this.#partitions.ends(source)
    for (const [partition, position] of this.#partitions.positions.entries()) {
      const end = settings.once ? ends[partition] : undefined
      this.#prefetcher.add(engine.partitionIds[partition] as string, position, end ?? Number.POSITIVE_INFINITY)
      if (!source.bounded && this.#partitions.empty(partition)) this.#idle.flagEmpty(partition)
    }
    if (settings.once || source.bounded) this.#draining = { flush: settings.flushAtEnd, ends: undefined }
  }

  /** The source has grown. */
  async #readNewPartitions(): Promise<void> {
    const { source, engine } = this.#parts
    const known = this.#partitions.positions.length
    await this.#partitions.addNew(source, engine, [])
    await this.#partitions.refreshEnds(source)
    for (const [partition, position] of this.#partitions.positions.entries()) {
      if (partition < known) continue
      this.#prefetcher.add(engine.partitionIds[partition] as string, position, Number.POSITIVE_INFINITY)
      if (this.#partitions.empty(partition)) this.#idle.flagEmpty(partition)
    }
  }

  async #loop(): Promise<void> {
    const { clock } = this.#parts
    let lastTickMs = Number.NEGATIVE_INFINITY
    while (!this.#stopping.signal.aborted) {
      this.#prefetcher.throwIfFailed()
      this.#commits.throwIfFailed()
      let idleRaised = false
      if (clock.now() - lastTickMs >= TICK_MS) {
        lastTickMs = clock.now()
        idleRaised = await this.#tick()
      }
      if (this.#prefetcher.hasRows && this.#due()) {
        await this.#planAndRun(this.#planner.next(), false)
      } else if (!this.#prefetcher.hasRows && this.#inputEnded() && this.#commands.length === 0) {
        return
      } else if (
        this.#commands.length > 0 ||
        idleRaised ||
        this.#sinkIsDue() ||
        (this.#idle.anyIdle && this.#due() && this.#timeHasToMove())
      ) {
        await this.#planAndRun(noInput(), false)
      } else {
        await this.#rest()
      }
    }
  }

  /** Closes what is left when the run asks for it, and keeps where it stands. */
  async #finish(): Promise<void> {
    const flush = (this.#draining?.flush && !this.#stopping.signal.aborted) ?? false
    await this.#commits.settled()
    this.#final = true
    if (flush || this.#parts.sinks.dueMs() !== undefined) {
      await this.#planAndRun(noInput(), flush)
      this.#flushed = flush
    }
    await this.#snapshot()
    await this.#parts.source.publish?.(`millrace-${this.#parts.pipeline}`, this.#partitions.byId())
  }

  async #planAndRun(input: EpochInput, flush: boolean): Promise<void> {
    const { clock } = this.#parts
    // What a plan takes over from elsewhere must not be lost, and of two open plans the second one may be.
    if (this.#commands.length > 0) await this.#commits.lastCertain()
    this.#clockMs = Math.max(this.#clockMs, clock.now())
    this.#lastPlanMs = clock.now()
    const ended: number[] = []
    for (const partition of this.#partitions.positions.keys()) {
      const after = this.#prefetcher.drained(partition) && (this.#parts.source.bounded || flush)
      if (after) ended.push(partition)
    }
    this.#partitions.ended = new Set(ended)
    const plan: EpochPlan = {
      epoch: this.#nextEpochNumber(),
      previous: this.#computed,
      clockMs: this.#clockMs,
      ranges: input.ranges,
      idle: this.#idle.flagsFor({ ranges: input.ranges, clockMs: this.#clockMs }),
      ended,
      flush,
      ...(this.#commands.length > 0 ? { commands: this.#commands } : {}),
    }
    this.#commands = []
    await this.#runEpoch(plan, input)
    if (clock.now() - this.#lastSnapshotMs >= this.#parts.settings.snapshotIntervalMs) await this.#snapshot()
  }

  async #runEpoch(plan: EpochPlan, { records, tally }: EpochRecords): Promise<void> {
    const { checkpoint, engine, clock } = this.#parts
    const timer = this.#monitor.startEpoch(plan.epoch, tally.arrivals)
    failpoint('job:before-plan')
    await this.#patiently(async () =>
      checkpoint?.append({ type: 'plan', plan, configHash: this.#configHash, partitionIds: engine.partitionIds }),
    )
    failpoint('job:after-plan')
    await checkpoint?.commands.taken(plan.commands ?? [])
    const startMs = clock.now()
    const results = await engine.compute(plan, records)
    this.#planner.computed(results.rowsRead, clock.now() - startMs)
    assertLedger(results)
    timer.computed(results)
    failpoint('job:after-compute')
    this.#advance(plan, results)
    await this.#commits.begin({ plan, results, bytesRead: tally.bytes, timer, final: this.#final })
  }

  /** The epoch is computed: the next one goes on behind it. */
  #advance(plan: EpochPlan, results: EpochResults): void {
    this.#computed = plan.epoch
    this.#partitions.advance(plan.ranges, results.ledger)
  }

  /** The epoch is certain: everything that counts moves on. */
  #settle(plan: EpochPlan, prepared: PreparedRecord): void {
    this.#prepared = plan.epoch
    this.#lastEpochNumber = Math.max(this.#lastEpochNumber, plan.epoch)
    this.#totals.add(prepared.counts)
    for (const { sink, output } of prepared.outputs) this.#totals.addOutput(sink, output)
    this.#partitions.settle(plan.ranges)
  }

  /** Keeps the state between two epochs, after the last one is committed everywhere. */
  async #snapshot(): Promise<void> {
    const { checkpoint, engine, sinks, deadLetters, identity, hashKey, clock } = this.#parts
    this.#lastSnapshotMs = clock.now()
    await this.#commits.settled()
    if (checkpoint && this.#snapshotEpoch === this.#prepared && !this.#flushed) return
    if (!checkpoint) return sinks.forget(this.#prepared)
    await this.#patiently(() => checkpoint.append({ type: 'committed', epoch: this.#prepared }))
    failpoint('job:before-snapshot')
    const snapshot = {
      header: {
        identity,
        hashKey,
        epoch: this.#prepared,
        fence: checkpoint.fence,
        clockMs: this.#clockMs,
        partitions: this.#partitions.toJson(engine.partitionIds),
        totals: this.#totals.toJson(),
        deadLetters: deadLetters.lengths,
        flushed: this.#flushed,
      },
      engineState: await engine.snapshot(),
    }
    await this.#patiently(() => checkpoint.save(snapshot))
    this.#snapshotEpoch = this.#prepared
    failpoint('job:after-snapshot')
    await sinks.forget(checkpoint.oldestSnapshotEpoch)
  }

  /** Looks at how the partitions do; true when one has fallen idle. */
  async #tick(): Promise<boolean> {
    const { source, settings, pipeline } = this.#parts
    if (this.#hasModels) this.#commands = (await this.#parts.checkpoint?.commands.waiting()) ?? []
    await this.#partitions.refreshEnds(source)
    if (this.#partitions.incomplete && !source.bounded && !settings.once) await this.#readNewPartitions()
    await source.publish?.(`millrace-${pipeline}`, this.#partitions.byId())
    const partitions = this.#partitions.positions.map((_, partition) => ({
      caughtUp: this.#prefetcher.queued(partition).length === 0 && this.#partitions.caughtUp(partition),
      movedTime: this.#partitions.takeMovedTime(partition),
    }))
    return this.#idle.tick(this.#parts.clock.now(), partitions)
  }

  #due(): boolean {
    if (this.#prefetcher.full || this.#prefetcher.allEnded) return true
    return this.#parts.clock.now() - this.#lastPlanMs >= this.#parts.settings.triggerMs
  }

  /** With every partition idle, only plans move time on, and only an open window or a row that waits needs that. */
  #timeHasToMove(): boolean {
    const { watermarks, queries, waitingRows } = this.#parts.engine.status()
    const advancing = watermarks.some(({ heldBy }) => heldBy.kind === 'idle' && heldBy.advancing)
    const waiting = waitingRows > 0 || queries.some((query) => query.openWindows.length > 0)
    return advancing && waiting && this.#pastTick()
  }

  /** Rows that wait in a sink for more of their kind have waited long enough. */
  #sinkIsDue(): boolean {
    const dueMs = this.#parts.sinks.dueMs()
    // An epoch that is being prepared may be the one that it waits for.
    const idle = this.#computed === this.#prepared
    return dueMs !== undefined && idle && this.#parts.clock.now() >= dueMs && this.#due()
  }

  #pastTick(): boolean {
    return this.#parts.clock.now() - this.#lastPlanMs >= TICK_MS
  }

  #inputEnded(): boolean {
    if (this.#prefetcher.allEnded) return true
    return this.#draining?.ends?.every((end, index) => (this.#partitions.positions[index] as number) >= end) ?? false
  }

  /** Waits for more rows, at most until the next trigger or tick. */
  async #rest(): Promise<void> {
    const { clock, settings } = this.#parts
    const waitMs = this.#prefetcher.hasRows
      ? Math.max(1, settings.triggerMs - (clock.now() - this.#lastPlanMs))
      : Math.min(TICK_MS, 250)
    const waking = new AbortController()
    const sleep = clock.sleep(Math.min(waitMs, TICK_MS), waking.signal)
    // While catching up, what comes fills the budget long before the trigger is due.
    await Promise.race([sleep, this.#prefetcher.changed()])
    waking.abort()
  }

  /** Lets go of everything. `run` ends with it; it is for a job that shall not run after all. */
  async close(): Promise<void> {
    const { source, sinks, deadLetters, checkpoint, engine } = this.#parts
    // Nobody waits any more for a sink that is away.
    this.#stopping.abort()
    await this.#prefetcher.close()
    await engine.close()
    await this.#commits.end()
    await sinks.close()
    await deadLetters.close()
    await source.close()
    await checkpoint?.close()
  }

  /** A full disk is waited for: nothing is read meanwhile, and nothing is lost. */
  #patiently<T>(attempt: () => Promise<T>): Promise<T> {
    const { clock } = this.#parts
    return untilAvailable(attempt, {
      clock,
      signal: this.#stopping.signal,
      name: this.#parts.pipeline,
      tell: (trouble) => this.#monitor.wait(trouble),
    })
  }

  #nextEpochNumber(): number {
    this.#lastEpochNumber = Math.max(this.#lastEpochNumber, this.#prepared) + 1
    return this.#lastEpochNumber
  }
}
