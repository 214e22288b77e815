import { setImmediate } from 'node:timers/promises'
import { compareBytes } from '../base/bytes.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { MillraceError } from '../base/error.ts'
import { MS_PER_MINUTE } from '../base/time.ts'
import type { Log, TopicDescription, TopicSettings } from '../log/log.ts'
import type { RecordBatchBuilder } from '../log/record-batch-builder.ts'
import { BatchSender } from './batch-sender.ts'
import { EVENT_ROOM_BYTES, EventWriter, type RowWriter } from './event-writer.ts'
import { type GeneratedEvent, INVALID, MALFORMED } from './generated-event.ts'
import { lastValue } from './last-value.ts'
import { type Origin, openTopic, originOf } from './origin.ts'
import { RowSequence } from './row-sequence.ts'
import type { GeneratorSettings } from './settings.ts'
import type { Shape } from './shape.ts'
import { ShapedWriter } from './shaped-writer.ts'
import { USER_ID_BYTES, writeUserId } from './user-key.ts'

/** How fast to generate, until when, and who wants to hear about it. */
export interface LoadOptions {
  /**
   * `schedule` (default): each event when it is due, after a stall as fast as possible until it has caught up;
   * `flat-out`: as fast as possible, so that event time runs ahead of the clock.
   */
  readonly pace?: 'schedule' | 'flat-out'
  /** Ends after so many rows of this run, so many bytes of their values, or so long; without any, only `signal` ends it. */
  readonly rows?: number
  readonly bytes?: number
  readonly durationMs?: number
  /** Ends the run early: what was begun is sent, nothing is lost. */
  readonly signal?: AbortSignal
  /** Called every two seconds, and once at the end. */
  readonly onProgress?: (progress: LoadProgress) => void
  /** On schedule, rows wait so long at most for others to share their batch. */
  readonly lingerMs?: number
  /** A batch is sent when it has this size. */
  readonly batchBytes?: number
  /** Further off than this (after a long pause or stall, or a flat-out run) the schedule is moved instead of caught up with. */
  readonly catchUpMaxMs?: number
  /** When event 0 of a new topic happens; now by default. */
  readonly startTimeMs?: number
  /** For a new topic. */
  readonly topicSettings?: Omit<TopicSettings, 'partitions' | 'labels'>
  /** Of the events of a new topic, when they are those of a source system. */
  readonly shape?: Shape
  readonly clock?: Clock
}

/** How far a run has come. */
export interface LoadProgress {
  /** Of this run, as are `bytes` and `elapsedMs`. */
  readonly rows: number
  /** Of the values alone: JSON without framing. */
  readonly bytes: number
  readonly elapsedMs: number
  /** Since the last report. */
  readonly eventsPerSecond: number
  readonly megabytesPerSecond: number
  /** How far the clock is ahead of event time; negative in flat-out runs. */
  readonly behindMs: number
}

/** What a run has done. */
export interface LoadResult {
  readonly origin: Origin
  readonly rows: number
  readonly bytes: number
  readonly elapsedMs: number
  readonly endedBy: 'rows' | 'bytes' | 'duration' | 'signal'
}

const PROGRESS_INTERVAL_MS = 2_000
/** Rows between two looks at the clock and the signal: a few milliseconds. */
const TURN_ROWS = 4_096
/** A first guess, for the size of buffers. */
const EVENT_BYTES = 400

/**
 * Generates into a topic, which is created when it is missing, until an option says stop. In a topic that the generator has made it goes
 * on where the partitions end, however unevenly a crash has cut them: each row of the sequence is in the log exactly once. That takes
 * that nobody else writes to the topic, neither other producers nor a second generator.
 *
 * Settings are those that the topic was made with. Throws `incompatible-state` when others are given, or when the last record of a
 * partition is not the sequence's. An append that fails ends the run with its error: calling again goes on.
 */
export async function generateInto(
  log: Log,
  topic: string,
  settings: GeneratorSettings | undefined,
  options: LoadOptions = {},
): Promise<LoadResult> {
  const clock = options.clock ?? systemClock
  const startTimeMs = options.startTimeMs ?? clock.now()
  const description = await openTopic(log, topic, settings, startTimeMs, options.topicSettings, options.shape)
  return new Load(log, description, options, clock).run()
}

