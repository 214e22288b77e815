import { decodeText, encodeText } from '../base/bytes.ts'
import { MillraceError } from '../base/error.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import { RecordWalk } from '../batch/record-walk.ts'
import { transactionOf } from '../log/committed-records.ts'
import type { KafkaLog } from '../log/kafka/kafka-log.ts'
import type { RecordBatchDraft } from '../log/log.ts'
import { Partitioner } from '../log/partitioner.ts'
import { recordsOf, type StoredBatch, walkBatches } from '../log/record-batch.ts'
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

/** A broker gives a transaction of ours up after 60 s. */
const READ_LIMIT_MS = 90_000
/** A transaction that was told to end does so in a few milliseconds. */
const ENDING_MS = 500
const READ_BYTES_MAX = 1 << 20

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
  /** Our marks in transactions whose end has not been read, by producer. */
  readonly #undecided = new Map<bigint, KafkaMark>()

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
   * The newest mark that is committed. What others have not decided yet holds nothing up. Our own, of a process that died or hangs with its
   * transaction open, is waited for when `decided`: the broker may take a minute to give it up, unless somebody takes its id over. One
   * whose end the broker has and has only not written yet is waited for in any case.
   */
  async read(wait: 'decided' | 'at-once'): Promise<KafkaMark | undefined> {
    if (!(await this.#log.topics.refresh(PROGRESS_TOPIC))) return undefined
    const deadline = performance.now() + READ_LIMIT_MS
    const end = (await this.#log.findOffsets(PROGRESS_TOPIC, 'written-end'))[this.partition]
    const graceEnd = performance.now() + (wait === 'decided' ? READ_LIMIT_MS : ENDING_MS)
    let position = this.#position ?? (await this.#log.findOffsets(PROGRESS_TOPIC, 'start'))[this.partition]
    while (position < end || (this.#undecided.size > 0 && performance.now() < graceEnd)) {
      const bytes = await this.#log.readUndecided(PROGRESS_TOPIC, this.partition, position, READ_BYTES_MAX)
      for (const batch of walkBatches(bytes, `${PROGRESS_TOPIC}-${this.partition}`)) {
        if (batch.header.endOffset <= position) continue
        this.#take(batch)
        position = batch.header.endOffset
        this.#position = position
      }
      if (performance.now() > deadline) throw heldBack(this.#key)
    }
    if (wait === 'decided' && this.#undecided.size > 0) throw heldBack(this.#key)
    return this.#mark
  }

  /** The record of a mark. */
  record(mark: KafkaMark, timestampMs: number): RecordBatchDraft {
    const builder = new RecordBatchBuilder(512)
    builder.add(encodeText(this.#key), encodeText(JSON.stringify({ key: this.#key, ...mark })), timestampMs)
    return builder.finish()
  }

  #take(batch: StoredBatch): void {
    const transaction = transactionOf(batch)
    if (transaction?.ends !== undefined) {
      if (transaction.ends === 'commit') this.#mark = this.#undecided.get(transaction.producerId) ?? this.#mark
      this.#undecided.delete(transaction.producerId)
      return
    }
    const mark = this.#lastOf(recordsOf(batch, PROGRESS_TOPIC))
    if (mark && transaction) this.#undecided.set(transaction.producerId, mark)
    else this.#mark = mark ?? this.#mark
  }

  /** The last mark among records that is ours. */
  #lastOf(records: EncodedRecords | undefined): KafkaMark | undefined {
    if (records === undefined) return undefined
    const { bytes, recordCount } = records
    const walk = new RecordWalk()
    walk.begin(bytes, bytes.length)
    let last: KafkaMark | undefined
    for (let count = 0; count < recordCount && walk.next(); count++) {
      if (walk.valueLength < 0) continue
      const text = decodeText(bytes.subarray(walk.valueStart, walk.valueStart + walk.valueLength))
      const { key, ...mark } = JSON.parse(text) as KafkaMark & { readonly key: string }
      if (key === this.#key) last = mark
    }
    return last
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
