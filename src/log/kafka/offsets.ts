import type { PartitionOffsets } from '../log.ts'
import type { Cluster } from './cluster.ts'
import { kafkaError, reactionTo } from './kafka-error.ts'
import { retrying } from './retry.ts'
import { type KafkaTopic, leaderOf, type Topics } from './topics.ts'
import { listOffsets, offsetCommit } from './wire.ts'

/** For asking a cluster that is there. */
const ASK_LIMIT_MS = 9_000

/** Where a time, ms, begins in a partition; or one of its ends: `written-end` is also behind what is not committed yet. */
export type OffsetQuestion = 'start' | 'end' | 'written-end' | { readonly timeMs: number }

/**
 * Offsets of all partitions of a topic. `end` is that of committed records; of a time it is the first record's that is not older, and the end
 * when all are.
 */
export async function askOffsets(
  cluster: Cluster,
  topics: Topics,
  topic: string,
  question: OffsetQuestion,
  limitMs: number = ASK_LIMIT_MS,
): Promise<number[]> {
  const found = await retrying(async () => askOnce(cluster, await topics.get(topic), question), {
    limitMs,
    onError: () => {
      // Whoever asks next is told what is wrong.
      topics.refresh(topic).catch(() => {})
    },
  })
  if (typeof question === 'string' || !found.includes(-1)) return found
  const ends = await askOffsets(cluster, topics, topic, 'end', limitMs)
  return found.map((offset, partition) => (offset === -1 ? ends[partition] : offset))
}

/** First and behind-the-last offset of each partition of a topic, as a reader of committed records sees them. */
export async function partitionOffsets(
  cluster: Cluster,
  topics: Topics,
  topic: string,
  limitMs: number = ASK_LIMIT_MS,
): Promise<PartitionOffsets[]> {
  const [starts, ends] = await Promise.all([
    askOffsets(cluster, topics, topic, 'start', limitMs),
    askOffsets(cluster, topics, topic, 'end', limitMs),
  ])
  return starts.map((start, partition) => ({ start, end: ends[partition] ?? start }))
}

/** Publishes positions under a consumer group, for tools that show how far it lags. Throws `unavailable` when that may pass. */
export async function publishGroupOffsets(
  cluster: Cluster,
  group: string,
  topic: string,
  positions: ReadonlyMap<number, number>,
): Promise<void> {
  const partitions = [...positions].map(([partitionIndex, offset]) => ({
    partitionIndex,
    committedOffset: BigInt(offset),
    committedLeaderEpoch: -1,
    committedMetadata: null,
  }))
  const coordinator = await cluster.coordinator('group', group)
  const response = await offsetCommit(coordinator, group, -1, '', null, [{ name: topic, partitions }])
  const code = response.topics.flatMap((one) => one.partitions).find(({ errorCode }) => errorCode !== 0)?.errorCode
  if (code !== undefined) throw kafkaError(code, `publish offsets of group ${group}`)
}

async function askOnce(cluster: Cluster, topic: KafkaTopic, question: OffsetQuestion): Promise<number[]> {
  const timestamp = typeof question === 'object' ? BigInt(question.timeMs) : question === 'start' ? EARLIEST : LATEST
  const isolation = question === 'written-end' ? READ_UNCOMMITTED : READ_COMMITTED
  const byLeader = new Map<number, number[]>()
  for (const partition of topic.partitions.keys()) {
    const leader = leaderOf(topic, partition)
    byLeader.set(leader, [...(byLeader.get(leader) ?? []), partition])
  }
  const offsets: number[] = []
  await Promise.all(
    [...byLeader].map(async ([leader, partitions]) => {
      const wishes = partitions.map((partitionIndex) => ({ partitionIndex, currentLeaderEpoch: -1, timestamp }))
      const connection = await cluster.connection(leader, 'control')
      const [answer] = (await listOffsets(connection, -1, isolation, [{ name: topic.name, partitions: wishes }])).topics
      for (const { partitionIndex, errorCode, offset } of answer?.partitions ?? []) {
        if (errorCode !== 0) throw offsetError(errorCode, `${topic.name}-${partitionIndex}`)
        offsets[partitionIndex] = Number(offset)
      }
    }),
  )
  return offsets
}

const READ_UNCOMMITTED = 0
const READ_COMMITTED = 1
const EARLIEST = -2n
const LATEST = -1n

/** Right after a topic was made, not every broker has heard of it. */
function offsetError(code: number, partition: string): Error {
  return kafkaError(reactionTo(code) === 'fatal' && code === 3 ? 5 : code, `ask for offsets of ${partition}`)
}
