import { assert } from '../../base/assert.ts'
import { type ByteReader, type ByteWriter, compareBytes } from '../../base/bytes.ts'
import { MillraceError } from '../../base/error.ts'
import type { Batch } from '../../batch/batch.ts'
import { type ResultBatch, RowChange } from '../../batch/result-batch.ts'
import { type Field, fieldIndex } from '../../batch/schema.ts'
import type { OutputMode } from '../../plan/connectors.ts'
import type { AggregateNode } from '../../plan/node.ts'
import type { Aggregator } from '../aggregates/aggregate.ts'
import { createAggregator } from '../aggregates/index.ts'
import { ColumnBuilder } from '../column-builder.ts'
import type { OpenWindow } from '../engine.ts'
import { decodeKeys } from '../key-codec.ts'
import type { CloseContext, Operator, OperatorResults, Selection } from '../operator.ts'
import { compilePredicate, type Predicate, TRUE } from '../predicate.ts'
import { ValueIds } from '../value-ids.ts'
import { Pane } from './pane.ts'

/** What the operator is made for. */
export interface WindowAggregateOptions {
  readonly query: string
  readonly node: AggregateNode
  /** Columns of the batches. */
  readonly fields: readonly Field[]
  /** Columns of the result. */
  readonly resultFields: readonly Field[]
  readonly eventTimeIndex: number
  readonly modes: readonly OutputMode[]
  readonly groupsMax: number
  readonly seed: number
}

/**
 * Aggregates per tumbling window and group. A row goes to the pane of its window, there to the slot of its key, and every aggregate
 * keeps its values by slot. Keys are interned once for all windows, so that a known dictionary code costs one look-up.
 *
 *   window  00:00           00:01           00:02
 *           | pane: slots   | pane: slots   |        pane = key id -> slot, aggregate states by slot
 */
export class WindowAggregate implements Operator {
  readonly #options: WindowAggregateOptions
  readonly #aggregates: readonly { aggregator: Aggregator; where: Predicate | undefined }[]
  readonly #keyIndexes: readonly number[]
  readonly #panes = new Map<number, Pane>()
  #keys: ValueIds
  #groups = 0
  #rows = new Int32Array(1024)
  #slots = new Int32Array(1024)
  #filteredRows = new Int32Array(1024)
  #filteredSlots = new Int32Array(1024)

