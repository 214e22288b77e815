import { MillraceError } from '../base/error.ts'
import type { KafkaLog } from '../log/kafka/kafka-log.ts'
import type { LogSourceSpec } from '../plan/connectors.ts'
import type { Source, SourceOffsets, SourcePartition } from './source.ts'
import { type TopicWait, waitForTopic } from './topic-wait.ts'

/** Once it runs, a job that asks for offsets must not wait for them. */
const LATER_LIMIT_MS = 1_500
/** What may pass is not spoken of for so long. */
const LAG_QUIET_MS = 30_000

/**
 * A topic of a Kafka cluster: committed records of every partition, followed as it grows. A partition's fingerprint is the topic's
 * id, so that a checkpoint is refused when the topic was created anew.
 */
export async function kafkaSource(spec: LogSourceSpec, log: KafkaLog, wait: TopicWait = {}): Promise<Source> {
  const { topic } = spec
  const finder = {
    where: `on ${log.name}`,
    find: (name: string) => log.topics.refresh(name),
    names: async () => (await log.topics.list()).map(({ name }) => name),
  }
  const { id } = await waitForTopic(topic, finder, wait)
  const fetcher = log.fetcher(await log.topics.get(topic))
  /** Partitions that are found later are new: all that is in them came after the start. */
  let begun: readonly number[] | undefined
  let offsetsLimitMs: number | undefined
  return {
    identity: `topic ${topic} of ${log.name}`,
    bounded: false,
    async partitions(): Promise<SourcePartition[]> {
      const starts = await log.findOffsets(topic, 'start')
      begun ??=
        spec.fromTimeMs !== undefined
          ? await log.findOffsets(topic, { timeMs: spec.fromTimeMs })
          : spec.from === 'latest'
            ? await log.findOffsets(topic, 'end')
            : starts
      return starts.map((start, partition) => ({
        id: `${topic}-${partition}`,
        startOffset: begun?.[partition] ?? start,
        fingerprint: id,
      }))
    },
    read: (partitionId, fromOffset, toOffset, signal) =>
      fetcher.read(Number(partitionId.slice(topic.length + 1)), fromOffset, toOffset, signal),
    async offsets() {
      const offsets = await log.topicOffsets(topic, offsetsLimitMs)
      offsetsLimitMs = LATER_LIMIT_MS
      return new Map<string, SourceOffsets>(
        offsets.map(({ start, end }, partition) => [`${topic}-${partition}`, { start, end }]),
      )
    },
    publish: publisher(topic, log),
    async close() {
      fetcher.close()
    },
  }
}

/**
 * What is in the way is said once, and stops nobody: a group with members of its own refuses foreign offsets. A broker that has
 * just been started finds no coordinator for some seconds, which is worth no word.
 */
function publisher(topic: string, log: KafkaLog): NonNullable<Source['publish']> {
  const published = new Map<number, number>()
  let told = false
  let troubledSinceMs: number | undefined
  return async (group, positions) => {
    const changed = [...positions]
      .map(([id, position]) => [Number(id.slice(topic.length + 1)), position] as const)
      .filter(([partition, position]) => published.get(partition) !== position)
    if (changed.length === 0) return
    try {
      await log.publishOffsets(group, topic, new Map(changed))
      for (const [partition, position] of changed) published.set(partition, position)
      troubledSinceMs = undefined
    } catch (error) {
      const nowMs = performance.now()
      troubledSinceMs ??= nowMs
      const passing = error instanceof MillraceError && error.code === 'unavailable'
      if (told || (passing && nowMs - troubledSinceMs < LAG_QUIET_MS)) return
      told = true
      log.cluster.options.report?.(`lag is not shown: ${error instanceof Error ? error.message : error}`)
    }
  }
}
