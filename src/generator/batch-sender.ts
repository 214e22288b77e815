import type { Log } from '../log/log.ts'
import { RecordBatchBuilder } from '../log/record-batch-builder.ts'

/** A batch that waits for the one before it grows up to so many times its usual size. */
const BACKLOG_FACTOR = 4

/**
 * Collects rows into one record batch per partition and appends them; while one is under way, the next one grows. A partition has one append under way at most: were a later one to
 * succeed after an earlier one had failed, rows would be missing in the middle and all offsets behind them wrong.
 */
export class BatchSender {
  readonly #log: Log
  readonly #topic: string
  readonly #bufferBytes: number
  readonly #batchBytes: number
  readonly #builders: RecordBatchBuilder[]
  /** By partition; never rejects. */
  readonly #underWay: Promise<void>[]
  readonly #busy: boolean[]
  #failure: { readonly error: unknown } | undefined

  /** A batch is full at `batchBytes`; `bufferBytes` is what most are expected to have. */
  constructor(log: Log, topic: string, partitions: number, bufferBytes: number, batchBytes: number) {
    this.#log = log
    this.#topic = topic
    this.#bufferBytes = bufferBytes
    this.#batchBytes = batchBytes
    this.#builders = Array.from({ length: partitions }, () => new RecordBatchBuilder(bufferBytes))
    this.#underWay = Array.from({ length: partitions }, () => Promise.resolve())
    this.#busy = new Array<boolean>(partitions).fill(false)
  }

  /** Adds a row; true when its partition's batch is to be sent now. */
  add(partition: number, key: Uint8Array, value: Uint8Array, timestamp: number): boolean {
    const builder = this.#builders[partition]
    builder.add(key, value, timestamp)
    const bytesMax = this.#busy[partition] ? BACKLOG_FACTOR * this.#batchBytes : this.#batchBytes
    return builder.sizeBytes >= bytesMax
  }

  /** Begins to append a partition's batch once the one before it is durable. Throws the error of any append that failed. */
  async send(partition: number): Promise<void> {
    await this.#underWay[partition]
    this.#throwFailure()
    const builder = this.#builders[partition]
    if (builder.recordCount > 0) this.#underWay[partition] = this.#append(partition, builder)
  }

  /** Begins to append what there is of all partitions. */
  async sendAll(): Promise<void> {
    for (let partition = 0; partition < this.#builders.length; partition++) {
      if (this.#builders[partition].recordCount > 0) await this.send(partition)
    }
  }

  /** Resolves when no append is under way any more; throws the error of the one that failed. */
  async settle(): Promise<void> {
    await Promise.all(this.#underWay)
    this.#throwFailure()
  }

  async #append(partition: number, builder: RecordBatchBuilder): Promise<void> {
    this.#busy[partition] = true
    try {
      const draft = builder.finish()
      const usual = Math.max(draft.records.length, this.#bufferBytes)
      // The builder's next buffer is as large as its last: once grown for a backlog, it is too large for batches of a few rows.
      if (draft.records.buffer.byteLength > 4 * usual)
        this.#builders[partition] = new RecordBatchBuilder(this.#bufferBytes)
      await this.#log.append(this.#topic, partition, draft)
    } catch (error) {
      this.#failure ??= { error }
    } finally {
      this.#busy[partition] = false
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
