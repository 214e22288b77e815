import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MillraceError, systemErrorCode } from '../base/error.ts'
import { failpoint } from '../base/failpoint.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import { isKafkaLog } from '../log/kafka/is-kafka-log.ts'
import type { KafkaLog } from '../log/kafka/kafka-log.ts'
import type { TransactionalProducer, TransactionBatch } from '../log/kafka/transactional-producer.ts'
import type { KafkaSinkSpec } from '../plan/connectors.ts'
import { type OutboxBatch, outboxBatches, readOutbox, writeOutbox } from './kafka-outbox.ts'
import { type KafkaMark, KafkaProgress } from './kafka-progress.ts'
import type { PreparedOutput, Sink, SinkContext, SinkEpoch, SinkProgress } from './sink.ts'

const NEW_TOPIC_PARTITIONS = 4

/**
 * Records of a Kafka topic. Exactly once: the mark of the epoch and its records are one transaction, so that readers of committed
 * records see all of an epoch or nothing; after any unknown outcome the mark tells. Prepared rows wait in a file.
 * At least once: the records first, then the mark.
 */
export async function kafkaSink(spec: KafkaSinkSpec, context: SinkContext): Promise<Sink> {
  const log = await context.openKafka?.()
  if (!log || !isKafkaLog(log)) throw noKafka(context.name)
  return new KafkaSink(spec, context, log)
}

class KafkaSink implements Sink {
  readonly name: string
  readonly target: string
  readonly view = false
  readonly #spec: KafkaSinkSpec
  readonly #context: SinkContext
  readonly #log: KafkaLog
  readonly #progress: KafkaProgress
  /** Undefined without transactions. */
  readonly #producer: TransactionalProducer | undefined
  readonly #keyColumn: number | undefined
  /** Prepared batches of a run that keeps no files. */
  readonly #held = new Map<string, readonly OutboxBatch[]>()
  #fence = 0
  /** As last read or written. */
  #mark: KafkaMark | undefined

  constructor(spec: KafkaSinkSpec, context: SinkContext, log: KafkaLog) {
    const id = `${context.pipeline}/${context.name}`
    this.name = context.name
    this.target = `topic ${spec.topic} of ${log.name}`
    this.#spec = spec
    this.#context = context
    this.#log = log
    this.#progress = new KafkaProgress(log, id)
    this.#producer = this.#exactlyOnce() ? log.transactionalProducer(`millrace/${id}`) : undefined
    const column = context.fields.findIndex(({ name }) => name === spec.key)
    this.#keyColumn = column < 0 ? undefined : column
  }

  async progress(): Promise<SinkProgress | undefined> {
    const mark = await this.#progress.read('at-once')
    this.#checkOwner(mark)
    return committed(mark)
  }

