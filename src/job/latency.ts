import type { Arrival } from './prefetcher.ts'
import type { LatencyView } from './status.ts'

/** How long the rows of the last epochs took from when they came until they were committed, each row counted. */
export class RecentLatencies {
  readonly #epochsMax: number
  /** By epoch, oldest first: rows by latency in ms. */
  readonly #epochs: ReadonlyMap<number, number>[] = []

  constructor(epochsMax: number) {
    this.#epochsMax = epochsMax
  }

  /** An epoch is committed; one without rows says nothing. */
  add(arrivals: readonly Arrival[], committedMs: number): void {
    const rowsByLatency = new Map<number, number>()
    for (const { rows, atMs } of arrivals) {
      const latencyMs = Math.max(0, Math.round(committedMs - atMs))
      rowsByLatency.set(latencyMs, (rowsByLatency.get(latencyMs) ?? 0) + rows)
    }
    if (rowsByLatency.size === 0) return
    this.#epochs.push(rowsByLatency)
    if (this.#epochs.length > this.#epochsMax) this.#epochs.shift()
  }

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
    return { p50Ms: quantile(0.5), p99Ms: quantile(0.99), maxMs }
  }
}
