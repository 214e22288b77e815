import { type ByteReader, ByteWriter, encodeText } from '../../base/bytes.ts'
import { formatTime } from '../../base/time.ts'
import { cellText, cellValue } from '../../batch/cell.ts'
import type { Field } from '../../batch/schema.ts'
import { ColumnBuilder } from '../column-builder.ts'
import { holdsKeyPart } from '../keys/key-codec.ts'
import type { SlotCounts } from '../keys/slot-counts.ts'
import type { Aggregator } from './aggregate.ts'
import { ColumnValues } from './column-values.ts'
import { subtracting } from './subtracting.ts'
import { type CountedValues, ValueCountsState } from './value-counts.ts'

/** Different values of a group that are counted; what is beyond is cut off at the end of an epoch. */
const VALUES_MAX = 10_000

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
    if (forgot) this.#items.length = 0
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
    for (const [index, { value, times }] of this.mostFrequent(counts, slot, this.#k).entries()) {
      if (index > 0) text.u8(COMMA)
      text.short(this.#item(value))
      writeDigits(text, times)
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
