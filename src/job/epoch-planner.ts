import type { EncodedRecords } from '../batch/encoded-records.ts'
import type { OffsetRange } from '../engine/epoch.ts'
import type { RangeRecords } from './epoch-runner.ts'
import type { Arrival } from './latency.ts'
import type { Prefetcher } from './prefetcher.ts'

/** The records of one epoch. */
export interface EpochRecords {
  /** In the order of the plan's ranges. */
  readonly records: readonly RangeRecords[]
  readonly bytes: number
  /** When they came. */
  readonly arrivals: readonly Arrival[]
}

/** The input of one epoch: what the plan says, and the records themselves. */
export interface EpochInput extends EpochRecords {
  readonly ranges: readonly OffsetRange[]
}

/** Of an epoch that only moves time. */
export const NO_INPUT: EpochInput = { ranges: [], records: [], bytes: 0, arrivals: [] }

/**
 * Takes what was prefetched, in whole pieces, up to about `rowsMax` rows: every partition gets the same share first, then those with
 * more waiting get what is left, so that partitions move through event time side by side.
 */
export function takeInput(prefetcher: Prefetcher, positions: readonly number[], rowsMax: number): EpochInput {
  const counts = positions.map(() => 0)
  let rows = 0
  for (let progress = true; progress && rows < rowsMax; ) {
    progress = false
    for (let partition = 0; partition < positions.length && rows < rowsMax; partition++) {
      const next = prefetcher.queued(partition)[counts[partition] as number]
      if (next === undefined) continue
      counts[partition] = (counts[partition] as number) + 1
      rows += next.recordCount
      progress = true
    }
  }
  const ranges: OffsetRange[] = []
  const records: EncodedRecords[][] = []
  const arrivals: Arrival[] = []
  let bytes = 0
  for (const [partition, count] of counts.entries()) {
    if (count === 0) continue
    const taken = prefetcher.take(partition, count, arrivals)
    const to = Math.min(taken.at(-1)?.endOffset ?? 0, prefetcher.limit(partition))
    ranges.push({ partition, from: positions[partition] as number, to })
    records.push(taken)
    for (const one of taken) bytes += one.bytes.length
  }
  return { ranges, records, bytes, arrivals }
}
