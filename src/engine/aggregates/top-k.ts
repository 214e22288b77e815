import { type ByteReader, type ByteWriter, encodeText } from '../../base/bytes.ts'
import { formatTime } from '../../base/time.ts'
import { cellText, cellValue } from '../../batch/cell.ts'
import type { Field } from '../../batch/schema.ts'
import { ColumnBuilder } from '../column-builder.ts'
import { holdsKeyPart } from '../keys/key-codec.ts'
import type { PairCounts } from '../keys/pair-counts.ts'
import type { Aggregator } from './aggregate.ts'
import { ColumnValues } from './column-values.ts'
import { subtracting } from './subtracting.ts'
import { type CountedValues, ValueCountsState } from './value-counts.ts'

/** Different values of a group that are counted; what is beyond is cut off at the end of an epoch. */
const VALUES_MAX = 10_000

/** What the aggregate is made for. */
export interface TopKOptions {
  readonly field: Field
  readonly columnIndex: number
  readonly k: number
  readonly seed: number
  readonly valuesMax?: number
}

/**
 * The most frequent values with their counts, as JSON: `[{"value":"/home","count":12}, ...]`, sorted by count, then by the value's bytes.
 * All values are counted, so the counts are exact; only a group that has had more than `valuesMax` different ones at the end of an epoch
 * goes on with the most frequent of them, and from then on says `"approximate":true` with each.
 */
export function topK({ field, columnIndex, k, seed, valuesMax = VALUES_MAX }: TopKOptions): Aggregator {
  const values = new TopValues(field, columnIndex, k, seed)
  const newState = (): ValueCountsState => new ValueCountsState(values)
  return {
    begin: (batch, rows, count) => values.column.begin(batch, rows, count),
    newState,
    newRunning: () => subtracting(newState()),
    forget(states) {
      let cut = false
      for (const state of states as readonly ValueCountsState[]) {
        for (const slot of state.counts.largerThan(valuesMax)) {
          state.keepOnly(slot, values.mostFrequent(state.counts, slot, valuesMax))
          cut = true
        }
      }
      const renumbered = values.column.forget((newId) => {
        for (const { counts } of states as readonly ValueCountsState[]) counts.renumber(newId)
      })
      return cut || renumbered
    },
  }
}

/** A value, by its id, with how often it came. */
interface Frequency {
  readonly value: number
  readonly times: number
}

class TopValues implements CountedValues {
  readonly column: ColumnValues
  readonly #field: Field
  readonly #k: number

  constructor(field: Field, columnIndex: number, k: number, seed: number) {
    this.column = new ColumnValues(columnIndex, seed)
    this.#field = { ...field, name: 'value' }
    this.#k = k
  }

  get byRow(): Int32Array {
    return this.column.byRow
  }

  compare(left: number, right: number): number {
    return this.column.ids.interner.compare(left, right)
  }

  write(id: number, writer: ByteWriter): void {
    writer.bytes(this.column.ids.interner.bytes(id))
  }

  read(reader: ByteReader): number {
    const bytes = reader.bytes()
    if (!holdsKeyPart(bytes, this.#field.type)) throw reader.corrupt('a value is none of its type')
    return this.column.ids.interner.intern(bytes)
  }

  result(counts: PairCounts, slot: number, approximate: boolean, to: ColumnBuilder): void {
    const top = this.mostFrequent(counts, slot, this.#k)
    const builder = new ColumnBuilder(this.#field, top.length)
    for (const { value } of top) this.column.ids.build(value, builder)
    const column = builder.finish()
    const mark = approximate ? ',"approximate":true' : ''
    const items = top.map(({ times }, row) => {
      const value = jsonText(cellValue(column, this.#field, row), cellText(column, this.#field, row), this.#field)
      return `{"value":${value},"count":${times}${mark}}`
    })
    to.bytes(encodeText(`[${items.join(',')}]`))
  }

  mostFrequent(counts: PairCounts, slot: number, limit: number): Frequency[] {
    const top: Frequency[] = []
    counts.each(slot, (value, times) => {
      const candidate = { value, times }
      const worst = top.length < limit ? undefined : top.at(-1)
      if (worst && this.#order(candidate, worst) >= 0) return
      if (worst) top.pop()
      top.splice(this.#placeIn(top, candidate), 0, candidate)
    })
    return top
  }

  #placeIn(top: readonly Frequency[], candidate: Frequency): number {
    let low = 0
    let high = top.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#order(top[middle] as Frequency, candidate) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The more frequent first, then by the value's bytes. */
  #order(left: Frequency, right: Frequency): number {
    return right.times - left.times || this.compare(left.value, right.value)
  }
}

function jsonText(value: string | number | boolean | null, text: string, { type }: Field): string {
  if (type === 'timestamp') return JSON.stringify(formatTime(Number(value)))
  return typeof value === 'string' ? JSON.stringify(value) : text
}
