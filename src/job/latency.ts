import type { EncodedRecords } from '../batch/encoded-records.ts'
import type { LatencyView } from './status.ts'

/** Upper bounds of the histogram, ms: what the Prometheus libraries use by default, and on to half an hour of catching up. */
const BOUNDS_MS = [
  5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
] as const

/** Rows that came at one moment, ms since 1970. */
export interface Arrival {
  readonly rows: number
  readonly atMs: number
}

/**
 * End-to-end latency: from when a row came until everything that its epoch changes is committed to every sink, each row counted. Exact for
 * the last epochs, a histogram since the start. It costs one look per piece of records, and nothing per row.
 */
export class Latencies {
  readonly #epochsMax: number
  /** By epoch, oldest first: rows by latency in ms. */
  readonly #epochs: ReadonlyMap<number, number>[] = []
  /** Rows by the first bound that they keep to; behind the last one those that keep to none. */
  readonly #counts = new Float64Array(BOUNDS_MS.length + 1)
  #sumMs = 0

  constructor(epochsMax: number) {
    this.#epochsMax = epochsMax
  }

  /** An epoch is committed; one without rows says nothing. A clock that is ahead of ours makes no latency negative. */
  add(arrivals: readonly Arrival[], committedMs: number): void {
    const rowsByLatency = new Map<number, number>()
    for (const { rows, atMs } of arrivals) {
      const latencyMs = Math.max(0, Math.round(committedMs - atMs))
      rowsByLatency.set(latencyMs, (rowsByLatency.get(latencyMs) ?? 0) + rows)
    }
    if (rowsByLatency.size === 0) return
    for (const [latencyMs, rows] of rowsByLatency) this.#count(latencyMs, rows)
    this.#epochs.push(rowsByLatency)
    if (this.#epochs.length > this.#epochsMax) this.#epochs.shift()
  }

  /** Null before the first epoch with rows. */
  view(): LatencyView | null {
    const entries = this.#epochs.flatMap((epoch) => [...epoch]).sort(([left], [right]) => left - right)
    const maxMs = entries.at(-1)?.[0]
    if (maxMs === undefined) return null
    const rows = entries.reduce((sum, [, count]) => sum + count, 0)
    const quantile = (share: number): number => {
      let upTo = 0
      for (const [latencyMs, count] of entries) {
        upTo += count
        if (upTo >= share * rows) return latencyMs
      }
      return maxMs
    }
    return { p50Ms: quantile(0.5), p99Ms: quantile(0.99), maxMs, sinceStart: this.#histogram() }
  }

  #count(latencyMs: number, rows: number): void {
    const bound = BOUNDS_MS.findIndex((boundMs) => latencyMs <= boundMs)
    this.#counts[bound < 0 ? BOUNDS_MS.length : bound] += rows
    this.#sumMs += latencyMs * rows
  }

  #histogram(): LatencyView['sinceStart'] {
    let upTo = 0
    const buckets = BOUNDS_MS.map((leMs, index) => {
      upTo += this.#counts[index] as number
      return { leMs, rows: upTo }
    })
    return { buckets, rows: upTo + (this.#counts[BOUNDS_MS.length] as number), sumMs: this.#sumMs }
  }
}

/**
 * When records came, ms since 1970: the time that the log stamped on their batch; where producers stamp, that of the batch's first record,
 * the oldest, so that nothing looks faster than it was; of lines, which have no time, the moment they were read.
 */
export function arrivalMs({ appendTimestamp, baseTimestamp }: EncodedRecords, readMs: number): number {
  const stampedMs = appendTimestamp ?? baseTimestamp
  return stampedMs > 0 ? stampedMs : readMs
}
