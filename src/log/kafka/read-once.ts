import type { Cluster } from './cluster.ts'
import { type FetchedPartition, fetchRecords } from './fetch.ts'
import { KafkaCode, kafkaError } from './kafka-error.ts'
import { outOfRange } from './reading-error.ts'
import { retrying } from './retry.ts'
import { leaderOf, type Topics } from './topics.ts'

const LIMIT_MS = 9_000
const ANSWER_BYTES_MAX = 64 << 20

/** What to read, and how long to wait for it. */
export interface ReadWish {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** The first batch comes even when it is larger. */
  readonly bytesMax: number
  readonly waitMsMax: number
  /** Also records of transactions that are still open, or were given up. */
  readonly undecided?: boolean
}

/** One answer of a partition's leader. Throws `data-loss` when the offset is not there, `invalid-option` when the topic is not. */
export function readOnce(
  cluster: Cluster,
  topics: Topics,
  wish: ReadWish,
  signal: AbortSignal,
): Promise<FetchedPartition> {
  const { topic: name, partition, offset } = wish
  const ask = async (): Promise<FetchedPartition> => {
    const topic = await topics.get(name, partition)
    // A connection of this kind answers one request after the other: who waits must not hold up the rest.
    const connection = await cluster.connection(leaderOf(topic, partition), wish.waitMsMax > 0 ? 'wait' : 'control')
    const wishes = [{ partition, offset, leaderEpoch: -1, bytesMax: wish.bytesMax }]
    const { waitMsMax, undecided = false } = wish
    const limits = { waitMsMax, bytesMin: 1, bytesMax: ANSWER_BYTES_MAX, undecided }
    const answer = await fetchRecords(connection, topic.id, wishes, limits)
    const [fetched] = answer.partitions
    const code = fetched?.errorCode ?? answer.errorCode
    if (code === KafkaCode.offsetOutOfRange) throw await outOfRange(cluster, topics, name, partition, offset)
    if (code !== 0) throw kafkaError(LOOK_AGAIN[code] ?? code, `read ${name}-${partition}`)
    return fetched
  }
  return retrying(ask, {
    limitMs: LIMIT_MS,
    signal,
    onError: () => {
      // Whoever asks next is told what is wrong.
      topics.refresh(name).catch(() => {})
    },
  })
}

/** A topic that was just made, or made anew, is not known to every broker: look who leads it. */
const LOOK_AGAIN: Readonly<Record<number, number>> = { 3: 5, 100: 5, 103: 5 }
