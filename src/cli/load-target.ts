import { MillraceError } from '../base/error.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import type {
  AppendResult,
  Log,
  PartitionOffsets,
  RecordBatchDraft,
  TopicDescription,
  TopicSettings,
} from '../log/log.ts'

/**
 * What producers have sent and how long it took, as numbers that threads share: rows, bytes, and a histogram of the time from sending a batch
 * to its being in the log. Each producer writes a tally of its own.
 */
export class LoadTally {
  readonly #numbers: Float64Array

  /** Over memory of `LoadTally.BYTES`; several may look at the same. */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(LoadTally.BYTES)) {
    this.#numbers = new Float64Array(memory)
  }

  static readonly BYTES: number = 8 * (2 + 512)

  get memory(): SharedArrayBuffer {
    return this.#numbers.buffer as SharedArrayBuffer
  }

  get rows(): number {
    return this.#numbers[0]
  }

  get bytes(): number {
    return this.#numbers[1]
  }

  add(rows: number, bytes: number, latencyMs: number): void {
    this.#numbers[0] += rows
    this.#numbers[1] += bytes
    this.#numbers[2 + bucketOf(latencyMs)]++
  }

  /** Latencies in ms that these shares of all batches did not exceed, within a sixteenth. */
  static latencies(tallies: readonly LoadTally[], shares: readonly number[]): number[] {
    const counts = Array.from({ length: BUCKETS }, (_, bucket) =>
      tallies.reduce((sum, tally) => sum + tally.#numbers[2 + bucket], 0),
    )
    const total = counts.reduce((sum, count) => sum + count, 0)
    return shares.map((share) => {
      let seen = 0
      const bucket = counts.findIndex((count) => {
        seen += count
        return count > 0 && seen >= share * total
      })
      return total === 0 ? 0 : upperEdgeMs(bucket)
    })
  }
}

const BUCKETS = 512
const BUCKETS_PER_DOUBLING = 16
const SMALLEST_MS = 0.01

function bucketOf(latencyMs: number): number {
  const bucket = Math.ceil(Math.log2(Math.max(latencyMs, SMALLEST_MS) / SMALLEST_MS) * BUCKETS_PER_DOUBLING)
  return Math.min(BUCKETS - 1, bucket)
}

function upperEdgeMs(bucket: number): number {
  return SMALLEST_MS * 2 ** (bucket / BUCKETS_PER_DOUBLING)
}

/**
 * A topic as one of several producers sees it that fill it side by side: to each it looks new and its own. What is appended goes to the
 * real topic and is tallied.
 */
export class LoadTarget implements Log {
  readonly kind: Log['kind']
  readonly name: string
  readonly #log: Log
  readonly #tally: LoadTally
  #settings: TopicSettings | undefined

  constructor(log: Log, tally: LoadTally) {
    this.kind = log.kind
    this.name = log.name
    this.#log = log
    this.#tally = tally
  }

  async createTopic(_topic: string, settings: TopicSettings): Promise<void> {
    this.#settings = settings
  }

  async describeTopic(topic: string): Promise<TopicDescription | undefined> {
    const settings = this.#settings
    if (!settings) return undefined
    return { topic, settings, offsets: Array.from({ length: settings.partitions }, () => NOTHING), bytes: 0 }
  }

  async listTopics(): Promise<readonly TopicDescription[]> {
    return []
  }

  async append(topic: string, partition: number, draft: RecordBatchDraft): Promise<AppendResult> {
    const startMs = performance.now()
    // Where it goes depends on the other producers.
    const { baseOffset, ...anywhere } = draft
    const result = await this.#log.append(topic, partition, anywhere)
    this.#tally.add(draft.recordCount, draft.records.length, performance.now() - startMs)
    return result
  }

  read(): Promise<readonly EncodedRecords[]> {
    return Promise.reject(writeOnly())
  }

  async offsets(): Promise<PartitionOffsets> {
    return NOTHING
  }

  waitForRecords(): Promise<void> {
    return Promise.reject(writeOnly())
  }

  async close(): Promise<void> {}
}

const NOTHING: PartitionOffsets = { start: 0, end: 0 }

function writeOnly(): MillraceError {
  return new MillraceError('unsupported', 'the topic of a load test is only written', { hint: 'read the topic itself' })
}
