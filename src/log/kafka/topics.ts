import { MillraceError } from '../../base/error.ts'
import { unknownPartition } from '../log-error.ts'
import type { Cluster } from './cluster.ts'
import { KafkaCode, kafkaError } from './kafka-error.ts'

/** A topic as the cluster describes it. */
export interface KafkaTopic {
  readonly name: string
  /** A topic that was deleted and created again under its name has another. */
  readonly id: string
  readonly internal: boolean
  /** In their order. */
  readonly partitions: readonly { readonly leader: number; readonly leaderEpoch: number }[]
}

/** Who leads which partition, as last heard. */
export class Topics {
  readonly #cluster: Cluster
  readonly #known = new Map<string, KafkaTopic>()
  readonly #asking = new Map<string, Promise<KafkaTopic | undefined>>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** As last heard, else asked for; undefined when there is no such topic. */
  async find(name: string): Promise<KafkaTopic | undefined> {
    return this.#known.get(name) ?? this.refresh(name)
  }

  /** Throws `invalid-option` when there is no such topic or partition. */
  async get(name: string, partition?: number): Promise<KafkaTopic> {
    const topic = await this.find(name)
    if (!topic) throw unknownPartition(name)
    if (partition === undefined || topic.partitions[partition] !== undefined) return topic
    const now = await this.refresh(name)
    if (now?.partitions[partition] === undefined) throw unknownPartition(name, partition)
    return now
  }

  /** Asks the cluster; those who ask at the same time share the answer. */
  refresh(name: string): Promise<KafkaTopic | undefined> {
    const under = this.#asking.get(name)
    if (under) return under
    const asking = this.#ask(name).finally(() => this.#asking.delete(name))
    this.#asking.set(name, asking)
    return asking
  }

  /** All topics but those that Kafka keeps for itself. */
  async list(): Promise<KafkaTopic[]> {
    const { topics } = await this.#cluster.metadata(null)
    const found = topics.filter(({ errorCode, isInternal }) => errorCode === 0 && !isInternal).map(topicOf)
    for (const topic of found) this.#known.set(topic.name, topic)
    return found.toSorted((left, right) => (left.name < right.name ? -1 : 1))
  }

  async #ask(name: string): Promise<KafkaTopic | undefined> {
    const [found] = (await this.#cluster.metadata([name])).topics
    if (found === undefined || found.errorCode === KafkaCode.unknownTopicOrPartition) {
      this.#known.delete(name)
      return undefined
    }
    if (found.errorCode !== 0) throw kafkaError(found.errorCode, `describe topic ${name}`)
    const topic = topicOf(found)
    this.#known.set(name, topic)
    return topic
  }
}

/** The leader of a partition; throws `unavailable` while there is none. */
export function leaderOf(topic: KafkaTopic, partition: number): number {
  const leader = topic.partitions[partition]?.leader ?? -1
  if (leader >= 0) return leader
  throw new MillraceError('unavailable', `partition ${partition} of topic ${topic.name} has no leader`, {
    hint: 'the brokers that hold it are down: start them',
  })
}

function topicOf(found: {
  readonly name?: string | null | undefined
  readonly topicId: string
  readonly isInternal: boolean
  readonly partitions: readonly { partitionIndex: number; leaderId: number; leaderEpoch: number }[]
}): KafkaTopic {
  const partitions: KafkaTopic['partitions'][number][] = []
  for (const { partitionIndex, leaderId, leaderEpoch } of found.partitions) {
    partitions[partitionIndex] = { leader: leaderId, leaderEpoch }
  }
  return { name: found.name ?? '', id: found.topicId, internal: found.isInternal, partitions }
}
