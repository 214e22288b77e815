import type { EncodedRecords } from '../batch/encoded-records.ts'
import type { EngineStatus, QueryOutput } from '../engine/engine.ts'
import type { EpochPlan, EpochResults } from '../engine/epoch.ts'

/** The rows of one range: held in memory, still being read, or read again. */
export type RangeRecords = Iterable<EncodedRecords> | AsyncIterable<EncodedRecords>

/** Runs epochs of a pipeline and holds its state: in this thread, or spread over workers, with the same results and the same bytes. */
export interface EpochRunner {
  readonly queries: readonly QueryOutput[]
  /** `<query>/<node>` of the first query that uses each watermark. */
  readonly watermarkIds: readonly string[]
  /** Ids of the source's partitions; the index in this list is what plans and results speak of. Grows only. */
  readonly partitionIds: readonly string[]
  /** Threads that rows are computed in; 1 is this one. */
  readonly parallelism: number
  /** Makes partitions known, between epochs; known ones stay as they are. */
  addPartitions(ids: readonly string[]): void
  /** A pure function of the state, the plan and the rows. `records` are in the order of the plan's ranges; each is released once it is used. */
  compute(plan: EpochPlan, records: readonly RangeRecords[]): Promise<EpochResults>
  /** The whole state, the same bytes for the same history whatever the parallelism. Between epochs only. */
  snapshot(): Promise<Uint8Array>
  /** Replaces the state; throws `incompatible-state` or `corrupt-data`. Before the first epoch only. */
  restore(snapshot: Uint8Array): Promise<void>
  status(): EngineStatus
  close(): Promise<void>
}
