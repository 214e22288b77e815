import { type ByteReader, ByteWriter, encodeText } from '../../base/bytes.ts'
import { formatTime } from '../../base/time.ts'
import { cellText, cellValue } from '../../batch/cell.ts'
import type { Field } from '../../batch/schema.ts'
import { ColumnBuilder } from '../column-builder.ts'
import { holdsKeyPart } from '../keys/key-codec.ts'
import type { SlotCounts } from '../keys/slot-counts.ts'
import { type Aggregator, grownInts, grownNumbers } from './aggregate.ts'
import { ColumnValues } from './column-values.ts'
import { subtracting } from './subtracting.ts'
import { type CountedValues, ValueCountsState } from './value-counts.ts'

/** Different values of a group that are counted; what is beyond is cut off at the end of an epoch. */
const VALUES_MAX = 10_000

/** Values whose order is kept. */
const PLACED_MAX = 64

/** Values whose JSON is kept. */
const ITEMS_MAX = 1024

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
      const renumbered = values.forget((newId) => {
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
  /** `{"value":"/home","count":` by value, of those that were seen first. */
  readonly #items: Uint8Array[] = []
  readonly #text = new ByteWriter(256)
  /** The most frequent values of one group so far, the most frequent first. */
  #topValues = new Int32Array(16)
  #topTimes = new Float64Array(16)
  #topCount = 0
  #topMax = 0
  /** Place of a value in the order of bytes, while there are few values: most counts of few events are equal. */
  #places = new Int32Array(0)

  constructor(field: Field, columnIndex: number, k: number, seed: number) {
    this.column = new ColumnValues(columnIndex, seed)
    this.#field = { ...field, name: 'value' }
    this.#k = k
  }

  get byRow(): Int32Array {
    return this.column.byRow
  }

  get valueCount(): number {
    return this.column.ids.interner.size
  }

  forget(renumber: (newId: (id: number) => number) => void): boolean {
    const forgot = this.column.forget(renumber)
    if (forgot) {
      this.#items.length = 0
      this.#places = new Int32Array(0)
    }
    return forgot
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

  result(counts: SlotCounts, slot: number, approximate: boolean, to: ColumnBuilder): void {
    const text = this.#text
    text.clear()
    text.u8(OPEN)
    this.#findTop(counts, slot, this.#k)
    for (let at = 0; at < this.#topCount; at++) {
      if (at > 0) text.u8(COMMA)
      text.short(this.#item(this.#topValues[at] as number))
      writeDigits(text, this.#topTimes[at] as number)
      text.short(approximate ? APPROXIMATE_END : END)
    }
    text.u8(CLOSE)
    to.bytes(text.view())
  }

  #item(value: number): Uint8Array {
    let item = this.#items[value]
    if (!item) {
      const builder = new ColumnBuilder(this.#field, 1)
      this.column.ids.build(value, builder)
      const column = builder.finish()
      const json = jsonText(cellValue(column, this.#field, 0), cellText(column, this.#field, 0), this.#field)
      item = encodeText(`{"value":${json},"count":`)
      if (value < ITEMS_MAX) this.#items[value] = item
    }
    return item
  }

  mostFrequent(counts: SlotCounts, slot: number, limit: number): Frequency[] {
    this.#findTop(counts, slot, limit)
    return Array.from({ length: this.#topCount }, (_, at) => ({
      value: this.#topValues[at] as number,
      times: this.#topTimes[at] as number,
    }))
  }

  #findTop(counts: SlotCounts, slot: number, limit: number): void {
    if (this.valueCount <= PLACED_MAX && this.#places.length !== this.valueCount) this.#placeValues()
    this.#topCount = 0
    this.#topMax = limit
    counts.each(slot, this.#consider)
  }

  /** Takes a value in among the most frequent, where it belongs there. */
  readonly #consider = (value: number, times: number): void => {
    const full = this.#topCount === this.#topMax
    if (full && this.#order(value, times, this.#topCount - 1) >= 0) return
    let low = 0
    let high = full ? this.#topCount - 1 : this.#topCount
    const end = high
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#order(value, times, middle) > 0) low = middle + 1
      else high = middle
    }
    if (end >= this.#topValues.length) {
      this.#topValues = grownInts(this.#topValues, end + 1)
      this.#topTimes = grownNumbers(this.#topTimes, end + 1)
    }
    const values = this.#topValues
    const frequencies = this.#topTimes
    for (let at = end; at > low; at--) {
      values[at] = values[at - 1] as number
      frequencies[at] = frequencies[at - 1] as number
    }
    values[low] = value
    frequencies[low] = times
    this.#topCount = end + 1
  }

  /** The more frequent first, then by the value's bytes: below 0 when a value stands before the one at a place of the top. */
  #order(value: number, times: number, at: number): number {
    const other = this.#topValues[at] as number
    const places = this.#places
    return (
      (this.#topTimes[at] as number) - times ||
      (places.length > 0 && value < places.length && other < places.length
        ? (places[value] as number) - (places[other] as number)
        : this.compare(value, other))
    )
  }

  #placeValues(): void {
    const sorted = Array.from({ length: this.valueCount }, (_, value) => value)
    sorted.sort((left, right) => this.compare(left, right))
    this.#places = new Int32Array(sorted.length)
    for (const [place, value] of sorted.entries()) this.#places[value] = place
  }
}

const OPEN = 0x5b
const COMMA = 0x2c
const CLOSE = 0x5d
const ZERO = 0x30
const END = encodeText('}')
const APPROXIMATE_END = encodeText(',"approximate":true}')

/** A whole number. */
function writeDigits(text: ByteWriter, value: number): void {
  if (value > 9) writeDigits(text, Math.floor(value / 10))
  text.u8(ZERO + (value % 10))
}

function jsonText(value: string | number | boolean | null, text: string, { type }: Field): string {
  if (type === 'timestamp') return JSON.stringify(formatTime(Number(value)))
  return typeof value === 'string' ? JSON.stringify(value) : text
}