  constructor(options: WindowAggregateOptions) {
    this.#options = options
    const { node, fields, seed } = options
    this.#keyIndexes = node.keys.map((key) => fieldIndex({ fields }, key))
    this.#keys = new ValueIds(this.#keyIndexes, seed)
    this.#aggregates = node.aggregates.map(({ spec }) => ({
      aggregator: createAggregator(spec, fields, seed),
      where: spec.where && compilePredicate(spec.where, fields),
    }))
  }

  get stateRows(): number {
    return this.#groups
  }

  openWindows(): OpenWindow[] {
    return this.#sortedPanes().map((pane) => ({ startMs: pane.startMs, endMs: this.#end(pane), groups: pane.size }))
  }

  processBatch(batch: Batch, selection: Selection): void {
    if (selection.count === 0) return
    const { rows, count } = selection
    const ids = this.#keys.of(batch, rows, count)
    const truths = this.#aggregates.map(({ aggregator, where }) => {
      aggregator.begin(batch, rows, count)
      return where?.(batch)
    })
    const column = batch.columns[this.#options.eventTimeIndex]
    assert(column?.kind === 'number', 'event time is a timestamp')
    const { sizeMs } = this.#options.node.window
    if (this.#rows.length < count) this.#growScratch(count)
    // Rows of one window mostly come side by side: each run goes to its pane at once.
    for (let from = 0; from < count; ) {
      const startMs = windowStart(column.values[rows[from] as number] as number, sizeMs)
      const to = runEnd(column.values, rows, from, count, startMs, startMs + sizeMs)
      this.#toPane(this.#pane(startMs), ids, rows, from, to, truths)
      from = to
    }
    if (this.#groups > this.#options.groupsMax) throw tooManyGroups(this.#options)
  }

  takePartials(): never[] {
    return []
  }

  merge(): void {
    assert(false, 'with one worker there is nothing to merge')
  }

  close({ closeWatermarkMs }: CloseContext): OperatorResults {
    const { modes } = this.#options
    const closing = this.#sortedPanes().filter((pane) => this.#end(pane) <= closeWatermarkMs)
    const results = {
      ...(modes.includes('append') ? { append: this.#result(closing) } : {}),
      ...(modes.includes('update') ? { update: this.#update(closing) } : {}),
      ...(modes.includes('complete') ? { complete: this.#result(this.#sortedPanes()) } : {}),
    }
    for (const pane of closing) {
      this.#panes.delete(pane.startMs)
      this.#groups -= pane.size
    }
    for (const pane of this.#panes.values()) pane.clearChanges()
    this.#forgetKeys()
    return results
  }

  snapshot(writer: ByteWriter): void {
    const panes = this.#sortedPanes()
    writer.varint(panes.length)
    for (const pane of panes) {
      writer.f64(pane.startMs)
      const slots = this.#sortedSlots(pane)
      writer.varint(slots.length)
      for (const slot of slots) {
        writer.bytes(this.#keys.interner.bytes(pane.keyId(slot)))
        for (const state of pane.states) state.snapshot(slot, writer)
      }
    }
  }

  restore(reader: ByteReader): void {
    for (let panes = reader.varint(); panes > 0; panes--) {
      const pane = this.#pane(reader.f64())
      for (let slots = reader.varint(); slots > 0; slots--) {
        const slot = this.#slot(pane, this.#keys.interner.intern(reader.bytes()))
        for (const state of pane.states) {
          state.grow(pane.size)
          state.restore(slot, reader)
        }
      }
      pane.clearChanges()
    }
  }

  #toPane(
    pane: Pane,
    ids: Int32Array,
    rows: Int32Array,
    from: number,
    to: number,
    truths: readonly (Uint8Array | undefined)[],
  ): void {
    const count = to - from
    for (let index = 0; index < count; index++) {
      const row = rows[from + index] as number
      this.#rows[index] = row
      this.#slots[index] = this.#slot(pane, ids[row] as number)
    }
    for (const [index, state] of pane.states.entries()) {
      state.grow(pane.size)
      const mask = truths[index]
      if (!mask) {
        state.update(this.#rows, this.#slots, count)
        continue
      }
      const kept = filterRows(mask, this.#rows, this.#slots, count, this.#filteredRows, this.#filteredSlots)
      state.update(this.#filteredRows, this.#filteredSlots, kept)
    }
  }

  #slot(pane: Pane, keyId: number): number {
    const before = pane.size
    const slot = pane.slot(keyId)
    this.#groups += pane.size - before
    return slot
  }

  #pane(startMs: number): Pane {
    let pane = this.#panes.get(startMs)
    if (!pane) {
      pane = new Pane(
        startMs,
        this.#aggregates.map(({ aggregator }) => aggregator.newState()),
      )
      this.#panes.set(startMs, pane)
    }
    return pane
  }

  #update(closing: readonly Pane[]): ResultBatch {
    const changes: number[] = []
    const closed = new Set(closing)
    const panes = this.#sortedPanes().filter((pane) => closed.has(pane) || pane.changed)
    for (const pane of panes) {
      const rows = closed.has(pane) ? pane.size : pane.changedSlots().length
      for (let row = 0; row < rows; row++) changes.push(closed.has(pane) ? RowChange.final : RowChange.updated)
    }
    return { ...this.#result(panes, (pane) => !closed.has(pane)), changes: Uint8Array.from(changes) }
  }

  /** Rows of some panes, in the order of window and key. */
  #result(panes: readonly Pane[], changedOnly: (pane: Pane) => boolean = () => false): ResultBatch {
    const { resultFields, node } = this.#options
    const picked = panes.map((pane) => ({
      pane,
      slots: changedOnly(pane) ? this.#sorted(pane, pane.changedSlots()) : this.#sortedSlots(pane),
    }))
    const rowCount = picked.reduce((sum, { slots }) => sum + slots.length, 0)
    const starts = new Float64Array(rowCount)
    const ends = new Float64Array(rowCount)
    const keys: Uint8Array[] = []
    const builders = resultFields.slice(2 + node.keys.length).map((field) => new ColumnBuilder(field, rowCount))
    for (const { pane, slots } of picked) {
      for (const slot of slots) {
        starts[keys.length] = pane.startMs
        ends[keys.length] = this.#end(pane)
        keys.push(this.#keys.interner.bytes(pane.keyId(slot)))
        for (const [index, builder] of builders.entries()) pane.states[index]?.result(slot, builder)
      }
    }
    return {
      fields: resultFields,
      rowCount,
      columns: [
        { kind: 'number', values: starts },
        { kind: 'number', values: ends },
        ...decodeKeys(resultFields.slice(2, 2 + node.keys.length), keys),
        ...builders.map((builder) => builder.finish()),
      ],
    }
  }

  #sortedPanes(): Pane[] {
    return [...this.#panes.values()].sort((left, right) => left.startMs - right.startMs)
  }

  #sortedSlots(pane: Pane): number[] {
    return this.#sorted(
      pane,
      Array.from({ length: pane.size }, (_, slot) => slot),
    )
  }

  #sorted(pane: Pane, slots: number[]): number[] {
    const { interner } = this.#keys
    const keys = new Map(slots.map((slot) => [slot, interner.bytes(pane.keyId(slot))]))
    return slots.sort((left, right) => compareBytes(keys.get(left) as Uint8Array, keys.get(right) as Uint8Array))
  }

  /** Keys of closed windows only are let go of, once they are most of the table. */
  #forgetKeys(): void {
    if (this.#keys.interner.size < 2 * this.#groups + 65_536) return
    const fresh = new ValueIds(this.#keyIndexes, this.#options.seed)
    for (const pane of this.#sortedPanes()) {
      pane.renumber((keyId) => fresh.interner.intern(this.#keys.interner.bytes(keyId)))
    }
    this.#keys = fresh
  }

  #growScratch(count: number): void {
    this.#rows = new Int32Array(count * 2)
    this.#slots = new Int32Array(count * 2)
    this.#filteredRows = new Int32Array(count * 2)
    this.#filteredSlots = new Int32Array(count * 2)
  }

  #end(pane: Pane): number {
    return pane.startMs + this.#options.node.window.sizeMs
  }
}

function windowStart(timeMs: number, sizeMs: number): number {
  return Math.floor(timeMs / sizeMs) * sizeMs
}

/** Where the run of rows within [startMs, endMs) ends. */
function runEnd(
  times: Float64Array,
  rows: Int32Array,
  from: number,
  count: number,
  startMs: number,
  endMs: number,
): number {
  let index = from + 1
  while (index < count) {
    const timeMs = times[rows[index] as number] as number
    if (timeMs < startMs || timeMs >= endMs) break
    index++
  }
  return index
}

function filterRows(
  mask: Uint8Array,
  rows: Int32Array,
  slots: Int32Array,
  count: number,
  keptRows: Int32Array,
  keptSlots: Int32Array,
): number {
  let kept = 0
  for (let index = 0; index < count; index++) {
    const row = rows[index] as number
    if (mask[row] !== TRUE) continue
    keptRows[kept] = row
    keptSlots[kept++] = slots[index] as number
  }
  return kept
}

function tooManyGroups({ query, groupsMax }: WindowAggregateOptions): MillraceError {
  return new MillraceError(
    'unsupported',
    `the query "${query}" holds more than ${groupsMax} groups in its open windows`,
    {
      hint: 'use smaller windows, a shorter watermark delay, or group by a coarser column',
    },
  )
}
