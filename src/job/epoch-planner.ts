import type { EncodedRecords } from '../batch/encoded-records.ts'
import type { OffsetRange } from '../engine/epoch.ts'
import { CatchUp } from './catch-up.ts'
import type { RangeRecords } from './epoch-runner.ts'
import type { JobSettings } from './job-parts.ts'
import type { PartitionTable } from './partition-table.ts'
import type { Prefetcher, ReadTally } from './prefetcher.ts'

/** The records of one epoch. */
export interface EpochRecords {
  /** In the order of the plan's ranges. */
  readonly records: readonly RangeRecords[]
  /** Complete when all of them have been read. */
  readonly tally: ReadTally
}

/** The input of one epoch: what the plan says, and the records themselves. */
export interface EpochInput extends EpochRecords {
  readonly ranges: readonly OffsetRange[]
}

/** Of an epoch that only moves time. */
export function noInput(): EpochInput {
  return { ranges: [], records: [], tally: { bytes: 0, arrivals: [] } }
}

/** Decides what each epoch reads. */
export class EpochPlanner {
  readonly #rowsMax: number
  readonly #prefetcher: Prefetcher
  readonly #partitions: PartitionTable
  readonly #stopping: AbortSignal
  readonly #catchUp = new CatchUp()

  constructor(
    prefetcher: Prefetcher,
    partitions: PartitionTable,
    { rowsPerEpochMax }: Pick<JobSettings, 'rowsPerEpochMax'>,
    stopping: AbortSignal,
  ) {
    this.#rowsMax = rowsPerEpochMax
    this.#prefetcher = prefetcher
    this.#partitions = partitions
    this.#stopping = stopping
  }

  /** What is held; while far behind, what is known to follow as well. */
  next(): EpochInput {
    const known = this.#known()
    const wanted = this.#catchUp.rows(
      this.#prefetcher.full,
      known.some(({ heldTo, end }) => end > heldTo),
    )
    const rows = Math.min(wanted, this.#rowsMax)
    return rows > this.#prefetcher.rowsHeld ? this.#following(known, rows) : this.#held()
  }

  /** An epoch with so many rows took so long to compute. */
  computed(rows: number, durationMs: number): void {
    this.#catchUp.computed(rows, durationMs)
  }

  /**
   * Takes what was prefetched, in whole pieces, up to about `rowsMax` rows: every partition gets the same share first, then those with
   * more waiting get what is left, so that partitions move through event time side by side.
   */
  #held(): EpochInput {
    const prefetcher = this.#prefetcher
    const { positions } = this.#partitions
    const counts = positions.map(() => 0)
    let rows = 0
    for (let progress = true; progress && rows < this.#rowsMax; ) {
      progress = false
      for (let partition = 0; partition < positions.length && rows < this.#rowsMax; partition++) {
        const next = prefetcher.queued(partition)[counts[partition] as number]
        if (next === undefined) continue
        counts[partition] = (counts[partition] as number) + 1
        rows += next.recordCount
        progress = true
      }
    }
    const ranges: OffsetRange[] = []
    const records: EncodedRecords[][] = []
    const tally: ReadTally = { bytes: 0, arrivals: [] }
    for (const [partition, count] of counts.entries()) {
      if (count === 0) continue
      const taken = prefetcher.take(partition, count, tally)
      const to = Math.min(taken.at(-1)?.endOffset ?? 0, prefetcher.limit(partition))
      ranges.push({ partition, from: positions[partition] as number, to })
      records.push(taken)
    }
    return { ranges, records, tally }
  }

  /** Partitions that have more rows: where they go on, up to where those are held, and up to where they are known to be there. */
  #known(): KnownRows[] {
    return this.#partitions.positions.flatMap((from, partition) => {
      const limit = this.#prefetcher.limit(partition)
      const heldTo = Math.min(limit, this.#prefetcher.queued(partition).at(-1)?.endOffset ?? from)
      // Nobody knows where a file ends that is being read.
      const end = Math.min(limit, Math.max(this.#partitions.end(partition) ?? 0, heldTo))
      return end > from ? [{ partition, from, heldTo, end }] : []
    })
  }

  /** The same share of each partition, about `rowsMax` rows together, of which part has still to be read: it will come. */
  #following(known: readonly KnownRows[], rowsMax: number): EpochInput {
    const tally: ReadTally = { bytes: 0, arrivals: [] }
    const share = Math.ceil(rowsMax / known.length)
    const ranges = known.map(({ partition, from, end }) => ({ partition, from, to: Math.min(end, from + share) }))
    const records = ranges.map(({ partition, to }) => this.#prefetcher.follow(partition, to, tally, this.#stopping))
    return { ranges, records, tally }
  }
}

interface KnownRows {
  readonly partition: number
  readonly from: number
  readonly heldTo: number
  readonly end: number
}
