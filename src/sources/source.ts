import type { EncodedRecords } from '../batch/encoded-records.ts'

/**
 * Where a pipeline reads: partitions of records with offsets that can be read again. Adding one is a file with a factory and
 * a line in `index.ts`.
 */
export interface Source {
  /** Says whose offsets a checkpoint holds: a checkpoint is refused for a source with another identity. */
  readonly identity: string
  /** True when every partition has an end that it will never grow beyond (files); false for logs. */
  readonly bounded: boolean
  partitions(): Promise<readonly SourcePartition[]>
  /**
   * Reads from `fromOffset` up to `toOffset`, or on and on, waiting at the end of an unbounded partition, when that is Infinity.
   * A bounded one ends. The first records may begin before `fromOffset`, the last may end behind `toOffset`. Ends early when
   * `signal` aborts. Throws `data-loss` when the range is not there any more.
   */
  read(partitionId: string, fromOffset: number, toOffset: number, signal: AbortSignal): AsyncIterable<EncodedRecords>
  /** First and behind-the-last offset of each partition now; an end that is not known yet (a file being read) is undefined. */
  offsets(): Promise<ReadonlyMap<string, SourceOffsets>>
  /** Tells the outside how far a job has come, by partition, under the name of a group: for tools that show its lag. Never fails. */
  publish?(group: string, positions: ReadonlyMap<string, number>): Promise<void>
  close(): Promise<void>
}

/** A partition of a source. */
export interface SourcePartition {
  /** Stable name, such as `events-0` or a file's real path. */
  readonly id: string
  readonly startOffset: number
  /** What the partition's data is recognised by; a change means that offsets do not fit any more. Empty when the id says it all. */
  readonly fingerprint: string
}

/** What a partition holds now. */
export interface SourceOffsets {
  readonly start: number
  readonly end: number | undefined
}
