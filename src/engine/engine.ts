import type { Batch } from '../batch/batch.ts'
import type { Field } from '../batch/schema.ts'
import type { ModelSummary } from '../ml/model-summary.ts'
import type { OutputMode } from '../plan/connectors.ts'
import type { EpochPlan, EpochResults } from './epoch.ts'

/**
 * A compiled pipeline with its state: pure and synchronous, it neither reads a clock nor does any I/O.
 * An epoch is `beginEpoch`, any number of `processBatch` in any order, `endEpoch`. Between epochs, state can be saved and
 * restored. Made by `createEngine` in `pipeline.ts`.
 */
export interface Engine {
  /** The fields that the decoder has to fill: those that queries, rules and watermarks use, and all required ones. */
  readonly fields: readonly Field[]
  readonly queries: readonly QueryOutput[]
  /** `<query>/<node>` of the first query that uses each watermark. */
  readonly watermarkIds: readonly string[]
  /** Ids of the source's partitions; the index in this list is what plans and results speak of. Grows only. */
  readonly partitionIds: readonly string[]
  /** Makes partitions known, between epochs; known ones stay as they are. */
  addPartitions(ids: readonly string[]): void
  beginEpoch(plan: EpochPlan): void
  /** Rows of one partition, within the planned range. The batch is not used after the call. */
  processBatch(partition: number, batch: Batch): void
  endEpoch(): EpochResults
  /** The whole state, the same bytes for the same history whatever the parallelism. Between epochs only. */
  snapshot(): Uint8Array
  /** Replaces the state; throws `incompatible-state` or `corrupt-data`. On a new engine of the same plan only. */
  restore(snapshot: Uint8Array): void
  status(): EngineStatus
}

/** What an engine is made with, besides the plan. */
export interface EngineOptions {
  /** Key of persisted hashes and of routing, two words drawn when the checkpoint was made. */
  readonly hashKey: readonly [number, number]
  /** Default for watermarks that do not say whether time goes on when all partitions are idle: true for live runs. */
  readonly advanceWhenIdle: boolean
  /** Modes to give besides those that the query's sinks ask for, such as `update` for the live page. */
  readonly extraModes: readonly OutputMode[]
  /** Groups that a query may hold at once before the job stops with an explanation. */
  readonly groupsMax: number
}

/** What a query's rows look like. */
export interface QueryOutput {
  readonly name: string
  readonly fields: readonly Field[]
  /** Columns that identify a row: window bounds and group keys. */
  readonly keyColumns: readonly string[]
  readonly modes: readonly OutputMode[]
  /** So much event time after its end a window closes: what attempts have for a funnel, else 0. */
  readonly closesAfterMs: number
}

/** A look inside between epochs, for people. */
export interface EngineStatus {
  readonly watermarks: readonly WatermarkStatus[]
  readonly queries: readonly QueryStatus[]
  readonly models: readonly ModelSummary[]
  /** Rows and attempts that steps hold until time has passed them. */
  readonly waitingRows: number
}

/** Where a watermark stands, and what holds it there. */
export interface WatermarkStatus {
  readonly id: string
  readonly delayMs: number
  readonly watermarkMs: number
  readonly maxEventTimeMs: number
  /** Largest event time per partition, ms; -Infinity before its first event. */
  readonly partitionMaxEventTimesMs: readonly number[]
  readonly heldBy: WatermarkHolder
}

/** Why a watermark stands where it stands. */
export type WatermarkHolder =
  /** The slowest active partition. */
  | { readonly kind: 'partition'; readonly partition: number; readonly maxEventTimeMs: number }
  /** Active partitions that have not given an event yet. */
  | { readonly kind: 'waiting-for-data'; readonly partitions: readonly number[] }
  /** All partitions are idle or ended: event time stands, or goes on with the clock. */
  | { readonly kind: 'idle'; readonly advancing: boolean; readonly sinceMs: number }
  /** The input has ended and everything is closed. */
  | { readonly kind: 'flushed' }

/** What a query holds. */
export interface QueryStatus {
  readonly name: string
  readonly openWindows: readonly OpenWindow[]
  readonly stateRows: number
  readonly lateRows: number
}

/** A window that has not closed yet. */
export interface OpenWindow {
  readonly startMs: number
  readonly endMs: number
  readonly groups: number
}
