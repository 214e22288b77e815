import { assert } from '../base/assert.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import type { AppendResult, Log, PartitionOffsets, RecordBatchDraft, TopicDescription, TopicSettings } from './log.ts'
import { checkReadable, misplaced, unknownPartition } from './log-error.ts'
import { encodeBatchHeader, readRecordBatches } from './record-batch.ts'
import { expiredSegments, isFull } from './retention.ts'
import { canonical, checkSameSettings, checkTopic } from './topic-settings.ts'
import { Waiters } from './waiters.ts'

/** A log in memory that behaves as the embedded one does, segments and retention included: its twin in tests. Nothing outlives it. */
export class MemoryLog implements Log {
  readonly kind = 'memory'
  readonly name: string
  readonly #clock: Clock
  readonly #topics = new Map<string, Topic>()

  constructor(name = 'memory', clock: Clock = systemClock) {
    this.name = name
    this.#clock = clock
  }

  async createTopic(topic: string, settings: TopicSettings): Promise<void> {
    checkTopic(topic, settings)
    const existing = this.#topics.get(topic)
    if (existing) return checkSameSettings(topic, existing.settings, settings)
    this.#topics.set(topic, {
      settings: canonical(settings),
      partitions: Array.from({ length: settings.partitions }, () => newPartition()),
    })
  }

  async describeTopic(topic: string): Promise<TopicDescription | undefined> {
    const found = this.#topics.get(topic)
    return found && describe(topic, found)
  }

  async listTopics(): Promise<readonly TopicDescription[]> {
    const sorted = [...this.#topics].toSorted(([left], [right]) => (left < right ? -1 : 1))
    return sorted.map(([topic, found]) => describe(topic, found))
  }

  async append(topic: string, partition: number, draft: RecordBatchDraft): Promise<AppendResult> {
    const { settings } = this.#topic(topic)
    const log = this.#partition(topic, partition)
    const problem = misplaced(`${topic}-${partition}`, draft, log.endOffset)
    if (problem) throw problem
    const appendTimestamp = this.#clock.now()
    const header = encodeBatchHeader(draft, log.endOffset, appendTimestamp)
    const bytes = new Uint8Array(Buffer.concat([header, draft.records]))
    if (isFull(activeSegment(log), bytes.length, appendTimestamp, settings)) {
      log.segments.push(newSegment(log.endOffset))
    }
    const segment = activeSegment(log)
    segment.firstAppendMs ??= appendTimestamp
    segment.bytes += bytes.length
    const baseOffset = log.endOffset
    log.endOffset += draft.recordCount
    segment.batches.push({ bytes, endOffset: log.endOffset })
    log.segments.splice(0, expiredSegments(log.segments, settings, appendTimestamp, log.keepFrom))
    log.waiters.wake(log.endOffset)
    return { baseOffset, appendTimestamp }
  }

  async read(
    topic: string,
    partition: number,
    fromOffset: number,
    bytesMax: number,
  ): Promise<readonly EncodedRecords[]> {
    const log = this.#partition(topic, partition)
    checkReadable(`${topic}-${partition}`, fromOffset, offsetsOf(log))
    const segment = log.segments.findLast((each) => each.baseOffset <= fromOffset)
    const first = segment?.batches.findIndex((batch) => batch.endOffset > fromOffset) ?? -1
    if (!segment || first < 0) return []
    const chosen: Uint8Array[] = []
    let bytes = 0
    for (const batch of segment.batches.slice(first)) {
      bytes += batch.bytes.length
      if (bytes > bytesMax && chosen.length > 0) break
      chosen.push(batch.bytes)
    }
    return [...readRecordBatches(Buffer.concat(chosen), `${topic}-${partition}`)]
  }

  async offsets(topic: string, partition: number): Promise<PartitionOffsets> {
    return offsetsOf(this.#partition(topic, partition))
  }

  waitForRecords(topic: string, partition: number, offset: number, signal: AbortSignal): Promise<void> {
    const log = this.#partition(topic, partition)
    return log.waiters.wait(offset, log.endOffset, signal)
  }

  /** Retention leaves the records from this offset on. */
  keepFrom(topic: string, partition: number, offset: number): void {
    this.#partition(topic, partition).keepFrom = offset
  }

  async close(): Promise<void> {
    for (const topic of this.#topics.values()) {
      for (const partition of topic.partitions) partition.waiters.wakeAll()
    }
  }

  #topic(topic: string): Topic {
    const found = this.#topics.get(topic)
    if (!found) throw unknownPartition(topic)
    return found
  }

  #partition(topic: string, partition: number): Partition {
    const found = this.#topic(topic).partitions.at(partition)
    if (!found || partition < 0) throw unknownPartition(topic, partition)
    return found
  }
}

interface Topic {
  readonly settings: TopicSettings
  readonly partitions: readonly Partition[]
}

interface Partition {
  /** In order, never empty. */
  readonly segments: Segment[]
  endOffset: number
  keepFrom: number
  readonly waiters: Waiters
}

interface Segment {
  readonly baseOffset: number
  bytes: number
  firstAppendMs: number | undefined
  readonly batches: { readonly bytes: Uint8Array; readonly endOffset: number }[]
}

function newPartition(): Partition {
  return { segments: [newSegment(0)], endOffset: 0, keepFrom: Number.POSITIVE_INFINITY, waiters: new Waiters() }
}

function newSegment(baseOffset: number): Segment {
  return { baseOffset, bytes: 0, firstAppendMs: undefined, batches: [] }
}

function activeSegment(partition: Partition): Segment {
  const active = partition.segments.at(-1)
  assert(active, 'a partition has a segment')
  return active
}

function offsetsOf(partition: Partition): PartitionOffsets {
  return { start: partition.segments[0].baseOffset, end: partition.endOffset }
}

function describe(topic: string, { settings, partitions }: Topic): TopicDescription {
  const segments = partitions.flatMap((partition) => partition.segments)
  return {
    topic,
    settings,
    offsets: partitions.map(offsetsOf),
    bytes: segments.reduce((total, segment) => total + segment.bytes, 0),
  }
}
