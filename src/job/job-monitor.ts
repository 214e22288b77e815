import { MillraceError } from '../base/error.ts'
import type { EpochResults } from '../engine/epoch.ts'
import type { IdleWatch } from './idle-watch.ts'
import type { JobParts } from './job-parts.ts'
import { type Arrival, Latencies } from './latency.ts'
import { LiveView } from './live-view.ts'
import type { PartitionTable } from './partition-table.ts'
import type { RecoveryPlan } from './recovery.ts'
import type { Trouble } from './retry.ts'
import type { EpochTiming, JobState, JobStatus, PartitionStatus } from './status.ts'
import { finite, HolderHistory, queryViews, watermarkViews } from './status-builder.ts'
import type { Totals } from './totals.ts'

const EPOCHS_KEPT = 60
const RATE_SPAN_MS = 2_000

/** Marks the phases of one epoch as they end. */
export interface EpochTimer {
  computed(results: EpochResults): void
  prepared(): void
  committed(rows: number): void
}

/** Watches a job from its side: what state it is in, how fast it goes, what the page shows. Nothing in the job depends on it. */
export class JobMonitor {
  readonly #parts: JobParts
  readonly #partitions: PartitionTable
  readonly #idle: IdleWatch
  readonly #live: readonly LiveView[]
  readonly #holders = new HolderHistory()
  readonly #listeners = new Set<() => void>()
  readonly #epochs: EpochTiming[] = []
  readonly #latencies = new Latencies(EPOCHS_KEPT)
  readonly #rates: { atMs: number; rows: number }[] = []
  readonly #startedAtMs: number
  #state: JobState = 'starting'
  #recovery: string | null = null
  #error: JobStatus['error'] = null

  constructor(parts: JobParts, partitions: PartitionTable, idle: IdleWatch) {
    this.#parts = parts
    this.#partitions = partitions
    this.#idle = idle
    this.#startedAtMs = parts.clock.now()
    parts.sinks.watch(() => this.#notify())
    this.#live = parts.live ? parts.engine.queries.map((output) => new LiveView(output)) : []
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  enter(state: JobState): void {
    this.#state = state
    this.#notify()
  }

  /** Shows why the job waits; undefined when it goes on. */
  wait(trouble: Trouble | undefined): void {
    this.#error = trouble ? { message: trouble.message, hint: trouble.hint } : null
    this.#notify()
  }

  fail(error: unknown): void {
    const known = error instanceof MillraceError
    const message = error instanceof Error ? error.message : String(error)
    this.#error = { message, hint: known ? error.hint : 'this is a bug in millrace: please report it' }
    this.enter('failed')
  }

  /** Puts into words what the start found and did. */
  recovered(notices: readonly string[], recovery: RecoveryPlan, resumed: boolean): void {
    const parts = [...notices]
    if (resumed) {
      const again = recovery.again.length
      parts.push(
        `went on after epoch ${recovery.lastPreparedEpoch}${again > 0 ? `, ${again} ${again === 1 ? 'epoch' : 'epochs'} computed again` : ''}` +
          `${recovery.open ? `; epoch ${recovery.open.epoch} had been planned only and runs now` : ''}`,
      )
    }
    this.#recovery = parts.length > 0 ? parts.join('; ') : null
  }

  /** `arrivals` say since when its rows were there. */
  startEpoch(epoch: number, arrivals: readonly Arrival[]): EpochTimer {
    const startMs = performance.now()
    let computedMs = startMs
    let preparedMs = startMs
    return {
      computed: (results) => {
        computedMs = performance.now()
        this.#countRate(results.rowsRead)
        for (const [index, live] of this.#live.entries()) {
          const rows = results.queries[index]?.update
          if (rows) live.update(rows)
        }
        this.#notify()
      },
      prepared: () => {
        preparedMs = performance.now()
      },
      committed: (rows) => {
        const committedMs = performance.now()
        this.#epochs.push({
          epoch,
          rows,
          computeMs: computedMs - startMs,
          prepareMs: preparedMs - computedMs,
          commitMs: committedMs - preparedMs,
        })
        if (this.#epochs.length > EPOCHS_KEPT) this.#epochs.shift()
        this.#latencies.add(arrivals, this.#parts.clock.now())
        this.#notify()
      },
    }
  }

  status(totals: Totals, epoch: number): JobStatus {
    const { engine, clock, sinks, pipeline } = this.#parts
    const nowMs = clock.now()
    return {
      pipeline,
      state: this.#state,
      startedAtMs: this.#startedAtMs,
      nowMs,
      epoch,
      rowsRead: totals.rowsRead,
      bytesRead: totals.bytesRead,
      eventsPerSecond: this.#rate(nowMs),
      latency: this.#latencies.view(),
      fates: totals.fates(),
      reasons: totals.reasons(),
      partitions: this.#partitionStatuses(),
      watermarks: watermarkViews(engine.status().watermarks, engine.partitionIds, this.#holders, nowMs),
      queries: queryViews(engine, this.#live, totals),
      models: engine.status().models,
      sinks: sinks.status(totals),
      epochs: [...this.#epochs],
      recovery: this.#recovery,
      error: this.#error,
    }
  }

  #partitionStatuses(): PartitionStatus[] {
    const { engine } = this.#parts
    const times = engine.status().watermarks[0]?.partitionMaxEventTimesMs ?? []
    return engine.partitionIds.map((id, partition) => ({
      id,
      position: this.#partitions.certain(partition),
      endOffset: this.#partitions.end(partition) ?? null,
      maxEventTimeMs: finite(times[partition] ?? Number.NaN),
      idleSinceMs: this.#idle.idleSinceMs(partition) ?? null,
      ended: this.#partitions.ended.has(partition),
    }))
  }

  #countRate(rows: number): void {
    const nowMs = this.#parts.clock.now()
    this.#rates.push({ atMs: nowMs, rows })
    while ((this.#rates[0]?.atMs ?? nowMs) < nowMs - RATE_SPAN_MS) this.#rates.shift()
  }

  #rate(nowMs: number): number {
    const recent = this.#rates.filter(({ atMs }) => atMs >= nowMs - RATE_SPAN_MS)
    const spanMs = Math.min(RATE_SPAN_MS, Math.max(1, nowMs - this.#startedAtMs))
    return Math.round(recent.reduce((sum, { rows }) => sum + rows, 0) / (spanMs / 1_000))
  }

  #notify(): void {
    for (const listener of this.#listeners) listener()
  }
}
