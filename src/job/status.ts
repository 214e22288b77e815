import type { ModelSummary } from '../ml/model-summary.ts'
import type { Fate } from '../plan/fate.ts'

/** What a running job tells about itself, for the page, the API, metrics and the summary. Plain JSON data; times are ms since 1970 and null where there is none. */
export interface JobStatus {
  readonly pipeline: string
  readonly state: JobState
  readonly startedAtMs: number
  readonly nowMs: number
  readonly epoch: number
  readonly rowsRead: number
  readonly bytesRead: number
  /** Over the last two seconds. */
  readonly eventsPerSecond: number
  /** Null before the first epoch with rows. */
  readonly latency: LatencyView | null
  readonly fates: Readonly<Record<Fate, number>>
  /** Why rows were not accepted, most frequent first. */
  readonly reasons: readonly ReasonStatus[]
  readonly partitions: readonly PartitionStatus[]
  readonly watermarks: readonly WatermarkView[]
  readonly queries: readonly QueryView[]
  readonly models: readonly ModelSummary[]
  readonly sinks: readonly SinkStatus[]
  /** Last epochs, oldest first. */
  readonly epochs: readonly EpochTiming[]
  readonly recovery: string | null
  readonly error: { readonly message: string; readonly hint: string } | null
  /** Of a pipeline that Spark runs; all that only a job here knows is empty or 0 then. */
  readonly spark?: readonly SparkQueryStatus[]
}

/** How long rows take from their arrival in the log, or from being read where there is none, until every sink shows what they lead to. */
export interface LatencyView {
  /** Of the last epochs: half, 99 of 100, and all of the rows at most, ms. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Of all rows since this process started: those that took at most `leMs`, by rising bounds. */
  readonly sinceStart: {
    readonly buckets: readonly { readonly leMs: number; readonly rows: number }[]
    readonly rows: number
    readonly sumMs: number
  }
}

/** Where a job is in its life. */
export type JobState = 'starting' | 'recovering' | 'running' | 'finished' | 'stopped' | 'failed'

/** Rows that were not accepted for the same reason. */
export interface ReasonStatus {
  readonly fate: Fate
  readonly rule: string
  readonly rows: number
}

/** How far a partition has been read. */
export interface PartitionStatus {
  readonly id: string
  /** Next offset to be read. */
  readonly position: number
  readonly endOffset: number | null
  readonly maxEventTimeMs: number | null
  readonly idleSinceMs: number | null
  readonly ended: boolean
}

/** Where a watermark stands, for people. */
export interface WatermarkView {
  readonly id: string
  readonly delayMs: number
  readonly watermarkMs: number | null
  readonly maxEventTimeMs: number | null
  /** Why it stands there, in one sentence. */
  readonly why: string
  /** Index into `partitions` of the one that holds it back; null when none does. */
  readonly heldByPartition: number | null
  /** Since when the same holder has held it. */
  readonly sinceMs: number
}

/** A query, for people. */
export interface QueryView {
  readonly name: string
  readonly windowSizeMs: number | null
  /** So much event time after its end a window closes: what attempts have for a funnel, else 0. */
  readonly closesAfterMs: number
  readonly rowsEmitted: number
  readonly lateRows: number
  readonly stateRows: number
  readonly openWindows: readonly OpenWindowView[]
  readonly columns: readonly ColumnView[]
  /** Newest first: open ones (provisional) and those that closed last. */
  readonly windows: readonly WindowRows[]
}

/** A window that has not closed yet. */
export interface OpenWindowView {
  readonly startMs: number
  readonly endMs: number
  readonly groups: number
}

/** A column of a result. */
export interface ColumnView {
  readonly name: string
  readonly type: string
  readonly role: 'window' | 'key' | 'value'
}

/** The largest groups of one window, by the first aggregate, descending. */
export interface WindowRows {
  readonly startMs: number
  readonly endMs: number
  readonly closed: boolean
  readonly groups: number
  /** Cells in the order of `columns`, without the window's bounds. */
  readonly rows: readonly (readonly (string | number | boolean | null)[])[]
}

/** How a sink is doing. */
export interface SinkStatus {
  readonly name: string
  readonly query: string
  readonly kind: string
  readonly target: string
  /** In files, tables or topics: `rows` of them, in `files` of `bytes`. */
  readonly rows: number
  readonly files: number
  readonly bytes: number
  /** Rows that are safe and in no file yet, because files roll; null where every epoch is written at once. */
  readonly waitingRows: number | null
  readonly committedEpoch: number
  readonly lastError: string | null
  readonly nextTryMs: number | null
}

/** A query that Spark runs, as it was when it was looked at last. What is not known yet is null. */
export interface SparkQueryStatus {
  readonly name: string
  /** `lost`: its server is away, or it is about to be started again. */
  readonly state: 'starting' | 'running' | 'lost' | 'ended'
  /** Starts after the first. */
  readonly restarts: number
  /** Micro-batches since its checkpoint began. */
  readonly batches: number
  /** What the last micro-batch read, how many of these rows came behind the watermark, and how long it took. */
  readonly batchRows: number | null
  readonly batchLateRows: number | null
  readonly batchMs: number | null
  readonly stateRows: number | null
  readonly watermarkMs: number | null
  /** Rows that the relay has brought into a table since this process began; null for sinks that Spark writes to. */
  readonly relayedRows: number | null
}

/** How long an epoch took. */
export interface EpochTiming {
  readonly epoch: number
  readonly rows: number
  readonly computeMs: number
  readonly prepareMs: number
  readonly commitMs: number
}
