import { assert } from '../base/assert.ts'
import type { Batch } from '../batch/batch.ts'
import { type Field, fieldIndex } from '../batch/schema.ts'
import type { WatermarkNode } from '../plan/node.ts'
import type { MissedWindow } from './epoch.ts'
import { FateCode } from './ledger.ts'
import type { Operator, Selection } from './operator.ts'
import { type Predicate, TRUE } from './predicate.ts'
import type { Watermark } from './watermark.ts'

/** A query behind a watermark. */
export interface BranchQuery {
  readonly name: string
  readonly filters: readonly Predicate[]
  readonly operator: Operator
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
    const passed = applyFilters(batch, this.#filters, valid, this.#passed)
    const timely = this.#guard(batch, times, fates, passed, clockMs)
    if (timely.count === 0) return
    this.watermark.observe(partition, newestOf(times, timely))
    for (const query of this.queries) {
      const own = applyFilters(batch, query.filters, timely, this.#selected)
      const open = this.#dropLate(query, times, fates, own)
      query.operator.processBatch(batch, open, this.watermark.lateWatermarkMs)
    }
  }

  /** The windows that a late row would have belonged to. */
  missedWindows(batch: Batch, row: number): MissedWindow[] {
    const timeMs = this.#times(batch)[row] as number
    return this.queries.flatMap(({ name, operator }) =>
      operator
        .missedWindows(timeMs, this.watermark.lateWatermarkMs)
        .map(({ startMs, endMs }) => ({ query: name, startMs, endMs })),
    )
  }

  #times(batch: Batch): Float64Array {
    const column = batch.columns[this.#eventTimeIndex]
    assert(column?.kind === 'number', 'event time is a timestamp')
    return column.values
  }

  /** Takes out rows that are stamped too far ahead of their arrival, and those that are too old. */
  #guard(batch: Batch, times: Float64Array, fates: Uint8Array, from: Selection, clockMs: number): Selection {
    const { clockSkewMaxMs, ageMaxMs } = this.#node
    if (clockSkewMaxMs === null && ageMaxMs === null) return from
    const skewMs = clockSkewMaxMs ?? Number.POSITIVE_INFINITY
    const oldestMs = ageMaxMs === null ? Number.NEGATIVE_INFINITY : clockMs - ageMaxMs
    const into = this.#passed
    let count = 0
    for (let index = 0; index < from.count; index++) {
      const row = from.rows[index] as number
      const timeMs = times[row] as number
      const recordMs = batch.recordTimes[row] as number
      const arrivalMs = recordMs >= 0 && recordMs < clockMs ? recordMs : clockMs
      if (timeMs > arrivalMs + skewMs) raise(fates, row, FateCode.future)
      else if (timeMs < oldestMs) raise(fates, row, FateCode.expired)
      else into[count++] = row
    }
    return { rows: into, count }
  }

  /** Tells late rows from those that the query accepts. */
  #dropLate(query: BranchQuery, times: Float64Array, fates: Uint8Array, from: Selection): Selection {
    const openFromMs = query.operator.openFrom(this.watermark.lateWatermarkMs)
    const into = this.#selected
    let count = 0
    for (let index = 0; index < from.count; index++) {
      const row = from.rows[index] as number
      if ((times[row] as number) >= openFromMs) {
        fates[row] = FateCode.accepted
        into[count++] = row
      } else {
        raise(fates, row, FateCode.late)
      }
    }
    query.lateRows += from.count - count
    return { rows: into, count }
  }
}

/** Keeps the rows for which every predicate is true, in `into` unless there is no predicate. */
function applyFilters(batch: Batch, filters: readonly Predicate[], from: Selection, into: Int32Array): Selection {
  let selection = from
  for (const filter of filters) {
    const count = keepTrue(filter(batch), selection, into)
    selection = { rows: into, count }
  }
  return selection
}

/** In place as well, because a row never moves up. */
function keepTrue(truths: Uint8Array, { rows, count }: Selection, into: Int32Array): number {
  let kept = 0
  for (let index = 0; index < count; index++) {
    const row = rows[index] as number
    if (truths[row] === TRUE) into[kept++] = row
  }
  return kept
}

function newestOf(times: Float64Array, { rows, count }: Selection): number {
  let newestMs = Number.NEGATIVE_INFINITY
  for (let index = 0; index < count; index++) {
    const timeMs = times[rows[index] as number] as number
    if (timeMs > newestMs) newestMs = timeMs
  }
  return newestMs
}

function raise(fates: Uint8Array, row: number, fate: number): void {
  if ((fates[row] as number) < fate) fates[row] = fate
}
