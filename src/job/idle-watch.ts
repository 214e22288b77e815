import type { EpochPlan, IdleFlag } from '../engine/epoch.ts'

/** What is known of a partition at a tick. */
export interface PartitionTick {
  /** Everything below its end, as the newest answer of at most two seconds ago has it, is in planned epochs. */
  readonly caughtUp: boolean
  /** A row that moves time was computed since the last tick. */
  readonly movedTime: boolean
}

/** A tick counts at most this much, however late it comes: a process that slept has not watched. */
const TICK_MS_MAX = 1_000

/**
 * Counts for how long each partition has had nothing to say, outside of the plans; only the flags it raises enter the computation.
 * A partition with a backlog is never idle, however slowly it is read.
 */
export class IdleWatch {
  readonly #timeoutsMs: readonly number[]
  /** Per watermark, per partition. */
  readonly #idleMs: number[][]
  #flags: IdleFlag[] = []
  #lastTickMs: number | undefined

  /** One timeout per watermark, in the order of the engine's. */
  constructor(timeoutsMs: readonly number[]) {
    this.#timeoutsMs = timeoutsMs
    this.#idleMs = timeoutsMs.map(() => [])
  }

  /** True when a partition has become idle since the last plan, which is a reason to make one. */
  tick(nowMs: number, partitions: readonly PartitionTick[]): boolean {
    const stepMs = Math.min(TICK_MS_MAX, Math.max(0, nowMs - (this.#lastTickMs ?? nowMs)))
    this.#lastTickMs = nowMs
    let raised = false
    for (const [watermark, idle] of this.#idleMs.entries()) {
      for (const [partition, { caughtUp, movedTime }] of partitions.entries()) {
        const quiet = caughtUp && !movedTime
        idle[partition] = quiet ? (idle[partition] ?? 0) + stepMs : 0
        const due = quiet && (idle[partition] as number) >= (this.#timeoutsMs[watermark] as number)
        if (due && !this.#flagged(watermark, partition)) {
          this.#flags.push({ watermark, partition, sinceMs: Number.NaN })
          raised = true
        }
      }
    }
    return raised
  }

  /** A partition that has never held a row holds nothing back. */
  flagEmpty(partition: number): void {
    for (const watermark of this.#timeoutsMs.keys()) {
      if (!this.#flagged(watermark, partition)) this.#flags.push({ watermark, partition, sinceMs: Number.NaN })
    }
  }

  /** The flags of the next plan: those raised, without the partitions that give rows in it. */
  flagsFor(plan: Pick<EpochPlan, 'ranges' | 'clockMs'>): IdleFlag[] {
    const giving = new Set(plan.ranges.map((range) => range.partition))
    this.#flags = this.#flags
      .filter((flag) => !giving.has(flag.partition))
      .map((flag) => (Number.isNaN(flag.sinceMs) ? { ...flag, sinceMs: plan.clockMs } : flag))
      .sort((left, right) => left.watermark - right.watermark || left.partition - right.partition)
    return [...this.#flags]
  }

  /** When a partition fell idle, by the plan that said so; undefined while it is active. */
  idleSinceMs(partition: number): number | undefined {
    const flag = this.#flags.find((one) => one.partition === partition)
    return flag && !Number.isNaN(flag.sinceMs) ? flag.sinceMs : undefined
  }

  get anyIdle(): boolean {
    return this.#flags.length > 0
  }

  #flagged(watermark: number, partition: number): boolean {
    return this.#flags.some((flag) => flag.watermark === watermark && flag.partition === partition)
  }
}
