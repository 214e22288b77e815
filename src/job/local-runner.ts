import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Decoder } from '../batch/json-decoder.ts'
import type { Engine, EngineStatus, QueryOutput } from '../engine/engine.ts'
import type { EpochPlan, EpochResults } from '../engine/epoch.ts'
import type { EpochRunner, RangeRecords } from './epoch-runner.ts'

/** Bytes decoded at a stretch before everybody else (requests, timers, the epoch that is being prepared) gets a turn. */
const STRETCH_BYTES = 1 << 20

/** Runs epochs in this thread. */
export class LocalRunner implements EpochRunner {
  readonly parallelism = 1
  readonly #engine: Engine
  readonly #decoder: Decoder

  constructor(engine: Engine, decoder: Decoder) {
    this.#engine = engine
    this.#decoder = decoder
  }

  get queries(): readonly QueryOutput[] {
    return this.#engine.queries
  }

  get watermarkIds(): readonly string[] {
    return this.#engine.watermarkIds
  }

  get partitionIds(): readonly string[] {
    return this.#engine.partitionIds
  }

  addPartitions(ids: readonly string[]): void {
    this.#engine.addPartitions(ids)
  }

  async compute(plan: EpochPlan, records: readonly RangeRecords[]): Promise<EpochResults> {
    this.#engine.beginEpoch(plan)
    let stretchBytes = 0
    // A dedupe keeps the first of repeats: that of the lowest partition and offset.
    const ranges = [...plan.ranges.entries()].sort(([, left], [, right]) => left.partition - right.partition)
    for (const [index, { partition, from, to }] of ranges) {
      for await (const piece of records[index] ?? []) {
        this.#engine.processBatch(partition, this.#decoder.decode(piece, from, to))
        stretchBytes += piece.bytes.length
        piece.release?.()
        if (stretchBytes < STRETCH_BYTES) continue
        stretchBytes = 0
        await nextTurn()
      }
    }
    return this.#engine.endEpoch()
  }

  async snapshot(): Promise<Uint8Array> {
    return this.#engine.snapshot()
  }

  async restore(snapshot: Uint8Array): Promise<void> {
    this.#engine.restore(snapshot)
  }

  status(): EngineStatus {
    return this.#engine.status()
  }

  async close(): Promise<void> {}
}
