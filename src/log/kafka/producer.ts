import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '../../base/error.ts'
import type { AppendResult, RecordBatchDraft } from '../log.ts'
import { misplaced } from '../log-error.ts'
import { encodeProducedHeader } from '../record-batch.ts'
import type { Cluster } from './cluster.ts'
import { KafkaCode, kafkaError, reactionTo } from './kafka-error.ts'
import { askOffsets } from './offsets.ts'
import { type ProducedTopic, type ProduceResult, produce } from './produce.ts'
import { topicGone } from './reading-error.ts'
import { retrying } from './retry.ts'
import { type KafkaTopic, leaderOf, type Topics } from './topics.ts'
import { initProducerId } from './wire.ts'

/** A batch that is not in the log after so long is given up. */
const DELIVERY_LIMIT_MS = 60_000
/** A broker takes 100 MiB at a time. */
const REQUEST_BYTES_MAX = 48 << 20
/** Different ones that are counted. */
const TROUBLES_MAX = 100
const PAUSE_MS_MIN = 20
const PAUSE_MS_MAX = 1_000

/**
 * Appends batches, each exactly once however often it has to be sent (KIP-98): batches carry the producer's id and a running number
 * per partition, by which the broker knows again what it has. Of each partition one batch is under way at a time, so that their order holds;
 * batches of partitions with the same leader share requests.
 */
export class Producer {
  readonly #cluster: Cluster
  readonly #topics: Topics
  readonly #lanes = new Map<string, Lane>()
  readonly #awake = new Set<Lane>()
  #identity: Promise<ProducerIdentity> | undefined
  #pumping = false
  /** Errors that were overcome by sending again, how often each. */
  readonly troubles: Map<string, number> = new Map()

  constructor(cluster: Cluster, topics: Topics) {
    this.#cluster = cluster
    this.#topics = topics
  }

