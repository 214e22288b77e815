import { assert } from '../../base/assert.ts'
import { MillraceError } from '../../base/error.ts'
import type { RecordBatchDraft } from '../log.ts'
import { encodeProducedHeader } from '../record-batch.ts'
import type { Cluster } from './cluster.ts'
import { endTransaction } from './end-transaction.ts'
import { KafkaCode, kafkaError } from './kafka-error.ts'
import { type ProducedBatch, produce } from './produce.ts'
import { topicGone } from './reading-error.ts'
import { retrying } from './retry.ts'
import { type KafkaTopic, leaderOf, type Topics } from './topics.ts'
import { addPartitionsToTxn, initProducerId } from './wire.ts'

/** A batch of a transaction; batches of one partition keep their order. */
export interface TransactionBatch {
  readonly topic: string
  readonly partition: number
  readonly draft: RecordBatchDraft
}

/** An open transaction is given up by the broker after so long; ours are open only while they are being sent. */
const TRANSACTION_TIMEOUT_MS = 60_000
const LIMIT_MS = 30_000
const REQUEST_BYTES_MAX = 16 << 20

/**
 * Writes sets of batches that become visible together or not at all. One at a time holds a transactional id: `takeOver` shuts out whoever had
 * it and ends what they left open. After any error the outcome is unknown, and `takeOver` has to come before the next set.
 *
 * Two protocols: with the second (KIP-890) produce requests add partitions by themselves and every end of a transaction raises the
 * producer's epoch; with the first, partitions are added by requests of their own.
 */
export class TransactionalProducer {
  readonly transactionalId: string
  readonly #cluster: Cluster
  readonly #topics: Topics
  #producerId = -1n
  #producerEpoch = -1
  /** Number of the next record, by partition. */
  readonly #sequences = new Map<string, number>()
  #ready = false

  constructor(cluster: Cluster, topics: Topics, transactionalId: string) {
    this.#cluster = cluster
    this.#topics = topics
    this.transactionalId = transactionalId
  }

  /** False until `takeOver`, and again after an error. */
  get ready(): boolean {
    return this.#ready
  }