/** One run of the generator. */
class Load {
  readonly #log: Log
  readonly #topic: string
  readonly #options: LoadOptions
  readonly #clock: Clock
  readonly #origin: Origin
  readonly #sequence: RowSequence
  readonly #writer: RowWriter
  readonly #sender: BatchSender
  readonly #key = new Uint8Array(USER_ID_BYTES)
  readonly #keyView = new DataView(this.#key.buffer)
  /** By partition: offset of the next row of the sequence, and of the first one that the log does not hold. */
  readonly #positions: Float64Array
  readonly #ends: Float64Array
  readonly #lastValues: (Uint8Array | undefined)[] = []
  readonly #lingerMs: number
  readonly #batchBytes: number
  readonly #catchUpMaxMs: number
  readonly #startMs: number
  /** How much later than by the sequence events are sent. */
  #delayMs = 0
  #rows = 0
  #bytes = 0
  #reported = { timeMs: 0, rows: 0, bytes: 0 }

  constructor(log: Log, description: TopicDescription, options: LoadOptions, clock: Clock) {
    this.#log = log
    this.#topic = description.topic
    this.#options = options
    this.#clock = clock
    this.#origin = originOf(description)
    const { settings, startTimeMs, shape } = this.#origin
    this.#sequence = new RowSequence(settings, startTimeMs)
    this.#writer = shape ? new ShapedWriter(shape, settings) : new EventWriter(settings)
    this.#lingerMs = options.lingerMs ?? 20
    this.#catchUpMaxMs = options.catchUpMaxMs ?? 10 * MS_PER_MINUTE
    this.#batchBytes = options.batchBytes ?? 256 * 1024
    this.#positions = new Float64Array(settings.partitions)
    this.#ends = Float64Array.from(description.offsets, ({ end }) => end)
    this.#sender = new BatchSender(log, this.#topic, this.#ends, this.#bufferBytes())
    this.#startMs = clock.now()
    this.#reported.timeMs = this.#startMs
  }

  async run(): Promise<LoadResult> {
    try {
      const endedBy = this.#ending() ?? (await this.#generate())
      await this.#sender.sendAll()
      await this.#sender.settle()
      this.#reportProgress(0)
      const elapsedMs = this.#clock.now() - this.#startMs
      return { origin: this.#origin, rows: this.#rows, bytes: this.#bytes, elapsedMs, endedBy }
    } finally {
      await this.#sender.settle() // Also when something else failed: nobody appends behind the caller's back.
    }
  }

  async #generate(): Promise<LoadResult['endedBy']> {
    await this.#resume()
    for (;;) {
      const endedBy = this.#ending()
      if (endedBy !== undefined) return endedBy
      const onSchedule = await this.#turn()
      this.#reportProgress(PROGRESS_INTERVAL_MS)
      if (onSchedule) {
        await this.#sender.sendAll()
        await this.#clock.sleep(this.#lingerMs, this.#options.signal)
      } else await setImmediate()
    }
  }

  /** Walks to the first row that is not in the log, writes it, and looks whether it is far too early. */
  async #resume(): Promise<void> {
    if (this.#ends.some((end) => end > 0)) {
      await this.#readLastValues()
      while (this.#rows === 0 && !this.#options.signal?.aborted) {
        for (let count = 0; count < TURN_ROWS && this.#rows === 0; count++) this.#writeRow(this.#clock.now())
        await setImmediate()
      }
    }
    // A flat-out run may have left event time far ahead, but the next event of a slow schedule is always some way off.
    const aheadMs = -this.#behindMs() - 1000 / this.#origin.settings.eventsPerSecond
    if (aheadMs > this.#catchUpMaxMs) this.#delayMs = -aheadMs
  }

  async #readLastValues(): Promise<void> {
    for (const [partition, end] of this.#ends.entries()) {
      this.#lastValues.push(await lastValue(this.#log, this.#topic, partition, end))
    }
  }

