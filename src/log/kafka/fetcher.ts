import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '../../base/error.ts'
import type { EncodedRecords } from '../../batch/encoded-records.ts'
import { committedRecords, noRecords } from '../committed-records.ts'
import { FramePool } from '../frame-pool.ts'
import { decodeBatchHeader } from '../record-batch.ts'
import type { Cluster, Lane } from './cluster.ts'
import { type FetchedPartition, fetchRecords } from './fetch.ts'
import { KafkaCode, kafkaError, reactionTo } from './kafka-error.ts'
import { outOfRange, topicGone } from './reading-error.ts'
import type { KafkaTopic, Topics } from './topics.ts'

const WAIT_MS_MAX = 500
const ANSWER_BYTES_MAX = 8 << 20
/** Many times a batch: what is cut off at the end is sent again. */
const PARTITION_BYTES_MAX = 2 << 20
const PARTITION_BYTES_MIN = 256 << 10
/** Received and not yet taken, of all partitions. */
const HELD_BYTES_MAX = 64 << 20
const PAUSE_MS_MIN = 50
const PAUSE_MS_MAX = 1_000

/**
 * Reads partitions of one topic, each from any offset, as fast as they are taken: one fetch is under way at each broker, for all partitions that it
 * leads and of which little is waiting to be taken; leaving the others out is the back-pressure. The next fetch is on its way before the
 * answer is decoded. Follows leaders as they move, and waits for brokers that are away, for as long as it takes.
 */
export class Fetcher {
  readonly #cluster: Cluster
  readonly #topics: Topics
  #topic: KafkaTopic
  readonly #readings = new Set<Reading>()
  /** By the broker asked. */
  readonly #loops = new Map<number, Loop>()
  readonly #closing = new AbortController()
  readonly #lane: Lane
  readonly #frames = new FramePool()
  #heldBytes = 0
  #troubled = false

  constructor(cluster: Cluster, topics: Topics, topic: KafkaTopic) {
    this.#cluster = cluster
    this.#topics = topics
    this.#topic = topic
    this.#lane = cluster.newReadLane()
  }

  /**
   * Committed records from an offset up to another; waits at the end of the partition. The first may begin before `fromOffset`, the last end
   * behind `toOffset`. Pieces without records say that there is nothing to be seen up to their end. Throws `data-loss`.
   */
  async *read(
    partition: number,
    fromOffset: number,
    toOffset: number,
    signal: AbortSignal,
  ): AsyncGenerator<EncodedRecords> {
    const reading = this.#add(partition, fromOffset)
    let position = fromOffset
    let damaged = false
    const allocate = (sizeBytes: number): Uint8Array => this.#frames.take(sizeBytes)
    try {
      while (position < toOffset && !signal.aborted && !this.#closing.signal.aborted) {
        const fetched = reading.queue.shift()
        if (fetched === undefined) {
          if (reading.failure !== undefined) throw reading.failure
          await reading.changed(signal)
          continue
        }
        this.#took(reading, fetched)
        try {
          for (const records of committedRecords(fetched.bytes, fetched.aborted, this.#what(partition), allocate)) {
            if (records.endOffset <= position) continue
            if (signal.aborted || position >= toOffset) return
            if (records.baseOffset >= toOffset) {
              yield noRecords(position, toOffset)
              return
            }
            yield records.bytes.buffer === fetched.bytes.buffer
              ? this.#frames.hold(records)
              : this.#frames.owned(records)
            position = records.endOffset
          }
          damaged = false
        } catch (error) {
          // What was damaged on its way is whole the second time.
          if (damaged || !(error instanceof MillraceError) || error.code !== 'corrupt-data') throw error
          damaged = true
          this.#startOver(reading, position)
        } finally {
          this.#frames.release(fetched.bytes)
        }
      }
    } finally {
      this.#remove(reading)
    }
  }

  /** Ends all reading. */
  close(): void {
    this.#closing.abort()
    for (const reading of this.#readings) reading.wake()
    for (const loop of this.#loops.values()) loop.wake()
    this.#cluster.closeLane(this.#lane)
  }

  #add(partition: number, position: number): Reading {
    const reading = new Reading(partition, position, this.#leader(partition))
    this.#readings.add(reading)
    this.#serve(reading)
    return reading
  }

  #remove(reading: Reading): void {
    this.#readings.delete(reading)
    this.#drop(reading)
    reading.removed = true
    this.#wakeLoops()
  }

  #took(reading: Reading, { bytes }: FetchedPartition): void {
    reading.heldBytes -= bytes.length
    this.#heldBytes -= bytes.length
    this.#wakeLoops()
  }

  #startOver(reading: Reading, position: number): void {
    this.#drop(reading)
    reading.position = position
    reading.halted = false
    reading.generation++
    this.#wakeLoops()
  }

