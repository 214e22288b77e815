import { decodeText, encodeText } from '../base/bytes.ts'
import { MillraceError } from '../base/error.ts'
import { RecordWalk } from '../batch/record-walk.ts'
import type { KafkaLog } from '../log/kafka/kafka-log.ts'
import type { RecordBatchDraft } from '../log/log.ts'
import { Partitioner } from '../log/partitioner.ts'
import { RecordBatchBuilder } from '../log/record-batch-builder.ts'
import type { SinkProgress } from './sink.ts'

/** The topic in which every sink keeps its mark, by the name of pipeline and sink; older marks are compacted away. */
const PROGRESS_TOPIC = '_millrace_progress'
const PROGRESS_PARTITIONS = 8
const PROGRESS_SETTINGS = {
  'cleanup.policy': 'compact',
  'segment.bytes': String(4 << 20),
  'segment.ms': '600000',
  'min.cleanable.dirty.ratio': '0.1',
}

/** Another transaction in the partition may hold back what is readable until the broker gives it up. */
const READ_LIMIT_MS = 90_000

/** A mark, and which checkpoint it is of. */
export interface KafkaMark extends SinkProgress {
  readonly owner: string
}

/** Reads and writes the mark of one sink. */
export class KafkaProgress {
  readonly #log: KafkaLog
  readonly #key: string
  readonly topic: string = PROGRESS_TOPIC
  readonly partition: number
  #position: number | undefined
  #mark: KafkaMark | undefined

  constructor(log: KafkaLog, key: string) {
    this.#log = log
    this.#key = key
    this.partition = new Partitioner(PROGRESS_PARTITIONS).partitionOf(encodeText(key))
  }

  /** Makes the topic of marks when it is missing. */
  async create(): Promise<void> {
    await this.#log.createInternalTopic(PROGRESS_TOPIC, PROGRESS_PARTITIONS, PROGRESS_SETTINGS)
  }

  /**
   * The newest mark that is decided: everything up to the end that the partition has now is read, also what lies behind the records of
   * transactions that are still open, so those are waited for.
   */
  async read(): Promise<KafkaMark | undefined> {
    const topic = await this.#log.topics.refresh(PROGRESS_TOPIC)
    if (!topic) return undefined
    const end = (await this.#log.findOffsets(PROGRESS_TOPIC, 'written-end'))[this.partition]
    let position = this.#position ?? (await this.#log.findOffsets(PROGRESS_TOPIC, 'start'))[this.partition]
    const fetcher = this.#log.fetcher(topic)
    try {
      const signal = AbortSignal.timeout(READ_LIMIT_MS)
      for await (const piece of fetcher.read(this.partition, position, end, signal)) {
        this.#take(piece.bytes, piece.recordCount)
        position = piece.endOffset
      }
      if (signal.aborted) throw heldBack(this.#key)
    } finally {
      fetcher.close()
    }
    this.#position = position
    return this.#mark
  }

  /** The record of a mark. */
  record(mark: KafkaMark, timestampMs: number): RecordBatchDraft {
    const builder = new RecordBatchBuilder(512)
    builder.add(encodeText(this.#key), encodeText(JSON.stringify({ key: this.#key, ...mark })), timestampMs)
    return builder.finish()
  }

  #take(bytes: Uint8Array, recordCount: number): void {
    const walk = new RecordWalk()
    walk.begin(bytes, bytes.length)
    for (let count = 0; count < recordCount && walk.next(); count++) {
      if (walk.valueLength < 0) continue
      const text = decodeText(bytes.subarray(walk.valueStart, walk.valueStart + walk.valueLength))
      const { key, ...mark } = JSON.parse(text) as KafkaMark & { readonly key: string }
      if (key === this.#key) this.#mark = mark
    }
  }
}

function heldBack(key: string): MillraceError {
  return new MillraceError(
    'unavailable',
    `the mark of ${key} cannot be read: a transaction in ${PROGRESS_TOPIC} is open`,
    {
      hint: 'the broker gives it up after its timeout: try again',
    },
  )
}
