import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { Batch } from '../../batch/batch.ts'
import type { Column } from '../../batch/column.ts'
import { type Field, fieldIndex } from '../../batch/schema.ts'
import type { NamedFeature, SessionFeaturesNode } from '../../plan/node.ts'
import type { AggregateState, Aggregator } from '../aggregates/aggregate.ts'
import { createAggregator } from '../aggregates/index.ts'
import { ColumnBuilder } from '../column-builder.ts'
import { type HashKey, KeyTable } from '../keys/key-table.ts'
import { Pane } from '../operators/pane.ts'
import { mergePanes, sharded, writePanes } from '../operators/pane-sections.ts'
import { compilePredicate, type Predicate, TRUE } from '../predicate.ts'
import type { WindowGrid } from '../windows/window-grid.ts'
import { elapsed } from './elapsed.ts'
import type { ReleasedRows } from './held-rows.ts'

/** What the features are made for. */
export interface SessionFeaturesOptions {
  readonly node: SessionFeaturesNode
  /** Columns of the rows. */
  readonly fields: readonly Field[]
  /** Columns that are added. */
  readonly featureFields: readonly Field[]
  readonly eventTimeIndex: number
  readonly grid: WindowGrid
  readonly hashKey: HashKey
}

/**
 * What is known of each session, the rows with one value in one window. Rows come in order of event time; each is told what was known
 * when it happened (`past`), what the whole window came to (`compat`), or what these rows alone come to in it (`batch`).
 */
export class SessionFeatures {
  readonly #options: SessionFeaturesOptions
  readonly #byIndex: number
  readonly #keys: KeyTable
  readonly #aggregators: readonly Aggregator[]
  readonly #filters: readonly (Predicate | undefined)[]
  readonly #panes = new Map<number, Pane>()

  constructor(options: SessionFeaturesOptions) {
    this.#options = options
    const { node, fields, hashKey } = options
    this.#byIndex = fieldIndex({ fields }, node.by)
    this.#keys = new KeyTable([this.#byIndex], hashKey)
    this.#aggregators = node.features.map((feature) => aggregatorOf(feature, options))
    this.#filters = node.features.map(({ spec }) =>
      spec.kind !== 'elapsed' && spec.where ? compilePredicate(spec.where, fields) : undefined,
    )
  }

  get stateRows(): number {
    let rows = 0
    for (const pane of this.#panes.values()) rows += pane.size
    return rows
  }

  /** The columns of the features, one value a row. */
  of({ batch, times, partitions }: ReleasedRows): Column[] {
    const rows = Int32Array.from({ length: batch.rowCount }, (_, row) => row)
    const ids = this.#keys.of(batch, rows, rows.length)
    const builders = this.#options.featureFields.map((field) => new ColumnBuilder(field, rows.length))
    const truths = this.#filters.map((filter) => filter?.(batch))
    const takeIn = (row: number): void => this.#takeIn(batch, row, ids, times, partitions, truths)
    const { mode } = this.#options.node
    if (mode !== 'past') for (const row of rows) takeIn(row)
    for (const row of rows) {
      if (mode === 'past') takeIn(row)
      this.#tell(ids[row] as number, times[row] as number, builders)
    }
    if (mode === 'batch') this.#panes.clear()
    return builders.map((builder) => builder.finish())
  }

  /** Windows that end at or before it get no more rows; keys and values that only they had are let go of. */
  forget(closeWatermarkMs: number): void {
    for (const startMs of [...this.#panes.keys()]) {
      if (this.#options.grid.paneEnd(startMs) <= closeWatermarkMs) this.#panes.delete(startMs)
    }
    this.#keys.forget(this.stateRows, (newId) => {
      for (const pane of this.#panes.values()) pane.slots.renumber(newId)
    })
    const panes = [...this.#panes.values()]
    for (const [index, aggregator] of this.#aggregators.entries()) {
      aggregator.forget?.(panes.map((pane) => pane.states[index] as AggregateState))
    }
  }

  /** Which shard the rows of a value belong to. */
  shardOf(key: Uint8Array): number {
    return this.#keys.shard(this.#keys.intern(key))
  }

  write(writer: ByteWriter, shards: readonly number[]): void {
    const panes = [...this.#panes.values()].sort((left, right) => left.startMs - right.startMs)
    const byShard = panes.map((pane) => sharded(pane, this.#keys))
    writePanes(byShard, this.#keys, shards, writer, 'canonical')
  }

  merge(reader: ByteReader, shardCount: number): void {
    mergePanes(reader, shardCount, this.#keys, this.#options.grid, (startMs) => this.#pane(startMs))
  }

  #takeIn(
    batch: Batch,
    row: number,
    ids: Int32Array,
    times: Float64Array,
    partitions: Float64Array,
    truths: readonly (Uint8Array | undefined)[],
  ): void {
    const keyId = ids[row] as number
    if (this.#isNull(keyId)) return
    const pane = this.#pane(this.#options.grid.paneAt(times[row] as number))
    const slots = Int32Array.of(pane.slots.slot(keyId))
    const rows = Int32Array.of(row)
    pane.grow()
    for (const [index, state] of pane.states.entries()) {
      const mask = truths[index]
      if (mask && mask[row] !== TRUE) continue
      this.#aggregators[index]?.begin(batch, rows, 1, partitions[row] as number)
      state.update(rows, slots, 1)
    }
  }

  #tell(keyId: number, timeMs: number, builders: readonly ColumnBuilder[]): void {
    const pane = this.#isNull(keyId) ? undefined : this.#pane(this.#options.grid.paneAt(timeMs))
    const slot = pane?.slots.find(keyId) ?? -1
    for (const [index, builder] of builders.entries()) {
      if (pane && slot >= 0) pane.states[index]?.result(slot, builder)
      else builder.null()
    }
  }

  /** A single null is one byte. */
  #isNull(keyId: number): boolean {
    return this.#keys.bytes(keyId).length === 1
  }

  #pane(startMs: number): Pane {
    let pane = this.#panes.get(startMs)
    if (!pane) {
      pane = new Pane(
        startMs,
        this.#aggregators.map((aggregator) => aggregator.newState()),
        false,
      )
      this.#panes.set(startMs, pane)
    }
    return pane
  }
}

function aggregatorOf({ spec }: NamedFeature, { fields, eventTimeIndex, hashKey }: SessionFeaturesOptions): Aggregator {
  return spec.kind === 'elapsed'
    ? elapsed(eventTimeIndex)
    : createAggregator(spec, { fields, eventTimeIndex, seed: hashKey[0] })
}