  /** What a partition ends with must be what the sequence says: else somebody else wrote to it, and no offset fits. */
  #checkLast(row: GeneratedEvent, partition: number): void {
    const found = this.#lastValues[partition]
    if (found === undefined || compareBytes(found, this.#writer.write(row)) === 0) return
    const record = `record ${this.#ends[partition] - 1} of partition ${partition} of topic "${this.#topic}"`
    throw new MillraceError('incompatible-state', `${record} was not written by this generator`, {
      hint: 'nothing else may write to a generated topic: generate into a new one',
    })
  }

  /** Writes the rows that are due, at most some milliseconds' worth; true when there are no more. */
  async #turn(): Promise<boolean> {
    const nowMs = this.#clock.now()
    const behindMs = this.#behindMs() - this.#delayMs
    if (behindMs > this.#catchUpMaxMs) this.#delayMs += behindMs
    const dueMs = this.#options.pace === 'flat-out' ? Number.POSITIVE_INFINITY : nowMs - this.#delayMs
    const { rows = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY } = this.#options
    for (let count = 0; count < TURN_ROWS; count++) {
      if (this.#rows >= rows || this.#bytes >= bytes) return false
      if (this.#sequence.dueMs(this.#sequence.nextIndex) > dueMs) return true
      const full = this.#writeRow(nowMs)
      if (full >= 0) await this.#sender.send(full)
    }
    return false
  }

  /** Takes the next row and writes it unless the log holds it; returns its partition when that has a full batch, else -1. */
  #writeRow(nowMs: number): number {
    const row: GeneratedEvent = this.#sequence.next()
    const partition = row.partition
    if (partition < 0) return -1
    const position = this.#positions[partition]++
    if (position < this.#ends[partition]) {
      if (position === this.#ends[partition] - 1) this.#checkLast(row, partition)
      return -1
    }
    writeUserId(this.#keyView, 0, row.user)
    const builder = this.#sender.builder(partition)
    this.#rows++
    this.#bytes += this.#addTo(builder, row, nowMs)
    return builder.sizeBytes >= this.#batchBytes ? partition : -1
  }

  /** Returns the length of the row's value. */
  #addTo(builder: RecordBatchBuilder, row: GeneratedEvent, nowMs: number): number {
    if (row.plant === MALFORMED || row.plant === INVALID) {
      const value = this.#writer.write(row)
      builder.add(this.#key, value, nowMs)
      return value.length
    }
    const start = builder.beginValue(this.#key, EVENT_ROOM_BYTES, nowMs)
    const end = this.#writer.writeInPlace(row, builder.view, start)
    builder.endValue(end)
    return end - start
  }

  #ending(): LoadResult['endedBy'] | undefined {
    const { rows, bytes, durationMs, signal } = this.#options
    if (signal?.aborted) return 'signal'
    if (rows !== undefined && this.#rows >= rows) return 'rows'
    if (bytes !== undefined && this.#bytes >= bytes) return 'bytes'
    return durationMs !== undefined && this.#clock.now() - this.#startMs >= durationMs ? 'duration' : undefined
  }

  #behindMs(): number {
    return this.#clock.now() - this.#sequence.dueMs(this.#sequence.nextIndex)
  }

  /** Room for what a batch usually holds. */
  #bufferBytes(): number {
    const fullBytes = this.#batchBytes + 2 * EVENT_ROOM_BYTES
    if (this.#options.pace === 'flat-out') return fullBytes
    const { eventsPerSecond, partitions } = this.#origin.settings
    const expectedBytes = (EVENT_BYTES * eventsPerSecond * this.#lingerMs) / (1000 * partitions)
    return Math.min(Math.ceil(2 * expectedBytes) + 2 * EVENT_ROOM_BYTES, fullBytes)
  }

  #reportProgress(intervalMs: number): void {
    const nowMs = this.#clock.now()
    const { timeMs, rows, bytes } = this.#reported
    const sinceMs = nowMs - timeMs
    if (this.#options.onProgress === undefined || sinceMs < intervalMs) return
    this.#reported = { timeMs: nowMs, rows: this.#rows, bytes: this.#bytes }
    this.#options.onProgress({
      rows: this.#rows,
      bytes: this.#bytes,
      elapsedMs: nowMs - this.#startMs,
      eventsPerSecond: sinceMs > 0 ? ((this.#rows - rows) * 1000) / sinceMs : 0,
      megabytesPerSecond: sinceMs > 0 ? (this.#bytes - bytes) / sinceMs / 1000 : 0,
      behindMs: this.#behindMs(),
    })
  }
}
