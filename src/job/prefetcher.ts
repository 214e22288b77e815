import { assert } from '../base/assert.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import type { Source } from '../sources/source.ts'
import { type Arrival, arrivalMs } from './latency.ts'

/**
 * Reads ahead of the epochs: one loop per partition fills a queue of encoded records until the byte budget is used up, which is
 * the back-pressure. Each partition may always hold one piece, so that none starves while another fills the budget.
 */
export class Prefetcher {
  readonly #source: Source
  readonly #bytesMax: number
  readonly #now: () => number
  readonly #lanes: Lane[] = []
  readonly #abort = new AbortController()
  #bytesHeld = 0
  #failure: unknown
  #wakeConsumer: () => void = () => {}
  #wakeLanes: (() => void)[] = []
  #running = 0

  /** `now` says when pieces are read. */
  constructor(source: Source, bytesMax: number, now: () => number) {
    this.#source = source
    this.#bytesMax = bytesMax
    this.#now = now
  }

  /** Begins to read a partition; its index is the number of partitions added before. */
  add(partitionId: string, fromOffset: number, toOffset: number): void {
    const lane: Lane = { partitionId, fromOffset, toOffset, queue: [], arrivedMs: [], ended: false }
    this.#lanes.push(lane)
    this.#running++
    this.#fill(lane).catch((error: unknown) => {
      this.#failure ??= error
      this.#wakeConsumer()
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

  /** Takes the first `count` pieces of a partition off its queue; adds to `arrivals` when they had come. */
  take(partition: number, count: number, arrivals: Arrival[]): EncodedRecords[] {
    const lane = this.#lane(partition)
    assert(count <= lane.queue.length, 'a plan takes no more than is queued')
    const taken = lane.queue.splice(0, count)
    const arrivedMs = lane.arrivedMs.splice(0, count)
    for (const [index, { bytes, recordCount }] of taken.entries()) {
      this.#bytesHeld -= bytes.length
      arrivals.push({ rows: recordCount, atMs: arrivedMs[index] as number })
    }
    const wake = this.#wakeLanes
    this.#wakeLanes = []
    for (const resume of wake) resume()
    return taken
  }

  /** Rethrows what stopped a partition from being read. */
  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Ends a wait for `changed`. */
  wake(): void {
    this.#wakeConsumer()
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
    }
  }

  #enqueue(lane: Lane, records: EncodedRecords): void {
    lane.queue.push(records)
    lane.arrivedMs.push(arrivalMs(records, this.#now()))
    this.#bytesHeld += records.bytes.length
    this.#wakeConsumer()
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeLanes.push(resolve)
    })
  }
}

interface Lane {
  readonly partitionId: string
  readonly toOffset: number
  readonly fromOffset: number
  readonly queue: EncodedRecords[]
  /** Of each piece in the queue. */
  readonly arrivedMs: number[]
  ended: boolean
}
