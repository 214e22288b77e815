import type { Log, RecordBatchDraft } from '../log/log.ts'
import { RecordBatchBuilder } from '../log/record-batch-builder.ts'

/** Appends under way together hold about so much at most: what a busy disk takes while it makes the ones before durable. */
const UNDER_WAY_BYTES_MAX: number = 16 * 1024 * 1024

/**
 * Collects rows into one record batch per partition and appends them, many at a time. Each says at which offset it must begin: were one to
 * succeed behind another that failed, rows would be missing in the middle and all offsets behind them wrong.
 */
export class BatchSender {
  readonly #log: Log
  readonly #topic: string
  readonly #bufferBytes: number
  readonly #builders: RecordBatchBuilder[]
  /** By partition: where its next batch begins. */
  readonly #offsets: Float64Array
  /** In the order in which they began; none rejects. */
  readonly #underWay = new Set<Promise<void>>()
  #underWayBytes = 0
  /** Buffers whose content the log has taken, to be filled again. */
  readonly #spare: Uint8Array[] = []
  #failure: { readonly error: unknown } | undefined

  /** `endOffsets` are the partitions' ends; `bufferBytes` is what most batches are expected to have. */
  constructor(log: Log, topic: string, endOffsets: ArrayLike<number>, bufferBytes: number) {
    this.#log = log
    this.#topic = topic
    this.#bufferBytes = bufferBytes
    this.#offsets = Float64Array.from(endOffsets)
    this.#builders = Array.from(endOffsets, () => new RecordBatchBuilder(bufferBytes))
  }

  /** What a partition's rows are added to. */
  builder(partition: number): RecordBatchBuilder {
    return this.#builders[partition]
  }

  /** Begins to append a partition's batch once there is room for it under way. Throws the error of any append that failed. */
  async send(partition: number): Promise<void> {
    while (this.#underWayBytes >= UNDER_WAY_BYTES_MAX) await Promise.race(this.#underWay)
    this.#throwFailure()
    const builder = this.#builders[partition]
    if (builder.recordCount > 0) this.#append(partition, builder.finish(this.#spare.pop()))
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

  #append(partition: number, draft: RecordBatchDraft): void {
    const { records } = draft
    const baseOffset = this.#offsets[partition]
    this.#offsets[partition] += draft.recordCount
    this.#underWayBytes += records.length
    const done = this.#log
      .append(this.#topic, partition, { ...draft, baseOffset })
      .then(
        () => this.#reuse(records),
        (error: unknown) => {
          this.#failure ??= { error }
        },
      )
      .then(() => {
        this.#underWay.delete(done)
        this.#underWayBytes -= records.length
      })
    this.#underWay.add(done)
  }

  /** One that has grown for an unusual batch is too large for the usual ones. */
  #reuse({ buffer }: Uint8Array): void {
    if (buffer.byteLength <= 4 * this.#bufferBytes) this.#spare.push(Buffer.from(buffer))
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
