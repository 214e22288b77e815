import type { EncodedRecords } from '../../batch/encoded-records.ts'
import { committedRecords } from '../committed-records.ts'
import type { AppendResult, Log, PartitionOffsets, RecordBatchDraft, TopicDescription, TopicSettings } from '../log.ts'
import { unknownPartition } from '../log-error.ts'
import { canonical, checkSameSettings, checkTopic } from '../topic-settings.ts'
import { configsOf, createKafkaTopic, deleteKafkaTopic, settingsOf, topicBytes } from './admin.ts'
import { Cluster } from './cluster.ts'
import type { FetchedPartition } from './fetch.ts'
import { Fetcher } from './fetcher.ts'
import type { KafkaOptions } from './kafka-options.ts'
import { askOffsets, type OffsetQuestion, partitionOffsets, publishGroupOffsets } from './offsets.ts'
import { Producer } from './producer.ts'
import { readOnce } from './read-once.ts'
import { TopicLabels } from './topic-labels.ts'
import { type KafkaTopic, Topics } from './topics.ts'
import { TransactionalProducer } from './transactional-producer.ts'

const WAIT_MS_MAX = 500

/** Connects to a cluster. Throws within seconds when no broker answers or none lets us in. */
export async function openKafkaLog(options: KafkaOptions): Promise<KafkaLog> {
  return new KafkaLog(await Cluster.connect(options))
}

/** The topics of a Kafka cluster. Read are committed records only; appended is exactly once, and durable in every copy in sync. */
export class KafkaLog implements Log {
  readonly kind = 'kafka'
  readonly name: string
  readonly cluster: Cluster
  readonly topics: Topics
  readonly #producer: Producer
  readonly #labels: TopicLabels
  readonly #closing = new AbortController()

  /** Use `openKafkaLog`. */
  constructor(cluster: Cluster) {
    this.cluster = cluster
    this.name = `Kafka cluster ${cluster.id}`
    this.topics = new Topics(cluster)
    this.#producer = new Producer(cluster, this.topics)
    this.#labels = new TopicLabels(cluster, this.topics, this)
  }

  /** Errors of appends that were overcome by sending again, how often each. */
  get troubles(): ReadonlyMap<string, number> {
    return this.#producer.troubles
  }

  async createTopic(topic: string, settings: TopicSettings): Promise<void> {
    checkTopic(topic, settings)
    const existing = await this.describeTopic(topic)
    if (existing) return checkSameSettings(topic, existing.settings, settings)
    const { labels } = canonical(settings)
    const existed = await createKafkaTopic(this.cluster, this.topics, topic, settings.partitions, configsOf(settings))
    if (existed) {
      const now = await this.describeTopic(topic)
      if (now) checkSameSettings(topic, now.settings, settings)
    } else if (labels) await this.#labels.write((await this.topics.get(topic)).id, labels)
  }

  /** With everything in it. */
  async deleteTopic(topic: string): Promise<void> {
    await deleteKafkaTopic(this.cluster, topic)
    await this.topics.refresh(topic)
  }

  async describeTopic(topic: string): Promise<TopicDescription | undefined> {
    const found = await this.topics.refresh(topic)
    return found && this.#describe(found)
  }

  async listTopics(): Promise<readonly TopicDescription[]> {
    const found = (await this.topics.list()).filter(({ name }) => !isOwn(name))
    return Promise.all(found.map((topic) => this.#describe(topic)))
  }

  append(topic: string, partition: number, draft: RecordBatchDraft): Promise<AppendResult> {
    return this.#producer.append(topic, partition, draft)
  }

  async read(
    topic: string,
    partition: number,
    fromOffset: number,
    bytesMax: number,
  ): Promise<readonly EncodedRecords[]> {
    const fetched = await this.#fetch(topic, partition, fromOffset, bytesMax, 0)
    const pieces = [...committedRecords(fetched.bytes, fetched.aborted, `${topic}-${partition}`)]
    return pieces.filter(({ endOffset }) => endOffset > fromOffset)
  }

  async offsets(topic: string, partition: number): Promise<PartitionOffsets> {
    await this.topics.get(topic, partition)
    const found = (await partitionOffsets(this.cluster, this.topics, topic)).at(partition)
    if (!found || partition < 0) throw unknownPartition(topic, partition)
    return found
  }

  /** Of every partition, by its number. Throws `unavailable` when nobody has answered for so long. */
  topicOffsets(topic: string, limitMs?: number): Promise<PartitionOffsets[]> {
    return partitionOffsets(this.cluster, this.topics, topic, limitMs)
  }

  /** An offset for each partition, by its number. */
  findOffsets(topic: string, question: OffsetQuestion): Promise<number[]> {
    return askOffsets(this.cluster, this.topics, topic, question)
  }

  /** Publishes positions under a consumer group, for tools that show how far it lags. Throws `unavailable` when that may pass. */
  publishOffsets(group: string, topic: string, positions: ReadonlyMap<number, number>): Promise<void> {
    return publishGroupOffsets(this.cluster, group, topic, positions)
  }

  async waitForRecords(topic: string, partition: number, offset: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#closing.signal.aborted) {
      const { stableOffset } = await this.#fetch(topic, partition, offset, 1, WAIT_MS_MAX)
      if (stableOffset > offset) return
    }
  }

  /**
   * Record batches from an offset on as the broker has them, with those of transactions that are open or were given up, and the markers of
   * transactions. Waits for half a second when there are none.
   */
  async readUndecided(topic: string, partition: number, offset: number, bytesMax: number): Promise<Uint8Array> {
    const wish = { topic, partition, offset, bytesMax, waitMsMax: WAIT_MS_MAX, undecided: true }
    return (await readOnce(this.cluster, this.topics, wish, this.#closing.signal)).bytes
  }

  /** Reads partitions of a topic side by side; close it when done. */
  fetcher(topic: KafkaTopic): Fetcher {
    return new Fetcher(this.cluster, this.topics, topic)
  }

  /** Writes sets of batches that become visible together, under an id that one process holds at a time. */
  transactionalProducer(transactionalId: string): TransactionalProducer {
    return new TransactionalProducer(this.cluster, this.topics, transactionalId)
  }

  /** Makes a topic of Millrace's own when it is missing. */
  async createInternalTopic(
    name: string,
    partitions: number,
    configs: Readonly<Record<string, string>>,
  ): Promise<void> {
    if (await this.topics.find(name)) return
    await createKafkaTopic(this.cluster, this.topics, name, partitions, configs)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.cluster.close()
  }

  async #describe(found: KafkaTopic): Promise<TopicDescription> {
    const [offsets, labels] = await Promise.all([
      partitionOffsets(this.cluster, this.topics, found.name),
      this.#labels.read(found.id),
    ])
    const settings = await settingsOf(this.cluster, found, labels)
    return { topic: found.name, id: found.id, settings, offsets, bytes: await topicBytes(this.cluster, found) }
  }

  #fetch(
    topic: string,
    partition: number,
    offset: number,
    bytesMax: number,
    waitMsMax: number,
  ): Promise<FetchedPartition> {
    const wish = { topic, partition, offset, bytesMax, waitMsMax }
    return readOnce(this.cluster, this.topics, wish, this.#closing.signal)
  }
}

/** Topics that Millrace keeps for itself. */
function isOwn(name: string): boolean {
  return name.startsWith('_millrace_')
}
