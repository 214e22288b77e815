import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '../../base/error.ts'
import type { TopicSettings } from '../log.ts'
import type { Cluster } from './cluster.ts'
import { KafkaCode, kafkaError } from './kafka-error.ts'
import { retrying } from './retry.ts'
import { topicConfigs } from './topic-configs.ts'
import type { KafkaTopic, Topics } from './topics.ts'
import { createTopics, deleteTopics, describeLogDirs } from './wire.ts'

const TIMEOUT_MS = 10_000
const BROKER_DEFAULT = -1

/** Creates a topic and waits until all of it has leaders; true when it was there already. */
export async function createKafkaTopic(
  cluster: Cluster,
  topics: Topics,
  name: string,
  partitions: number,
  configs: Readonly<Record<string, string>>,
): Promise<boolean> {
  const request = {
    name,
    numPartitions: partitions,
    replicationFactor: BROKER_DEFAULT,
    assignments: [],
    configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
  }
  const existed = await retrying(
    async () => {
      const [result] = (await createTopics(await cluster.any(), [request], TIMEOUT_MS, false)).topics
      if (result.errorCode === KafkaCode.topicAlreadyExists) return true
      if (result.errorCode !== 0) throw kafkaError(result.errorCode, `create topic ${name}`, result.errorMessage)
      return false
    },
    { limitMs: TIMEOUT_MS },
  )
  await untilLed(topics, name)
  return existed
}

/** Deletes a topic with everything in it. */
export async function deleteKafkaTopic(cluster: Cluster, name: string): Promise<void> {
  const [result] = (await deleteTopics(await cluster.any(), [{ name }], TIMEOUT_MS)).responses
  if (result.errorCode !== 0) throw kafkaError(result.errorCode, `delete topic ${name}`, result.errorMessage)
}

/** Our settings as Kafka's. */
export function configsOf({ retentionMs, retentionBytesMax, segmentBytesMax }: TopicSettings): Record<string, string> {
  return {
    ...(retentionMs !== undefined && { 'retention.ms': String(retentionMs) }),
    ...(retentionBytesMax !== undefined && { 'retention.bytes': String(retentionBytesMax) }),
    ...(segmentBytesMax !== undefined && { 'segment.bytes': String(segmentBytesMax) }),
  }
}

/** What a topic was made with, as far as its own settings tell. */
export async function settingsOf(
  cluster: Cluster,
  topic: KafkaTopic,
  labels: TopicSettings['labels'],
): Promise<TopicSettings> {
  const configs = await topicConfigs(cluster, topic.name)
  const own = (name: string): number | undefined => {
    const config = configs.get(name)
    const value = Number(config?.value)
    return config?.own && value > 0 ? value : undefined
  }
  const retentionMs = own('retention.ms')
  const retentionBytesMax = own('retention.bytes')
  const segmentBytesMax = own('segment.bytes')
  return {
    partitions: topic.partitions.length,
    ...(labels && { labels }),
    ...(segmentBytesMax !== undefined && { segmentBytesMax }),
    ...(retentionBytesMax !== undefined && { retentionBytesMax }),
    ...(retentionMs !== undefined && { retentionMs }),
  }
}

/** A topic that was just created is not known everywhere at once. */
async function untilLed(topics: Topics, name: string): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS
  for (;;) {
    const topic = await topics.refresh(name)
    const led = topic?.partitions.every(({ leader }) => leader >= 0) ?? false
    if (led) return
    if (performance.now() > deadline) {
      throw new MillraceError(
        'unavailable',
        `topic ${name} was created, but has no leaders after ${TIMEOUT_MS / 1000} s`,
        {
          hint: 'look at the state of the brokers',
        },
      )
    }
    await sleep(20)
  }
}

/** Size of a topic on disk, one copy of it. */
export function topicBytes(cluster: Cluster, topic: KafkaTopic): Promise<number> {
  return cluster.asking(() => askBytes(cluster, topic))
}

async function askBytes(cluster: Cluster, topic: KafkaTopic): Promise<number> {
  const sizes = new Map<number, number>()
  for (const connection of await cluster.each()) {
    for (const { topics } of (
      await describeLogDirs(connection, [{ name: topic.name, partitions: [...topic.partitions.keys()] }])
    ).results) {
      for (const { partitionIndex, partitionSize } of topics.flatMap((one) => one.partitions)) {
        sizes.set(partitionIndex, Math.max(sizes.get(partitionIndex) ?? 0, Number(partitionSize)))
      }
    }
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}
