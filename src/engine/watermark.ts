import type { ByteReader, ByteWriter } from '../base/bytes.ts'
import type { WatermarkNode } from '../plan/node.ts'
import type { WatermarkHolder, WatermarkStatus } from './engine.ts'
import type { EpochPlan, WatermarkMark } from './epoch.ts'
import { readTime } from './event-times.ts'

const NEVER = Number.NEGATIVE_INFINITY

/** Where event time stands, for whoever judges rows and closes windows by it; see `Watermark`. */
export interface EventClock {
  readonly lateWatermarkMs: number
  readonly closeWatermarkMs: number
}

/** The clock of rows that come out so much later than those of another clock. */
export function delayedClock(clock: EventClock, byMs: number): EventClock {
  return {
    get lateWatermarkMs() {
      return clock.lateWatermarkMs - byMs
    },
    get closeWatermarkMs() {
      return clock.closeWatermarkMs - byMs
    },
  }
}

/**
 * Tracks event time of one watermark node: the largest event time per partition, and what follows from it. Within an epoch nothing
 * moves: rows are judged by `lateWatermarkMs`, the one that closed windows in the epoch before.
 *
 *   per-partition   watermark = min over active partitions of (largest event time) - delay
 *   global-max      watermark = largest event time of all - delay, as in Spark: closes one epoch later, starts at 0
 */
export class Watermark implements EventClock {
  readonly #node: WatermarkNode
  readonly #advanceWhenIdle: boolean
  readonly #maxEventTimesMs: number[] = []
  /** Largest event time of each partition in this epoch. */
  #epochMaxMs = new Float64Array(0)
  #closeMs: number
  #lateMs: number
  #holder: WatermarkHolder = { kind: 'waiting-for-data', partitions: [] }

  constructor(node: WatermarkNode, advanceWhenIdle: boolean) {
    this.#node = node
    this.#advanceWhenIdle = node.advanceWhenIdle ?? advanceWhenIdle
    this.#closeMs = node.policy === 'global-max' ? 0 : NEVER
    this.#lateMs = this.#closeMs
  }

  /** Judges lateness in this epoch. */
  get lateWatermarkMs(): number {
    return this.#lateMs
  }

  /** Closes windows at the end of the epoch, once `finishEpoch` has run. */
  get closeWatermarkMs(): number {
    return this.#closeMs
  }

  addPartitions(count: number): void {
    while (this.#maxEventTimesMs.length < count) this.#maxEventTimesMs.push(NEVER)
  }

  beginEpoch(): void {
    this.#lateMs = this.#closeMs
    this.#epochMaxMs = new Float64Array(this.#maxEventTimesMs.length).fill(NEVER)
  }

  /** A partition gave valid rows up to this event time. */
  observe(partition: number, eventTimeMs: number): void {
    if (eventTimeMs > (this.#epochMaxMs[partition] as number)) this.#epochMaxMs[partition] = eventTimeMs
  }

  /** Largest event time of each partition in this epoch; -Infinity where nothing came. */
  observed(): Float64Array {
    return this.#epochMaxMs.slice()
  }

  /** Somebody else has found where windows close. */
  closeAt(closeWatermarkMs: number): void {
    this.#closeMs = closeWatermarkMs
  }

  finishEpoch(plan: EpochPlan, nodeIndex: number): void {
    const before = this.#largest() - this.#node.delayMs
    for (const [partition, timeMs] of this.#epochMaxMs.entries()) {
      if (timeMs > (this.#maxEventTimesMs[partition] as number)) this.#maxEventTimesMs[partition] = timeMs
    }
    if (plan.flush) {
      this.#closeMs = Number.POSITIVE_INFINITY
      this.#holder = { kind: 'flushed' }
    } else if (this.#node.policy === 'global-max') {
      this.#closeMs = Math.max(this.#closeMs, before)
      this.#holder = this.#newest()
    } else {
      this.#closeMs = Math.max(this.#closeMs, this.#perPartition(plan, nodeIndex))
    }
  }

  mark(): WatermarkMark {
    return { closeWatermarkMs: this.#closeMs, maxEventTimeMs: this.#largest() }
  }

  status(id: string): WatermarkStatus {
    return {
      id,
      delayMs: this.#node.delayMs,
      watermarkMs: this.#closeMs,
      maxEventTimeMs: this.#largest(),
      partitionMaxEventTimesMs: [...this.#maxEventTimesMs],
      heldBy: this.#holder,
    }
  }

  snapshot(writer: ByteWriter): void {
    writer.f64(this.#closeMs)
    writer.varint(this.#maxEventTimesMs.length)
    for (const timeMs of this.#maxEventTimesMs) writer.f64(timeMs)
  }

  restore(reader: ByteReader): void {
    this.#closeMs = readTime(reader)
    const count = reader.varint()
    for (let partition = 0; partition < count; partition++) this.#maxEventTimesMs[partition] = readTime(reader)
  }

  #perPartition(plan: EpochPlan, nodeIndex: number): number {
    const idle = new Map(
      plan.idle.filter((flag) => flag.watermark === nodeIndex).map((flag) => [flag.partition, flag.sinceMs]),
    )
    const ended = new Set(plan.ended)
    let lowestMs = Number.POSITIVE_INFINITY
    let holder = -1
    const silent: number[] = []
    for (const [partition, timeMs] of this.#maxEventTimesMs.entries()) {
      if (idle.has(partition) || ended.has(partition)) continue
      if (timeMs === NEVER) silent.push(partition)
      if (timeMs < lowestMs) {
        lowestMs = timeMs
        holder = partition
      }
    }
    if (silent.length > 0) {
      this.#holder = { kind: 'waiting-for-data', partitions: silent }
      return NEVER
    }
    if (holder >= 0) {
      this.#holder = { kind: 'partition', partition: holder, maxEventTimeMs: lowestMs }
      return lowestMs - this.#node.delayMs
    }
    return this.#allIdle(plan, [...idle.values()], ended.size)
  }

  /** Nobody is active: time stands at the newest event, or goes on from there at the clock's pace. */
  #allIdle(plan: EpochPlan, since: readonly number[], endedCount: number): number {
    const newestMs = this.#largest()
    const advancing = this.#advanceWhenIdle && since.length > 0 && endedCount < this.#maxEventTimesMs.length
    const sinceMs = since.length > 0 ? Math.max(...since) : plan.clockMs
    this.#holder = { kind: 'idle', advancing, sinceMs }
    if (!advancing) return newestMs - this.#node.delayMs
    return Math.min(plan.clockMs, newestMs + plan.clockMs - sinceMs) - this.#node.delayMs
  }

  #newest(): WatermarkHolder {
    const newestMs = this.#largest()
    const partition = this.#maxEventTimesMs.indexOf(newestMs)
    if (newestMs === NEVER) return { kind: 'waiting-for-data', partitions: [...this.#maxEventTimesMs.keys()] }
    return { kind: 'partition', partition, maxEventTimeMs: newestMs }
  }

  #largest(): number {
    return this.#maxEventTimesMs.reduce((largest, timeMs) => Math.max(largest, timeMs), NEVER)
  }
}
