import { assert } from '../base/assert.ts'
import type { Batch } from '../batch/batch.ts'
import { type Field, fieldIndex } from '../batch/schema.ts'
import type { WatermarkNode } from '../plan/node.ts'
import type { MissedWindow } from './epoch.ts'
import { FateCode } from './ledger.ts'
import type { Selection } from './operator.ts'
import type { WindowAggregate } from './operators/window-aggregate.ts'
import { type Predicate, TRUE } from './predicate.ts'
import type { Watermark } from './watermark.ts'

/** A query behind a watermark. */
export interface BranchQuery {
  readonly name: string
  readonly filters: readonly Predicate[]
  readonly windowSizeMs: number
  readonly operator: WindowAggregate
  lateRows: number
}

/** One watermark with the filters before it and the queries behind it. Judges rows, and hands each query those that are its own. */
export class Branch {
  readonly id: string
  readonly watermark: Watermark
  readonly queries: readonly BranchQuery[]
  readonly #node: WatermarkNode
  readonly #filters: readonly Predicate[]
  readonly #eventTimeIndex: number
  #passed = new Int32Array(1024)
  #selected = new Int32Array(1024)

  constructor(
    id: string,
    node: WatermarkNode,
    watermark: Watermark,
    filters: readonly Predicate[],
    queries: readonly BranchQuery[],
    fields: readonly Field[],
  ) {
    this.id = id
    this.watermark = watermark
    this.queries = queries
    this.#node = node
    this.#filters = filters
    this.#eventTimeIndex = fieldIndex({ fields }, node.column)
  }

  /** Works off the rows whose fate is still open (`filtered`); raises the fate of each to the best that a query here gives it. */
  process(partition: number, batch: Batch, fates: Uint8Array, valid: Selection, clockMs: number): void {
    if (this.#passed.length < valid.count) {
      this.#passed = new Int32Array(valid.count * 2)
      this.#selected = new Int32Array(valid.count * 2)
    }
    const times = this.#times(batch)
    const passed = this.#applyFilters(batch, this.#filters, valid, this.#passed)
    const timely = this.#guard(batch, times, fates, passed, clockMs)
    let newestMs = Number.NEGATIVE_INFINITY
    for (let index = 0; index < timely; index++)
      newestMs = Math.max(newestMs, times[this.#passed[index] as number] as number)
    if (timely > 0) this.watermark.observe(partition, newestMs)
    for (const query of this.queries) {
      const kept = this.#applyFilters(batch, query.filters, { rows: this.#passed, count: timely }, this.#selected)
      const count = this.#dropLate(query, times, fates, kept)
      query.operator.processBatch(batch, { rows: this.#selected, count })
    }
  }

  /** The windows that a late row would have belonged to. */
  missedWindows(batch: Batch, row: number): MissedWindow[] {
    const timeMs = this.#times(batch)[row] as number
    return this.queries.map(({ name, windowSizeMs }) => {
      const startMs = Math.floor(timeMs / windowSizeMs) * windowSizeMs
      return { query: name, startMs, endMs: startMs + windowSizeMs }
    })
  }

  #times(batch: Batch): Float64Array {
    const column = batch.columns[this.#eventTimeIndex]
    assert(column?.kind === 'number', 'event time is a timestamp')
    return column.values
  }

  /** Keeps the rows for which every predicate is true; gives how many. */
  #applyFilters(batch: Batch, filters: readonly Predicate[], from: Selection, into: Int32Array): number {
    into.set(from.rows.subarray(0, from.count))
    let count = from.count
    for (const filter of filters) {
      const truths = filter(batch)
      let kept = 0
      for (let index = 0; index < count; index++) {
        const row = into[index] as number
        if (truths[row] === TRUE) into[kept++] = row
      }
      count = kept
    }
    return count
  }

  /** Takes out rows that are stamped too far ahead of their arrival, and those that are too old. */
  #guard(batch: Batch, times: Float64Array, fates: Uint8Array, count: number, clockMs: number): number {
    const { clockSkewMaxMs, ageMaxMs } = this.#node
    if (clockSkewMaxMs === null && ageMaxMs === null) return count
    const skewMs = clockSkewMaxMs ?? Number.POSITIVE_INFINITY
    const oldestMs = ageMaxMs === null ? Number.NEGATIVE_INFINITY : clockMs - ageMaxMs
    let kept = 0
    for (let index = 0; index < count; index++) {
      const row = this.#passed[index] as number
      const timeMs = times[row] as number
      const recordMs = batch.recordTimes[row] as number
      const arrivalMs = recordMs >= 0 && recordMs < clockMs ? recordMs : clockMs
      if (timeMs > arrivalMs + skewMs) raise(fates, row, FateCode.future)
      else if (timeMs < oldestMs) raise(fates, row, FateCode.expired)
      else this.#passed[kept++] = row
    }
    return kept
  }

  #dropLate(query: BranchQuery, times: Float64Array, fates: Uint8Array, count: number): number {
    const { windowSizeMs } = query
    // The first time that is in a window which is still open.
    const openFromMs = Math.floor(this.watermark.lateWatermarkMs / windowSizeMs) * windowSizeMs
    let kept = 0
    for (let index = 0; index < count; index++) {
      const row = this.#selected[index] as number
      if ((times[row] as number) >= openFromMs) {
        fates[row] = FateCode.accepted
        this.#selected[kept++] = row
      } else {
        raise(fates, row, FateCode.late)
        query.lateRows++
      }
    }
    return kept
  }
}

function raise(fates: Uint8Array, row: number, fate: number): void {
  if ((fates[row] as number) < fate) fates[row] = fate
}