  #drop(reading: Reading): void {
    for (const { bytes } of reading.queue.splice(0)) this.#frames.release(bytes)
    this.#heldBytes -= reading.heldBytes
    reading.heldBytes = 0
  }

  #wakeLoops(): void {
    for (const loop of this.#loops.values()) loop.wake()
  }

  #leader(partition: number): number {
    return this.#topic.partitions[partition]?.leader ?? -1
  }

  /** Sees to it that somebody asks the reading's broker. */
  #serve(reading: Reading): void {
    const known = this.#loops.get(reading.leader)
    if (known) {
      known.wake()
      return
    }
    const loop: Loop = { node: reading.leader, turn: 0, pauseMs: 0, wake: () => {} }
    this.#loops.set(loop.node, loop)
    this.#run(loop).catch((error: unknown) => {
      this.#loops.delete(loop.node)
      for (const one of this.#readings) if (one.leader === loop.node) one.fail(error)
    })
  }

  async #run(loop: Loop): Promise<void> {
    // Those that begin in the same turn are asked for together, rather than behind a poll for the first of them.
    await setImmediate()
    while (!this.#closing.signal.aborted) {
      const mine = [...this.#readings].filter(({ leader }) => leader === loop.node)
      if (mine.length === 0) {
        this.#loops.delete(loop.node)
        return
      }
      const wanted = mine.filter((reading) => this.#wants(reading))
      if (wanted.length === 0) {
        await new Promise<void>((resolve) => {
          loop.wake = resolve
        })
        continue
      }
      const turn = loop.turn++ % wanted.length
      const fine = await this.#fetch(loop.node, [...wanted.slice(turn), ...wanted.slice(0, turn)])
      if (fine) {
        loop.pauseMs = 0
        continue
      }
      loop.pauseMs = Math.min(PAUSE_MS_MAX, 2 * loop.pauseMs || PAUSE_MS_MIN)
      await sleep(loop.pauseMs, undefined, { signal: this.#closing.signal }).catch(() => {})
      await this.#findLeaders()
    }
  }

  #wants(reading: Reading): boolean {
    if (reading.halted || reading.failure !== undefined) return false
    return reading.heldBytes === 0 || (reading.heldBytes < PARTITION_BYTES_MAX && this.#heldBytes < HELD_BYTES_MAX)
  }

  /** One fetch; false when leaders have to be found again. */
  async #fetch(node: number, readings: readonly Reading[]): Promise<boolean> {
    const share = Math.max(PARTITION_BYTES_MIN, Math.min(PARTITION_BYTES_MAX, HELD_BYTES_MAX / readings.length))
    const wishes = readings.map(({ partition, position }) => ({
      partition,
      offset: position,
      leaderEpoch: -1,
      bytesMax: share,
    }))
    const generations = readings.map(({ generation }) => generation)
    try {
      const connection = await this.#cluster.connection(node, this.#lane, this.#frames)
      const limits = { waitMsMax: WAIT_MS_MAX, bytesMin: 1, bytesMax: ANSWER_BYTES_MAX }
      const { errorCode, partitions } = await fetchRecords(connection, this.#topic.id, wishes, limits)
      if (errorCode !== 0) throw kafkaError(errorCode, `fetch ${this.#topic.name}`)
      this.#recovered()
      let fine = true
      for (const fetched of partitions) {
        const index = readings.findIndex(({ partition }) => partition === fetched.partition)
        const reading = readings[index]
        if (reading === undefined || reading.removed || reading.generation !== generations[index]) continue
        if (!(await this.#receive(reading, fetched))) fine = false
      }
      const filled = partitions.find(({ bytes }) => bytes.length > 0)
      if (filled) this.#frames.release(filled.bytes)
      return fine
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'unavailable') throw error
      this.#report(error)
      return false
    }
  }

  /** Takes what came of a partition; false when its leader has to be found again. */
  async #receive(reading: Reading, fetched: FetchedPartition): Promise<boolean> {
    const { errorCode, bytes } = fetched
    const what = this.#what(reading.partition)
    if (errorCode === KafkaCode.none) {
      if (bytes.length === 0) return true
      try {
        const end = endOfBatches(bytes, what)
        // Not one whole batch: once it is this partition's turn to come first, it gets that.
        if (end === undefined) return true
        reading.position = end
      } catch {
        // Whoever takes it meets the error at its place.
        reading.halted = true
      }
      reading.heldBytes += bytes.length
      this.#heldBytes += bytes.length
      this.#frames.retain(bytes)
      reading.queue.push(fetched)
      reading.wake()
      return true
    }
    if (errorCode === KafkaCode.offsetOutOfRange) {
      reading.fail(await outOfRange(this.#cluster, this.#topics, this.#topic.name, reading.partition, reading.position))
      return true
    }
    if (LOOK_AGAIN.includes(errorCode) || reactionTo(errorCode) !== 'fatal') return false
    if (errorCode === KafkaCode.corruptMessage && !reading.refetched) {
      reading.refetched = true
      return false
    }
    reading.fail(kafkaError(errorCode, `fetch ${what}`))
    return true
  }

  async #findLeaders(): Promise<void> {
    try {
      const topic = await this.#topics.refresh(this.#topic.name)
      if (topic?.id !== this.#topic.id) {
        for (const reading of this.#readings) reading.fail(topicGone(this.#topic.name, topic !== undefined))
        return
      }
      this.#topic = topic
      for (const reading of this.#readings) {
        const leader = this.#leader(reading.partition)
        if (leader < 0 || leader === reading.leader) continue
        reading.leader = leader
        this.#serve(reading)
      }
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'unavailable') throw error
      this.#report(error)
    }
  }

  #what(partition: number): string {
    return `${this.#topic.name}-${partition}`
  }

  #report(error: MillraceError): void {
    if (!this.#troubled && !this.#closing.signal.aborted) {
      this.#cluster.options.report?.(`reading ${this.#topic.name} waits for Kafka: ${error.message}`)
    }
    this.#troubled = true
  }

  #recovered(): void {
    if (this.#troubled) this.#cluster.options.report?.(`reading ${this.#topic.name} goes on`)
    this.#troubled = false
  }
}

/** The topic is gone, or this broker has not heard of it: only asking tells. */
const LOOK_AGAIN: readonly number[] = [
  KafkaCode.unknownTopicOrPartition,
  KafkaCode.unknownTopicId,
  KafkaCode.inconsistentTopicId,
]

interface Loop {
  readonly node: number
  turn: number
  pauseMs: number
  wake: () => void
}

/** One partition being read. */
class Reading {
  readonly partition: number
  /** Offset to be fetched next. */
  position: number
  leader: number
  readonly queue: FetchedPartition[] = []
  heldBytes = 0
  failure: unknown
  /** Nothing more is fetched until it starts over. */
  halted = false
  refetched = false
  removed = false
  /** Answers to wishes of an earlier one are not wanted any more. */
  generation = 0
  wake: () => void = () => {}

  constructor(partition: number, position: number, leader: number) {
    this.partition = partition
    this.position = position
    this.leader = leader
  }

  fail(error: unknown): void {
    this.failure ??= error
    this.wake()
  }

  /** Resolves when something has come, or when `signal` aborts. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.wake = done
      signal.addEventListener('abort', done, { once: true })
    })
  }
}

/** Offset behind the last whole batch; undefined when there is none. */
function endOfBatches(bytes: Uint8Array, what: string): number | undefined {
  let end: number | undefined
  for (let at = 0; ; ) {
    const header = decodeBatchHeader(bytes, at, what)
    if (header === undefined || header.sizeBytes > bytes.length - at) return end
    end = header.endOffset
    at += header.sizeBytes
  }
}
