import type { Cluster } from './cluster.ts'
import { kafkaError } from './kafka-error.ts'
import { describeConfigs } from './wire.ts'

/** A setting of a topic. */
export interface TopicConfig {
  readonly value: string | null
  /** Set for this topic, rather than the broker's default. */
  readonly own: boolean
}

/** The settings of a topic that is there, by their Kafka names. */
export async function topicConfigs(cluster: Cluster, topic: string): Promise<ReadonlyMap<string, TopicConfig>> {
  const resource = { resourceType: TOPIC_RESOURCE, resourceName: topic, configurationKeys: null } as const
  const { results } = await cluster.asking(async () => describeConfigs(await cluster.any(), [resource], false, false))
  const [result] = results
  if (result.errorCode !== 0) throw kafkaError(result.errorCode, `describe topic ${topic}`, result.errorMessage)
  return new Map(
    result.configs.map(({ name, value, configSource }) => [
      name,
      { value: value ?? null, own: configSource === DYNAMIC_TOPIC_CONFIG },
    ]),
  )
}

const TOPIC_RESOURCE = 2
const DYNAMIC_TOPIC_CONFIG = 1
