import { formatDuration, formatTime } from '../base/time.ts'
import type { WatermarkStatus } from '../engine/engine.ts'
import type { EpochRunner } from './epoch-runner.ts'
import type { LiveView } from './live-view.ts'
import type { QueryView, WatermarkView } from './status.ts'
import type { Totals } from './totals.ts'

/** Remembers who holds each watermark back, and since when. */
export class HolderHistory {
  readonly #since = new Map<string, { holder: string; sinceMs: number }>()

  sinceMs(id: string, holder: string, nowMs: number): number {
    const known = this.#since.get(id)
    if (known?.holder === holder) return known.sinceMs
    this.#since.set(id, { holder, sinceMs: nowMs })
    return nowMs
  }
}

/** Watermarks for people: where each stands, and why. */
export function watermarkViews(
  watermarks: readonly WatermarkStatus[],
  partitionIds: readonly string[],
  history: HolderHistory,
  nowMs: number,
): WatermarkView[] {
  return watermarks.map((status) => {
    const { heldBy } = status
    const holder = heldBy.kind === 'partition' ? `partition ${heldBy.partition}` : heldBy.kind
    return {
      id: status.id,
      delayMs: status.delayMs,
      watermarkMs: finite(status.watermarkMs),
      maxEventTimeMs: finite(status.maxEventTimeMs),
      why: why(status, partitionIds),
      heldByPartition: heldBy.kind === 'partition' ? heldBy.partition : null,
      sinceMs: history.sinceMs(status.id, holder, nowMs),
    }
  })
}

/** One sentence that says why the watermark stands where it stands. */
function why({ heldBy, delayMs, partitionMaxEventTimesMs }: WatermarkStatus, partitionIds: readonly string[]): string {
  const delay = formatDuration(delayMs)
  switch (heldBy.kind) {
    case 'waiting-for-data': {
      const names = heldBy.partitions.map((partition) => partitionIds[partition])
      // Before the first epoch nobody is named.
      if (names.length === 0 || names.length === partitionMaxEventTimesMs.length) return 'waiting for the first event'
      return `waiting for the first event of ${names.slice(0, 3).join(', ')}${names.length > 3 ? ', ...' : ''}`
    }
    case 'partition':
      if (partitionMaxEventTimesMs.length === 1)
        return `${delay} behind the newest event, at ${formatTime(heldBy.maxEventTimeMs)}`
      return `${delay} behind ${partitionIds[heldBy.partition]}, the partition that is furthest behind, at ${formatTime(heldBy.maxEventTimeMs)}`
    case 'idle':
      return heldBy.advancing
        ? 'no partition gives events: time goes on with the clock'
        : 'no partition gives events: time stands where the newest event left it'
    case 'flushed':
      return 'the input has ended and every window is closed'
  }
}

/** Queries for people. */
export function queryViews(engine: EpochRunner, live: readonly LiveView[], totals: Totals): QueryView[] {
  const { queries } = engine.status()
  return engine.queries.map((output, index) => {
    const status = queries[index]
    const openWindows = (status?.openWindows ?? []).map(({ startMs, endMs, groups }) => ({ startMs, endMs, groups }))
    const first = openWindows[0]
    return {
      name: output.name,
      windowSizeMs: first ? first.endMs - first.startMs : null,
      closesAfterMs: output.closesAfterMs,
      rowsEmitted: totals.queryRows(output.name),
      lateRows: status?.lateRows ?? 0,
      stateRows: status?.stateRows ?? 0,
      openWindows,
      columns: live[index]?.columns ?? [],
      windows: live[index]?.windows() ?? [],
    }
  })
}

/** Times that JSON cannot hold become null. */
export function finite(timeMs: number): number | null {
  return Number.isFinite(timeMs) ? timeMs : null
}