  /** When this resolves, nobody else writes under the id any more, and nothing that they wrote is still undecided. */
  async takeOver(): Promise<void> {
    this.#ready = false
    const answer = await this.#asked(`take over ${this.transactionalId}`, async () => {
      const coordinator = await this.#cluster.coordinator('transaction', this.transactionalId)
      // Asking with the id and epoch that one has would not shut out the others.
      return initProducerId(coordinator, this.transactionalId, TRANSACTION_TIMEOUT_MS, -1n, -1)
    })
    this.#producerId = answer.producerId
    this.#producerEpoch = answer.producerEpoch
    this.#sequences.clear()
    this.#ready = true
  }

  /** Writes all batches, at least one, in one transaction. Throws `unavailable` when the outcome is not known, `incompatible-state` when shut out. */
  async commit(batches: readonly TransactionBatch[]): Promise<void> {
    assert(this.#ready, 'whoever commits has taken over')
    assert(batches.length > 0, 'a transaction holds something')
    this.#ready = false
    if (this.#protocol === 1) await this.#addPartitions(batches)
    for (const round of rounds(batches)) await this.#produce(round)
    await this.#end()
    this.#ready = true
  }

  get #protocol(): 1 | 2 {
    return this.#cluster.abilities.transactionProtocol === 2 ? 2 : 1
  }

  async #addPartitions(batches: readonly TransactionBatch[]): Promise<void> {
    const topics = new Map<string, Set<number>>()
    for (const { topic, partition } of batches) topics.set(topic, (topics.get(topic) ?? new Set()).add(partition))
    const transaction = {
      transactionalId: this.transactionalId,
      producerId: this.#producerId,
      producerEpoch: this.#producerEpoch,
      verifyOnly: false,
      topics: [...topics].map(([name, partitions]) => ({ name, partitions: [...partitions] })),
    }
    await this.#asked(`begin a transaction of ${this.transactionalId}`, async () => {
      const coordinator = await this.#cluster.coordinator('transaction', this.transactionalId)
      const { errorCode, resultsByTransaction } = await addPartitionsToTxn(coordinator, [transaction])
      const results = resultsByTransaction.flatMap((one) =>
        one.topicResults.flatMap((topic) => topic.resultsByPartition),
      )
      const failed = results.map((one) => one.partitionErrorCode).find((code) => code !== 0 && code !== NOT_ATTEMPTED)
      return { errorCode: errorCode || (failed ?? 0) }
    })
  }

  /** At most one batch of each partition, so that a repeated request changes no order. */
  async #produce(round: readonly TransactionBatch[]): Promise<void> {
    let open = round.map((batch) => ({ ...batch, sequence: this.#sequence(batch) }))
    await retrying(
      async () => {
        const topics = new Map<string, KafkaTopic>()
        for (const { topic, partition } of open) topics.set(topic, await this.#topics.get(topic, partition))
        const byLeader = new Map<number, typeof open>()
        for (const batch of open) {
          const leader = leaderOf(topics.get(batch.topic) as KafkaTopic, batch.partition)
          byLeader.set(leader, [...(byLeader.get(leader) ?? []), batch])
        }
        const done = new Set<(typeof open)[number]>()
        const failures: unknown[] = []
        await Promise.all(
          [...byLeader].map(([leader, led]) =>
            this.#send(leader, led, topics, done).catch((error: unknown) => failures.push(error)),
          ),
        )
        open = open.filter((batch) => !done.has(batch))
        if (failures.length > 0) throw failures.find((error) => !passing(error)) ?? failures[0]
      },
      { limitMs: LIMIT_MS, onError: () => this.#refresh(round) },
    )
    for (const batch of round) {
      this.#sequences.set(keyOf(batch), (this.#sequence(batch) + batch.draft.recordCount) % 2 ** 31)
    }
  }

  async #send<T extends TransactionBatch & { readonly sequence: number }>(
    leader: number,
    batches: readonly T[],
    topics: ReadonlyMap<string, KafkaTopic>,
    done: Set<T>,
  ): Promise<void> {
    const version = this.#protocol === 1 ? 11 : this.#cluster.abilities.produceVersion
    const request = [...topics.values()].map((topic) => ({
      name: topic.name,
      id: topic.id,
      batches: batches.filter((batch) => batch.topic === topic.name).map((batch) => this.#encoded(batch)),
    }))
    const connection = await this.#cluster.connection(leader, 'produce')
    const wanted = request.filter((topic) => topic.batches.length > 0)
    const results = await produce[version](connection, this.transactionalId, wanted)
    let failure: MillraceError | undefined
    for (const { topic, partition, errorCode, message } of results) {
      const batch = batches.find(
        (one) => one.partition === partition && (version === 13 ? topics.get(one.topic)?.id : one.topic) === topic,
      )
      if (batch === undefined) continue
      if (errorCode === KafkaCode.none || errorCode === KafkaCode.duplicateSequence) done.add(batch)
      else if (errorCode === KafkaCode.unknownTopicId) failure = topicGone(batch.topic, true)
      else failure ??= kafkaError(errorCode, `write to ${batch.topic}-${partition}`, message)
    }
    if (failure) throw failure
  }

  #encoded({ partition, draft, sequence }: TransactionBatch & { readonly sequence: number }): ProducedBatch {
    const producer = {
      producerId: Number(this.#producerId),
      producerEpoch: this.#producerEpoch,
      baseSequence: sequence,
    }
    return { partition, header: encodeProducedHeader(draft, producer, true), records: draft.records }
  }

  async #end(): Promise<void> {
    const version = this.#protocol === 2 ? 5 : 3
    const { next } = await this.#asked(`commit a transaction of ${this.transactionalId}`, async () => {
      const coordinator = await this.#cluster.coordinator('transaction', this.transactionalId)
      return endTransaction[version](coordinator, this.transactionalId, this.#producerId, this.#producerEpoch, true)
    })
    if (next === undefined) return
    this.#producerId = next.producerId
    this.#producerEpoch = next.producerEpoch
    this.#sequences.clear()
  }

  /** Markers of the transaction before may still be on their way (51), a fresh coordinator still loading (14 to 16): it is asked again. */
  #asked<T extends { readonly errorCode: number }>(what: string, ask: () => Promise<T>): Promise<T> {
    return retrying(
      async () => {
        const answer = await ask()
        if (answer.errorCode !== 0) throw kafkaError(answer.errorCode, what)
        return answer
      },
      { limitMs: LIMIT_MS },
    )
  }

  #sequence(batch: TransactionBatch): number {
    return this.#sequences.get(keyOf(batch)) ?? 0
  }

  #refresh(batches: readonly TransactionBatch[]): void {
    // Whoever asks next is told what is wrong.
    for (const { topic } of batches) this.#topics.refresh(topic).catch(() => {})
  }
}

const NOT_ATTEMPTED = 55

function passing(error: unknown): boolean {
  return error instanceof MillraceError && error.code === 'unavailable'
}

function keyOf({ topic, partition }: TransactionBatch): string {
  return `${topic}-${partition}`
}

/** Batches in turns: each holds at most one of a partition, and not more than a request takes. */
function rounds(batches: readonly TransactionBatch[]): TransactionBatch[][] {
  const result: { batches: TransactionBatch[]; keys: Set<string>; bytes: number }[] = []
  for (const batch of batches) {
    const last = result.at(-1)
    const bytes = batch.draft.records.length
    if (last && !last.keys.has(keyOf(batch)) && last.bytes + bytes <= REQUEST_BYTES_MAX) {
      last.batches.push(batch)
      last.keys.add(keyOf(batch))
      last.bytes += bytes
    } else result.push({ batches: [batch], keys: new Set([keyOf(batch)]), bytes })
  }
  return result.map((round) => round.batches)
}