  async open(fence: number): Promise<SinkProgress | undefined> {
    await this.#progress.create()
    if (!(await this.#log.topics.find(this.#spec.topic))) {
      await this.#log.createTopic(this.#spec.topic, { partitions: NEW_TOPIC_PARTITIONS })
    }
    this.#fence = fence
    const mark = await this.#takeOver((found) => this.#checkOwner(found))
    const { epoch = 0, hash = '' } = mark ?? {}
    await this.#write({ epoch, hash, fence, owner: this.#context.owner }, [])
    return committed(mark)
  }

  async prepare({ epoch, fence }: SinkEpoch, rows: ResultBatch): Promise<PreparedOutput> {
    if (rows.rowCount === 0) return { rows: 0, bytes: 0, files: [] }
    const { partitions } = await this.#log.topics.get(this.#spec.topic)
    const batches = outboxBatches(rows, {
      partitions: partitions.length,
      keyColumn: this.#keyColumn,
      timestampMs: Date.now(),
      headersOf: this.#producer
        ? undefined
        : (row) => ({ 'millrace-epoch': String(epoch), 'millrace-seq': String(row) }),
    })
    const path = `${this.name}-${String(epoch).padStart(10, '0')}-${fence}.batches`
    const bytes = batches.reduce((sum, { draft }) => sum + draft.records.length, 0)
    const { outboxFolder } = this.#context
    if (outboxFolder === undefined) {
      this.#held.set(path, batches)
      return { rows: rows.rowCount, bytes, files: [{ path, rows: rows.rowCount, bytes, crc: 0 }] }
    }
    const file = await writeOutbox(outboxFolder, path, rows.rowCount, batches)
    failpoint('kafka-sink:after-outbox')
    return { rows: rows.rowCount, bytes, files: [file] }
  }

  async commit(epoch: SinkEpoch, prepared: PreparedOutput): Promise<void> {
    // Without transactions nothing shuts out a stale process: it has to look for itself.
    if (!this.#producer?.ready) await this.#takeOver((mark) => this.#checkMine(mark))
    if (this.#alreadyDone(epoch)) return
    const batches: TransactionBatch[] = []
    for (const file of prepared.files) {
      const { outboxFolder } = this.#context
      const held = outboxFolder === undefined ? this.#held.get(file.path) : await readOutbox(outboxFolder, file)
      for (const { partition, draft } of held ?? []) batches.push({ topic: this.#spec.topic, partition, draft })
    }
    const { hash, fence } = epoch
    failpoint('kafka-sink:before-write')
    await this.#write({ epoch: epoch.epoch, hash, fence, owner: this.#context.owner }, batches)
    failpoint('kafka-sink:after-write')
    for (const { path } of prepared.files) this.#held.delete(path)
  }

  async forget(epoch: number): Promise<void> {
    const { outboxFolder } = this.#context
    if (outboxFolder === undefined) return
    for (const file of await filesIn(outboxFolder)) {
      const of = file.startsWith(`${this.name}-`)
        ? /^(\d{10})-\d+\.batches$/.exec(file.slice(this.name.length + 1))
        : null
      if (of && Number(of[1]) <= epoch) await rm(join(outboxFolder, file), { force: true })
    }
  }

  async close(): Promise<void> {
    this.#held.clear()
  }

  /** Shuts out whoever wrote as this sink before, and looks what they have done. Throws `incompatible-state` when they are newer. */
  async #takeOver(check: (mark: KafkaMark | undefined) => void): Promise<KafkaMark | undefined> {
    const look = async (wait: 'decided' | 'at-once'): Promise<KafkaMark | undefined> => {
      this.#mark = await this.#progress.read(wait)
      check(this.#mark)
      this.#checkFence(this.#mark)
      return this.#mark
    }
    // A process that hangs with its transaction open must not hold up the one that is to replace it.
    const before = await look('at-once')
    if (!this.#producer) return before
    await this.#producer.takeOver()
    // What was open when we looked is decided now.
    return look('decided')
  }

  /** The mark and the records. In transactions, the mark comes first: it is what makes an epoch without rows a transaction. */
  async #write(mark: KafkaMark, batches: readonly TransactionBatch[]): Promise<void> {
    const { topic, partition } = this.#progress
    const record = { topic, partition, draft: this.#progress.record(mark, Date.now()) }
    if (!this.#producer) {
      await Promise.all(batches.map((batch) => this.#log.append(batch.topic, batch.partition, batch.draft)))
      await this.#log.append(topic, partition, record.draft)
      this.#mark = mark
      return
    }
    try {
      await this.#producer.commit([record, ...batches])
      this.#mark = mark
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'incompatible-state') throw error
      // The broker favours whoever asked last, which need not be the newest: the fence decides.
      const now = await this.#progress.read('decided')
      this.#checkMine(now)
      this.#checkFence(now)
      throw new MillraceError('unavailable', error.message, { hint: error.hint, cause: error })
    }
  }

  #alreadyDone({ epoch, hash }: SinkEpoch): boolean {
    const mark = this.#mark
    if (mark === undefined || mark.epoch < epoch) return false
    if (mark.epoch === epoch && mark.hash === hash) return true
    throw new MillraceError(
      'incompatible-state',
      `the sink ${this.name} has committed epoch ${mark.epoch} with other rows than the checkpoint has for epoch ${epoch}`,
      {
        hint: `use the checkpoint that wrote ${this.target}, or start over with another topic and another --checkpoint`,
      },
    )
  }

  #checkFence(mark: KafkaMark | undefined): void {
    if (!mark || mark.owner !== this.#context.owner || mark.fence <= this.#fence) return
    throw new MillraceError(
      'incompatible-state',
      `${this.target} is written by a newer process (fence ${mark.fence}, this one has ${this.#fence})`,
      { hint: 'this process was replaced: nothing is to be done' },
    )
  }

  /** Since `open` the mark is ours, unless somebody else has opened it after us. */
  #checkMine(mark: KafkaMark | undefined): void {
    if (mark?.owner === this.#context.owner) return
    throw new MillraceError(
      'incompatible-state',
      `${this.target} is now written from ${mark?.owner || 'elsewhere'}, not from ${this.#context.owner}`,
      { hint: 'only one run may write as this sink: end the other, or name this sink anew (name: ...)' },
    )
  }

  #checkOwner(mark: KafkaMark | undefined): void {
    if (!mark || mark.epoch === 0 || mark.owner === this.#context.owner) return
    throw new MillraceError(
      'incompatible-state',
      `${this.target} holds what "${this.#context.pipeline}" has written from ${mark.owner}`,
      { hint: 'go on with that checkpoint, or begin anew with --replace: what is in the topic stays there' },
    )
  }

  #exactlyOnce(): boolean {
    if (this.#spec.delivery === 'at-least-once') return false
    if (this.#log.cluster.abilities.transactionProtocol > 0) return true
    this.#log.cluster.options.report?.(
      `warning: ${this.#log.name} has no transactions: ${this.name} is written AT LEAST ONCE, records may come twice`,
    )
    return false
  }
}

/** Lets a new run begin where another one has written: its mark is taken back, its records stay. */
export async function resetKafkaSink(log: KafkaLog, pipeline: string, sink: string): Promise<void> {
  const id = `${pipeline}/${sink}`
  const progress = new KafkaProgress(log, id)
  const transactions = log.cluster.abilities.transactionProtocol > 0
  const producer = transactions ? log.transactionalProducer(`millrace/${id}`) : undefined
  await producer?.takeOver()
  const mark = await progress.read('decided')
  if (!mark) return
  const { topic, partition } = progress
  const draft = progress.record({ ...mark, epoch: 0, hash: '', owner: '' }, Date.now())
  if (producer) await producer.commit([{ topic, partition, draft }])
  else await log.append(topic, partition, draft)
}

/** Epoch 0 is a mark that only shuts out older writers. */
function committed(mark: KafkaMark | undefined): SinkProgress | undefined {
  return mark && mark.epoch > 0 ? { epoch: mark.epoch, fence: mark.fence, hash: mark.hash } : undefined
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return []
    throw error
  }
}

function noKafka(sink: string): MillraceError {
  return new MillraceError('invalid-option', `the sink ${sink} writes to Kafka, and no cluster is named`, {
    hint: 'name its brokers with --bootstrap-servers or KAFKA_BOOTSTRAP_SERVERS',
  })
}
