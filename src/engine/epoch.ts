import type { ResultBatch } from '../batch/result-batch.ts'
import type { ModelCommand } from '../ml/model-event.ts'
import type { Fate } from '../plan/fate.ts'

/**
 * Everything that an epoch depends on besides the state before it, fixed before its first row is computed and kept in the
 * journal. Running the same plan on the same state gives the same results, bit for bit. Partitions go by their index in
 * the engine's list.
 */
export interface EpochPlan {
  /** From 1 up, never used twice; gaps are allowed. */
  readonly epoch: number
  /** The prepared epoch before it; 0 before the first. */
  readonly previous: number
  /** Never less than that of the plan before. */
  readonly clockMs: number
  /** Partitions that give rows, at most once each. */
  readonly ranges: readonly OffsetRange[]
  /** Partitions that hold no watermark back for want of rows, complete for this epoch. */
  readonly idle: readonly IdleFlag[]
  /** Partitions that have come to their end and cannot grow. */
  readonly ended: readonly number[]
  /** Close everything at the end of this epoch: it is the last one of a bounded run. */
  readonly flush: boolean
  /** What somebody wants of models, followed before the first row. */
  readonly commands?: readonly ModelCommand[]
}

/** Rows with `from <= offset < to` of a partition. */
export interface OffsetRange {
  readonly partition: number
  readonly from: number
  readonly to: number
}

/** A partition that a watermark does not wait for. */
export interface IdleFlag {
  /** Index into `Engine.watermarkIds`. */
  readonly watermark: number
  readonly partition: number
  /** Clock of the first plan that carried the flag, ms. */
  readonly sinceMs: number
}

/** What an epoch gave. Owned by the caller: the engine does not touch it again. */
export interface EpochResults {
  readonly epoch: number
  readonly rowsRead: number
  /** In the order of `Engine.queries`. */
  readonly queries: readonly QueryResults[]
  readonly deadLetters: readonly DeadLetter[]
  /** Rows of this epoch per partition, fate and rule; the counts add up to `rowsRead`. */
  readonly ledger: readonly LedgerEntry[]
  /** After this epoch, in the order of `Engine.watermarkIds`. */
  readonly watermarks: readonly WatermarkMark[]
}

/** A query's rows of one epoch, in the modes that were asked for. */
export interface QueryResults {
  readonly append?: ResultBatch
  readonly update?: ResultBatch
  readonly complete?: ResultBatch
  /** Rows that this query refused as late, whatever their fate over all queries. */
  readonly lateRows: number
}

/** A row that was not accepted, with all that is needed to understand and to resend it. */
export interface DeadLetter {
  readonly partition: number
  readonly offset: number
  readonly fate: Fate
  /** Name of the rule that it broke; empty for other fates. */
  readonly rule: string
  /** In words. */
  readonly reason: string
  /** The row as it came, cut at `DEAD_LETTER_BYTES_MAX`. A copy. */
  readonly raw: Uint8Array
  /** Late watermark that judged it, ms. */
  readonly watermarkMs: number
  /** Windows that it would have belonged to. */
  readonly windowsMissed: readonly MissedWindow[]
}

/** A window that had closed when a row came for it. */
export interface MissedWindow {
  readonly query: string
  readonly startMs: number
  readonly endMs: number
}

/** Rows of one epoch with the same fate. */
export interface LedgerEntry {
  readonly partition: number
  readonly fate: Fate
  /** Empty unless the fate is `invalid` or `malformed`; then the rule's name or the decoder's reason. */
  readonly rule: string
  readonly rows: number
}

/** Where a watermark stands after an epoch; kept in the journal and compared when the epoch is run again. */
export interface WatermarkMark {
  /** Windows that end at or before it are closed; judges lateness in the next epoch. -Infinity before any event. */
  readonly closeWatermarkMs: number
  /** Largest event time over all partitions; -Infinity before any event. */
  readonly maxEventTimeMs: number
}

/** Bytes kept of a dead letter's row. */
export const DEAD_LETTER_BYTES_MAX: number = 64 * 1024
