import assert from 'node:assert/strict'
import { encodeText } from '../../src/base/bytes.ts'
import type { EncodedRecords } from '../../src/batch/encoded-records.ts'
import { RowChange } from '../../src/batch/result-batch.ts'
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

/** Rows of one partition from an offset on, decoded together. */
export interface Piece {
  readonly partition: number
  readonly at: number
  readonly events: readonly (Event | string)[]
}

/** How an epoch is planned; what is left out has its default. */
export interface EpochOptions {
  readonly flush?: boolean
  readonly clockMs?: number
}

/** An engine of its own with a decoder, fed epoch by epoch. */
export class EngineRun {
  readonly engine: Engine
  readonly #plan: PipelinePlan
  readonly #decode: (records: EncodedRecords) => ReturnType<ReturnType<typeof createScalarDecoder>['decode']>
  readonly #positions: number[]
  #epoch = 0

  constructor(plan: PipelinePlan, partitions: number, from?: { readonly state: Uint8Array; readonly run?: EngineRun }) {
    this.#plan = plan
    this.engine = createEngine(plan, {
      hashKey: [1, 2],
      advanceWhenIdle: false,
      extraModes: ['append', 'update', 'complete'],
      groupsMax: 100_000,
    })
    if (from) this.engine.restore(from.state)
    this.engine.addPartitions(Array.from({ length: partitions }, (_, index) => `p${index}`))
    this.#positions = from?.run ? [...from.run.#positions] : new Array<number>(partitions).fill(0)
    this.#epoch = from?.run ? from.run.#epoch : 0
    const decoder = createScalarDecoder({
      fields: this.engine.fields,
      knownMembers: new Set(),
      hashSeed: 7,
      dictionaryEntriesMax: 1_000,
    })
    this.#decode = (records) => decoder.decode(records)
  }

  epoch(rows: EpochRows, options: EpochOptions = {}): EpochResults {
    const pieces = rows.map((events, partition) => ({ partition, at: this.#positions[partition] as number, events }))
    return this.epochInPieces(
      pieces.filter(({ events }) => events.length > 0),
      options,
    )
  }

  /** One epoch out of batches that come in any order; those of a partition fill a range without a gap. */
  epochInPieces(pieces: readonly Piece[], options: EpochOptions = {}): EpochResults {
    this.#epoch++
    const ranges = this.#positions.flatMap((from, partition) => {
      const own = pieces.filter((piece) => piece.partition === partition)
      const count = own.reduce((sum, { events }) => sum + events.length, 0)
      return count > 0 ? [{ partition, from, to: from + count }] : []
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
    for (const { partition, at, events } of pieces) {
      this.engine.processBatch(partition, this.#decode(encoded(events, at)))
    }
    for (const { partition, to } of ranges) this.#positions[partition] = to
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

/** Applies the rows of update mode to what they have shown so far, and checks that they say what is new and nothing else. */
export function applyUpdates(
  view: Map<string, Readonly<Record<string, unknown>>>,
  results: EpochResults,
  identity: (row: Readonly<Record<string, unknown>>) => string,
): void {
  const update = results.queries[0]?.update
  assert.ok(update?.changes, 'update mode gives rows')
  const seen = new Set<string>()
  for (const [index, cells] of rowsOf(update).entries()) {
    const row = Object.fromEntries(cells)
    const id = identity(row)
    assert.ok(!seen.has(id), `a key is told about once in an epoch: ${id}`)
    seen.add(id)
    if (update.changes[index] !== RowChange.deleted) view.set(id, row)
    else assert.ok(view.delete(id), `only what was shown is taken back: ${id}`)
  }
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