  /**
   * Resolves when the batch is in the log. Calls for one partition are served in order. A broker cannot be told where a batch has to go: when
   * another producer has just taken the place that the draft names, this rejects, and the batch is in the log behind it all the same.
   */
  async append(topic: string, partition: number, draft: RecordBatchDraft): Promise<AppendResult> {
    const { id } = await this.#topics.get(topic, partition)
    const key = `${topic}-${partition}`
    const lane = this.#lanes.get(key) ?? {
      topic,
      topicId: id,
      partition,
      queue: [],
      busy: false,
      sequence: 0,
      endOffset: undefined,
      pauseMs: 0,
    }
    this.#lanes.set(key, lane)
    return new Promise((resolve, reject) => {
      if (lane.failure !== undefined) return reject(lane.failure)
      lane.queue.push({ draft, giveUpAtMs: performance.now() + DELIVERY_LIMIT_MS, resolve, reject })
      this.#wake(lane)
    })
  }

  #wake(lane: Lane): void {
    if (lane.busy || lane.queue.length === 0) return
    this.#awake.add(lane)
    if (this.#pumping) return
    this.#pumping = true
    // What is appended in the same turn shares requests.
    queueMicrotask(() => {
      this.#pumping = false
      const lanes = [...this.#awake]
      this.#awake.clear()
      for (const one of lanes) one.busy = true
      this.#dispatch(lanes).catch((error: unknown) => {
        for (const one of lanes) this.#break(one, error)
      })
    })
  }

  async #dispatch(lanes: readonly Lane[]): Promise<void> {
    const identity = await this.#whoAmI()
    const byLeader = new Map<number, Lane[]>()
    for (const lane of lanes) {
      try {
        const topic = await this.#topics.get(lane.topic, lane.partition)
        if (topic.id !== lane.topicId) throw topicGone(lane.topic, true)
        await this.#refuseMisplaced(lane)
        if (lane.queue.length === 0) {
          lane.busy = false
          continue
        }
        const leader = leaderOf(topic, lane.partition)
        byLeader.set(leader, [...(byLeader.get(leader) ?? []), lane])
      } catch (error) {
        this.#failed(lane, error)
      }
    }
    for (const [leader, led] of byLeader) {
      for (const some of portions(led)) void this.#send(leader, some, identity)
    }
  }

  /** Refuses the first batches that are for another place than where the partition ends. */
  async #refuseMisplaced(lane: Lane): Promise<void> {
    for (;;) {
      const first = lane.queue.at(0)
      const wanted = first?.draft.baseOffset
      if (first === undefined || wanted === undefined || wanted === lane.endOffset) return
      const ends = await askOffsets(this.#cluster, this.#topics, lane.topic, 'written-end')
      lane.endOffset = ends[lane.partition]
      const problem = misplaced(`${lane.topic}-${lane.partition}`, first.draft, lane.endOffset)
      if (problem === undefined) return
      lane.queue.shift()
      first.reject(problem)
    }
  }

  /** One request, with the first batch of each lane. Never rejects. */
  async #send(leader: number, lanes: readonly Lane[], identity: ProducerIdentity): Promise<void> {
    try {
      const connection = await this.#cluster.connection(leader, 'produce')
      const topics = await Promise.all(
        [...new Set(lanes.map(({ topic }) => topic))].map(async (name) => this.#topics.get(name)),
      )
      const request = topics.map((topic) => produced(topic, lanes, identity))
      const results = await produce[this.#cluster.abilities.produceVersion](connection, null, request)
      for (const lane of lanes) {
        const topicKey = this.#cluster.abilities.produceVersion === 13 ? lane.topicId : lane.topic
        const result = results.find(({ topic, partition }) => topic === topicKey && partition === lane.partition)
        if (result === undefined) this.#failed(lane, noAnswer(lane))
        else this.#answered(lane, result)
      }
    } catch (error) {
      for (const lane of lanes) this.#failed(lane, error)
    }
  }

  #answered(lane: Lane, { errorCode, baseOffset, appendTimestamp, message }: ProduceResult): void {
    if (errorCode !== KafkaCode.none && errorCode !== KafkaCode.duplicateSequence) {
      const looksGone = errorCode === KafkaCode.unknownTopicOrPartition || errorCode === KafkaCode.unknownTopicId
      const error = kafkaError(errorCode, `append to ${lane.topic}-${lane.partition}`, message)
      if (looksGone || reactionTo(errorCode) !== 'fatal') this.#again(lane, error)
      else this.#refused(lane, error)
      return
    }
    const sent = lane.queue.shift()
    if (sent) {
      const { draft } = sent
      lane.sequence = (lane.sequence + draft.recordCount) % 2 ** 31
      // Of a batch that it has had for long a broker does not say where it is.
      const place = baseOffset < 0 ? (draft.baseOffset ?? -1) : baseOffset
      lane.endOffset = place < 0 ? undefined : place + draft.recordCount
      const problem = misplaced(`${lane.topic}-${lane.partition}`, draft, place)
      if (problem) sent.reject(problem)
      else
        sent.resolve({ baseOffset: place, appendTimestamp: appendTimestamp < 0 ? draft.maxTimestamp : appendTimestamp })
    }
    lane.pauseMs = 0
    lane.busy = false
    this.#wake(lane)
  }

  #failed(lane: Lane, error: unknown): void {
    if (error instanceof MillraceError && error.code === 'unavailable') this.#again(lane, error)
    else this.#break(lane, error)
  }

  /** Sends the same once more, to whoever leads the partition then. */
  #again(lane: Lane, error: MillraceError): void {
    if (performance.now() > (lane.queue[0]?.giveUpAtMs ?? 0)) {
      this.#break(lane, error)
      return
    }
    if (this.troubles.size < TROUBLES_MAX) this.troubles.set(error.message, (this.troubles.get(error.message) ?? 0) + 1)
    lane.pauseMs = Math.min(PAUSE_MS_MAX, 2 * lane.pauseMs || PAUSE_MS_MIN)
    void this.#resume(lane)
  }

  /** Never rejects: a cluster that cannot be asked is asked again. */
  async #resume(lane: Lane): Promise<void> {
    await sleep(lane.pauseMs)
    const topic = await this.#topics.refresh(lane.topic).catch(() => undefined)
    if (topic && topic.id !== lane.topicId) {
      this.#break(lane, topicGone(lane.topic, true))
      return
    }
    lane.busy = false
    this.#wake(lane)
  }

  /** The broker has looked at the batch and does not take it: those behind it take its numbers. */
  #refused(lane: Lane, error: unknown): void {
    lane.queue.shift()?.reject(error)
    lane.busy = false
    this.#wake(lane)
  }

  /** Whether the batch is in the log cannot be known any more, so nothing can follow it. */
  #break(lane: Lane, error: unknown): void {
    lane.failure = error
    for (const { reject } of lane.queue.splice(0)) reject(error)
    lane.busy = false
  }

  #whoAmI(): Promise<ProducerIdentity> {
    this.#identity ??= retrying(
      async () => {
        const answer = await initProducerId(await this.#cluster.any(), null, DELIVERY_LIMIT_MS, -1n, -1)
        if (answer.errorCode !== 0) throw kafkaError(answer.errorCode, 'get a producer id')
        return { producerId: Number(answer.producerId), producerEpoch: answer.producerEpoch }
      },
      { limitMs: DELIVERY_LIMIT_MS },
    )
    return this.#identity
  }
}

interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

interface Lane {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly queue: {
    readonly draft: RecordBatchDraft
    readonly giveUpAtMs: number
    readonly resolve: (result: AppendResult) => void
    readonly reject: (error: unknown) => void
  }[]
  /** Its first batch is under way. */
  busy: boolean
  /** Number of the first record of the next batch. */
  sequence: number
  /** Where the next batch goes if nobody else writes; undefined while that is not known. */
  endOffset: number | undefined
  pauseMs: number
  failure?: unknown
}

function produced(topic: KafkaTopic, lanes: readonly Lane[], identity: ProducerIdentity): ProducedTopic {
  const batches = lanes
    .filter((lane) => lane.topic === topic.name)
    .map(({ queue, partition, sequence }) => {
      const { draft } = queue[0]
      const header = encodeProducedHeader(draft, { ...identity, baseSequence: sequence }, false)
      return { partition, header, records: draft.records }
    })
  return { name: topic.name, id: topic.id, batches }
}

/** Lanes whose first batches fit into one request. */
function portions(lanes: readonly Lane[]): Lane[][] {
  const result: Lane[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const lane of lanes) {
    const batchBytes = lane.queue[0]?.draft.records.length ?? 0
    if (bytes + batchBytes > REQUEST_BYTES_MAX) {
      result.push([])
      bytes = 0
    }
    result.at(-1)?.push(lane)
    bytes += batchBytes
  }
  return result
}

function noAnswer({ topic, partition }: Lane): MillraceError {
  return new MillraceError('corrupt-data', `the broker says nothing about the batch for ${topic}-${partition}`, {
    hint: 'look at the log of the broker',
  })
}
