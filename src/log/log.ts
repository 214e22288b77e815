import type { EncodedRecords } from '../batch/encoded-records.ts'

/**
 * Topics of partitions of records, appended at the end and read by offset. Kept by the embedded log (files), the memory log
 * (tests) or a Kafka cluster. Records travel as whole record batches; nothing here makes an object per record.
 */
export interface Log {
  /** What keeps it. */
  readonly kind: 'embedded' | 'memory' | 'kafka'
  /** For people and for the identity of a checkpoint: two logs with the same name hold the same data. */
  readonly name: string
  /** Throws `invalid-option` when the topic exists with other settings. */
  createTopic(topic: string, settings: TopicSettings): Promise<void>
  describeTopic(topic: string): Promise<TopicDescription | undefined>
  listTopics(): Promise<readonly TopicDescription[]>
  /**
   * Appends a batch and stamps it with the time of arrival. Resolves when it is as durable as the log's policy says; until then the draft's
   * bytes must stay as they are, afterwards nothing looks at them. Calls for one partition are served in order; awaiting each is not needed.
   */
  append(topic: string, partition: number, draft: RecordBatchDraft): Promise<AppendResult>
  /**
   * Records from `fromOffset` on, at most about `bytesMax` but at least one batch; none when `fromOffset` is the end. The first batch
   * may begin before `fromOffset`. Throws `data-loss` when the offset is below the log's start or beyond its end.
   */
  read(topic: string, partition: number, fromOffset: number, bytesMax: number): Promise<readonly EncodedRecords[]>
  offsets(topic: string, partition: number): Promise<PartitionOffsets>
  /** Resolves when the partition's end lies behind `offset`, or when `signal` aborts. */
  waitForRecords(topic: string, partition: number, offset: number, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** What a topic is made with. */
export interface TopicSettings {
  readonly partitions: number
  /** Small facts kept with the topic, such as the seed of what generated it. */
  readonly labels?: Readonly<Record<string, string>>
  readonly segmentBytesMax?: number
  /** Oldest segments are removed when the partition has more; unlimited when absent. */
  readonly retentionBytesMax?: number
  /** Segments whose last append is older are removed; unlimited when absent. */
  readonly retentionMs?: number
}

/** A topic as it stands. */
export interface TopicDescription {
  readonly topic: string
  /** Another one when the topic was deleted and created anew; a log that gives none keeps topics for ever. */
  readonly id?: string
  readonly settings: TopicSettings
  /** In the order of partitions. */
  readonly offsets: readonly PartitionOffsets[]
  readonly bytes: number
}

/** Readable are records with `start <= offset < end`. */
export interface PartitionOffsets {
  readonly start: number
  readonly end: number
}

/** Where a batch went. */
export interface AppendResult {
  readonly baseOffset: number
  /** Time of arrival that the batch was stamped with, ms. */
  readonly appendTimestamp: number
}

/** A record batch before the log gives it offsets, a time and a checksum; made by a `RecordBatchBuilder`. */
export interface RecordBatchDraft {
  /** Records section, uncompressed, with offset deltas 0, 1, 2, ... and timestamp deltas relative to `baseTimestamp`. */
  readonly records: Uint8Array
  readonly recordCount: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  /**
   * Where its first record must go: the batch is refused with `incompatible-state` when the partition does not end there. So batches that
   * are asked for without awaiting each other leave no hole when one fails. Anywhere when left out.
   */
  readonly baseOffset?: number
}
