import { assert } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import type { Source } from '../sources/source.ts'
import { EpochAbandoned } from './epoch-abandoned.ts'
import { type Arrival, arrivalMs } from './latency.ts'

/** So long is waited for rows of an epoch that has begun when the job is to stop. */
const PATIENCE_MS = 2_000

/**
 * Reads ahead of the epochs: one loop per partition fills a queue of encoded records until the byte budget is used up, which is
 * the back-pressure. Each partition may always hold one piece, so that none starves while another fills the budget.
 */
export class Prefetcher {
  readonly #source: Source
  readonly #bytesMax: number
  readonly #clock: Clock
  readonly #lanes: Lane[] = []
  readonly #abort = new AbortController()
  #bytesHeld = 0
  #failure: unknown
  #wakeConsumer: () => void = () => {}
  #wakeLanes: (() => void)[] = []
  #running = 0

  constructor(source: Source, bytesMax: number, clock: Clock) {
    this.#source = source
    this.#bytesMax = bytesMax
    this.#clock = clock
  }

  /** Begins to read a partition; its index is the number of partitions added before. */
  add(partitionId: string, fromOffset: number, toOffset: number): void {
    const lane: Lane = { partitionId, fromOffset, toOffset, queue: [], arrivedMs: [], ended: false, wake: () => {} }
    this.#lanes.push(lane)
    this.#running++
    this.#fill(lane).catch((error: unknown) => {
      this.#failure ??= error
      this.wake()
    })
  }

  /** What is waiting of this partition. */
  queued(partition: number): readonly EncodedRecords[] {
    return this.#lane(partition).queue
  }

  /** Offset that nothing is read behind. */
  limit(partition: number): number {
    return this.#lane(partition).toOffset
  }

  /** True when the partition has given all it will ever give, and nothing of it is waiting. */
  drained(partition: number): boolean {
    const lane = this.#lane(partition)
    return lane.ended && lane.queue.length === 0
  }

  /** True when no partition will give anything beyond what is waiting. */
  get allEnded(): boolean {
    return this.#lanes.every((lane) => lane.ended)
  }

  /** True when the budget is used up: waiting for more rows would be in vain. */
  get full(): boolean {
    return this.#bytesHeld >= this.#bytesMax
  }

  get hasRows(): boolean {
    return this.#lanes.some((lane) => lane.queue.length > 0)
  }

  get rowsHeld(): number {
    return this.#lanes.reduce((sum, { queue }) => sum + queue.reduce((rows, piece) => rows + piece.recordCount, 0), 0)
  }

  /** Takes the first `count` pieces of a partition off its queue. */
  take(partition: number, count: number, tally: ReadTally): EncodedRecords[] {
    const lane = this.#lane(partition)
    assert(count <= lane.queue.length, 'a plan takes no more than is queued')
    const taken = lane.queue.splice(0, count)
    const arrivedMs = lane.arrivedMs.splice(0, count)
    for (const [index, { bytes, recordCount }] of taken.entries()) {
      this.#bytesHeld -= bytes.length
      tally.bytes += bytes.length
      tally.arrivals.push({ rows: recordCount, atMs: arrivedMs[index] as number })
    }
    const wake = this.#wakeLanes
    this.#wakeLanes = []
    for (const resume of wake) resume()
    return taken
  }

  /**
   * The pieces of a partition up to an offset, those that wait and those that have still to come. One that goes on behind the offset stays for
   * the epoch after. Throws what stopped the partition from being read, and `EpochAbandoned` when `stopping` aborts and nothing comes.
   */
  async *follow(
    partition: number,
    toOffset: number,
    tally: ReadTally,
    stopping: AbortSignal,
  ): AsyncGenerator<EncodedRecords> {
    const lane = this.#lane(partition)
    for (;;) {
      const piece = lane.queue[0] ?? (await this.#next(lane, stopping))
      if (piece === undefined || piece.baseOffset >= toOffset) return
      if (piece.endOffset > toOffset && toOffset < lane.toOffset) {
        const { release: _stays, ...records } = piece
        yield records
        return
      }
      yield* this.take(partition, 1, tally)
      if (piece.endOffset >= toOffset) return
    }
  }

  /** Rethrows what stopped a partition from being read. */
  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Ends a wait for `changed`, and lets whoever follows a partition look again. */
  wake(): void {
    this.#wakeConsumer()
    for (const lane of this.#lanes) lane.wake()
  }

  /** Resolves when rows arrive, a partition ends or fails, or somebody wakes it. One waiter at a time. */
  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeConsumer = resolve
    })
  }

  async close(): Promise<void> {
    this.#abort.abort()
    for (const resume of this.#wakeLanes) resume()
    while (this.#running > 0) await this.changed()
  }

  #lane(partition: number): Lane {
    const lane = this.#lanes[partition]
    assert(lane, `partition ${partition} is being read`)
    return lane
  }

  async #fill(lane: Lane): Promise<void> {
    try {
      if (lane.fromOffset < lane.toOffset) {
        const reading = this.#source.read(lane.partitionId, lane.fromOffset, lane.toOffset, this.#abort.signal)
        for await (const records of reading) {
          if (this.#abort.signal.aborted) return
          this.#enqueue(lane, records)
          while (this.full && lane.queue.length > 0 && !this.#abort.signal.aborted) await this.#room()
        }
      }
      if (!this.#abort.signal.aborted) lane.ended = true
    } finally {
      this.#running--
      this.#wakeConsumer()
      lane.wake()
    }
  }

  #enqueue(lane: Lane, records: EncodedRecords): void {
    lane.queue.push(records)
    lane.arrivedMs.push(arrivalMs(records, this.#clock.now()))
    this.#bytesHeld += records.bytes.length
    this.#wakeConsumer()
    lane.wake()
  }

  /** The first piece of a partition that has none now; undefined when it gives no more. */
  async #next(lane: Lane, stopping: AbortSignal): Promise<EncodedRecords | undefined> {
    let patienceEndsMs: number | undefined
    while (lane.queue.length === 0 && !lane.ended) {
      this.throwIfFailed()
      const came = new Promise<void>((resolve) => {
        lane.wake = resolve
      })
      if (!stopping.aborted) {
        await came
        continue
      }
      patienceEndsMs ??= this.#clock.now() + PATIENCE_MS
      const leftMs = patienceEndsMs - this.#clock.now()
      if (leftMs <= 0) throw new EpochAbandoned()
      const woken = new AbortController()
      await Promise.race([came, this.#clock.sleep(leftMs, woken.signal)])
      woken.abort()
    }
    return lane.queue[0]
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeLanes.push(resolve)
    })
  }
}

/** What was taken for one epoch. */
export interface ReadTally {
  bytes: number
  readonly arrivals: Arrival[]
}

interface Lane {
  readonly partitionId: string
  readonly toOffset: number
  readonly fromOffset: number
  readonly queue: EncodedRecords[]
  /** Of each piece in the queue. */
  readonly arrivedMs: number[]
  ended: boolean
  /** Called when there is something new about the partition. */
  wake: () => void
}
