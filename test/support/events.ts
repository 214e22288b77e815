import { encodeText } from '../../src/base/bytes.ts'
import type { EncodedRecords } from '../../src/batch/encoded-records.ts'
import { createScalarDecoder } from '../../src/batch/scalar-decoder.ts'
import type { Engine } from '../../src/engine/engine.ts'
import type { EpochResults } from '../../src/engine/epoch.ts'
import { createEngine } from '../../src/engine/pipeline.ts'
import type { PipelinePlan } from '../../src/plan/node.ts'
import { rowsOf } from '../../src/sinks/memory-sink.ts'

/** An event before it is JSON. */
export type Event = Readonly<Record<string, unknown>>

/** Rows of one epoch: per partition, events or raw lines. */
export type EpochRows = readonly (readonly (Event | string)[])[]

/** An engine of its own with a decoder, fed epoch by epoch. */
export class EngineRun {
  readonly engine: Engine
  readonly #plan: PipelinePlan
  readonly #decode: (records: EncodedRecords) => ReturnType<ReturnType<typeof createScalarDecoder>['decode']>
  readonly #positions: number[]
  #epoch = 0

  constructor(plan: PipelinePlan, partitions: number, from?: { readonly state: Uint8Array; readonly run: EngineRun }) {
    this.#plan = plan
    this.engine = createEngine(plan, {
      hashKey: [1, 2],
      advanceWhenIdle: false,
      extraModes: ['append', 'update'],
      groupsMax: 100_000,
    })
    if (from) this.engine.restore(from.state)
    this.engine.addPartitions(Array.from({ length: partitions }, (_, index) => `p${index}`))
    this.#positions = from ? [...from.run.#positions] : new Array<number>(partitions).fill(0)
    this.#epoch = from ? from.run.#epoch : 0
    const decoder = createScalarDecoder({
      fields: this.engine.fields,
      knownMembers: new Set(),
      hashSeed: 7,
      dictionaryEntriesMax: 1_000,
    })
    this.#decode = (records) => decoder.decode(records)
  }

  epoch(rows: EpochRows, options: { readonly flush?: boolean; readonly clockMs?: number } = {}): EpochResults {
    this.#epoch++
    const ranges = rows.flatMap((events, partition) => {
      const from = this.#positions[partition] as number
      return events.length > 0 ? [{ partition, from, to: from + events.length }] : []
    })
    const clockMs = options.clockMs ?? Date.UTC(2030, 0, 1)
    this.engine.beginEpoch({
      epoch: this.#epoch,
      previous: this.#epoch - 1,
      clockMs,
      ranges,
      idle: [],
      ended: [],
      flush: options.flush ?? false,
    })
    for (const { partition, from } of ranges) {
      this.engine.processBatch(partition, this.#decode(encoded(rows[partition] as readonly (Event | string)[], from)))
      this.#positions[partition] = from + (rows[partition]?.length ?? 0)
    }
    return this.engine.endEpoch()
  }

  /** The same run, continued by a new engine from a snapshot. */
  restored(): EngineRun {
    const state = this.engine.snapshot()
    return new EngineRun(this.#plan, this.#positions.length, { state, run: this })
  }
}

/** Rows of the first query in append mode, as plain objects. */
export function appended(results: EpochResults): Record<string, unknown>[] {
  const rows = results.queries[0]?.append
  return rows ? rowsOf(rows).map((row) => Object.fromEntries(row)) : []
}

/** Events as JSON lines from an offset on. */
export function encoded(events: readonly (Event | string)[], baseOffset: number): EncodedRecords {
  const lines = events.map((event) => `${typeof event === 'string' ? event : JSON.stringify(event)}\n`)
  return {
    framing: 'newline',
    bytes: encodeText(lines.join('')),
    baseOffset,
    endOffset: baseOffset + events.length,
    recordCount: events.length,
    baseTimestamp: Number.NaN,
  }
}
