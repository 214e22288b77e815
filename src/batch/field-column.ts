import { assert, unreachable } from '../base/assert.ts'
import { RowError } from './batch.ts'
import { BOOLEAN_NULL, type Column } from './column.ts'
import { InternedDictionary } from './interned-dictionary.ts'
import { IsoTimestamp, TIME_END_MS, TIME_MIN_MS } from './iso-timestamp.ts'
import type { JsonNumber } from './json-number.ts'
import type { Field } from './schema.ts'
import { parseUuid } from './uuid-text.ts'

/** Which JSON values a field takes, and how they are read. */
export const ValueKind = {
  text: 0,
  uuid: 1,
  isoTime: 2,
  number: 3,
  boolean: 4,
  json: 5,
  rest: 6,
} as const

/** The arrays behind a column, one element for each row (16 for a UUID). */
export type ColumnArrays =
  | { readonly kind: 'text'; starts: Int32Array; lengths: Int32Array; codes: Int32Array }
  | { readonly kind: 'uuid'; bytes: Uint8Array; validity: Uint8Array }
  | { readonly kind: 'number'; values: Float64Array }
  | { readonly kind: 'int32'; values: Int32Array; validity: Uint8Array }
  | { readonly kind: 'boolean'; values: Uint8Array }

/**
 * The column of one field while a batch is filled: rows begin as null, `put...` gives one its value or says why not.
 * Text is kept as slices until the whole batch has been read; only then `finish` interns it, so that no refused row
 * leaves a trace in a dictionary, and look-ups of one dictionary stand together.
 */
export class FieldColumn {
  readonly field: Field
  readonly index: number
  readonly kind: number
  column: Column
  /** Text and JSON: where the value stands in the batch's data; length -1 is null. */
  starts: Int32Array = new Int32Array(0)
  lengths: Int32Array = new Int32Array(0)
  readonly #iso: IsoTimestamp
  readonly #hashSeed: number
  #values: Float64Array = new Float64Array(0)
  #integers: Int32Array = new Int32Array(0)
  #uuids: Uint8Array = new Uint8Array(0)
  /** Booleans, or the validity of integers and UUIDs. */
  #flags: Uint8Array = new Uint8Array(0)

  constructor(field: Field, index: number, hashSeed: number) {
    this.field = field
    this.index = index
    this.kind = valueKind(field)
    this.#iso = new IsoTimestamp(field.timeZone)
    this.#hashSeed = (hashSeed + index) | 0
    this.column = emptyColumn(field, this.#hashSeed)
  }

  /** Makes room for rows; the new ones are null. */
  grow(capacity: number): void {
    this.attach(this.#grown(capacity))
  }

  /** Sets the arrays that hold the rows from now on. */
  attach(arrays: ColumnArrays): void {
    const column = this.column
    switch (arrays.kind) {
      case 'text':
        this.starts = arrays.starts
        this.lengths = arrays.lengths
        if (column.kind === 'dictionary') column.codes = arrays.codes
        else Object.assign(column, { starts: arrays.starts, lengths: arrays.lengths })
        return
      case 'uuid':
        this.#uuids = arrays.bytes
        this.#flags = arrays.validity
        Object.assign(column, { bytes: arrays.bytes, validity: arrays.validity })
        return
      case 'number':
        this.#values = arrays.values
        Object.assign(column, { values: arrays.values })
        return
      case 'int32':
        this.#integers = arrays.values
        this.#flags = arrays.validity
        Object.assign(column, { values: arrays.values, validity: arrays.validity })
        return
      case 'boolean':
        this.#flags = arrays.values
        Object.assign(column, { values: arrays.values })
        return
      default:
        unreachable(arrays)
    }
  }

  /** Makes rows `from` to `to` null. */
  clear(from: number, to: number): void {
    switch (this.column.kind) {
      case 'dictionary':
      case 'string':
        this.lengths.fill(-1, from, to)
        return
      case 'number':
        this.#values.fill(Number.NaN, from, to)
        return
      case 'boolean':
        this.#flags.fill(BOOLEAN_NULL, from, to)
        return
      case 'uuid':
      case 'int32':
        this.#flags.fill(0, from, to)
    }
  }

  /** Makes one row null. */
  clearRow(row: number): void {
    switch (this.column.kind) {
      case 'dictionary':
      case 'string':
        this.lengths[row] = -1
        return
      case 'number':
        this.#values[row] = Number.NaN
        return
      case 'boolean':
        this.#flags[row] = BOOLEAN_NULL
        return
      case 'uuid':
      case 'int32':
        this.#flags[row] = 0
    }
  }

  putText(row: number, start: number, length: number): void {
    this.starts[row] = start
    this.lengths[row] = length
  }

  putUuid(row: number, bytes: Uint8Array, start: number, end: number): number {
    if (!parseUuid(bytes, start, end, this.#uuids, 16 * row)) return RowError.badUuid
    this.#flags[row] = 1
    return RowError.none
  }

  putTimestamp(row: number, view: DataView, bytes: Uint8Array, start: number, end: number): number {
    const timeMs = this.#iso.parse(view, bytes, start, end)
    if (Number.isNaN(timeMs)) return this.#iso.error
    this.#values[row] = timeMs
    return RowError.none
  }

  putBoolean(row: number, value: boolean): void {
    this.#flags[row] = value ? 1 : 0
  }

  putNumber(row: number, number: JsonNumber): number {
    const { type, scale, format } = this.field
    switch (type) {
      case 'decimal':
        return this.#putValue(row, number.scaled(scale ?? 0, true))
      case 'float64': {
        const value = number.double()
        return this.#putValue(row, Number.isFinite(value) ? value : Number.NaN)
      }
      case 'timestamp':
        return this.#putEpoch(row, number, format === 'epoch-s' ? 3 : 0)
      default:
        return this.#putInteger(row, number)
    }
  }

  /** Takes the record's own time, ms since 1970, where the row is null and the field says so. */
  fillFrom(recordTimes: Float64Array, status: Uint8Array, rowCount: number): void {
    if (this.field.orRecordTime !== true) return
    const values = this.#values
    for (let row = 0; row < rowCount; row++) {
      if (!Number.isNaN(values[row]) || status[row] !== 0) continue
      const timeMs = recordTimes[row]
      if (timeMs >= TIME_MIN_MS && timeMs < TIME_END_MS) values[row] = timeMs
    }
  }

  /** Interns the rows' texts. A dictionary that is full gives way to a new one first, so that a batch has one per column. */
  finish(data: Uint8Array, view: DataView, rowCount: number, entriesMax: number): void {
    if (this.column.kind === 'string') {
      this.column.data = data
      return
    }
    if (this.column.kind !== 'dictionary') return
    let dictionary = this.column.dictionary
    assert(dictionary instanceof InternedDictionary, 'a decoder fills its own dictionaries only')
    if (dictionary.full(entriesMax)) {
      dictionary = new InternedDictionary(this.#hashSeed)
      this.column = { kind: 'dictionary', codes: this.column.codes, dictionary }
    }
    internSlices(dictionary as InternedDictionary, view, this.starts, this.lengths, this.column.codes, rowCount)
  }

  #grown(capacity: number): ColumnArrays {
    const integers = (from: Int32Array): Int32Array => copied(from, new Int32Array(capacity))
    const flags = (fill: number): Uint8Array => copied(this.#flags, new Uint8Array(capacity).fill(fill))
    const { kind } = this.column
    switch (kind) {
      case 'dictionary':
      case 'string': {
        const lengths = copied(this.lengths, new Int32Array(capacity).fill(-1))
        const codes = new Int32Array(kind === 'dictionary' ? capacity : 0)
        return { kind: 'text', starts: integers(this.starts), lengths, codes }
      }
      case 'uuid':
        return { kind, bytes: copied(this.#uuids, new Uint8Array(16 * capacity)), validity: flags(0) }
      case 'number':
        return { kind, values: copied(this.#values, new Float64Array(capacity).fill(Number.NaN)) }
      case 'int32':
        return { kind, values: integers(this.#integers), validity: flags(0) }
      case 'boolean':
        return { kind, values: flags(BOOLEAN_NULL) }
      default:
        return unreachable(kind)
    }
  }

  #putValue(row: number, value: number): number {
    if (Number.isNaN(value)) return RowError.numberRange
    this.#values[row] = value
    return RowError.none
  }

  #putInteger(row: number, number: JsonNumber): number {
    const value = number.scaled(0, false)
    if (number.inexact) return RowError.notInteger
    if (this.column.kind !== 'int32') return this.#putValue(row, value)
    if ((value | 0) !== value) return RowError.numberRange
    this.#integers[row] = value
    this.#flags[row] = 1
    return RowError.none
  }

  #putEpoch(row: number, number: JsonNumber, scale: number): number {
    const timeMs = number.scaled(scale, false)
    if (scale === 0 && number.inexact) return RowError.badTimestamp
    if (!(timeMs >= TIME_MIN_MS && timeMs < TIME_END_MS)) return RowError.timestampRange
    this.#values[row] = timeMs
    return RowError.none
  }
}

/** Hot loop: the code of each slice; -1 where there is none. */
function internSlices(
  dictionary: InternedDictionary,
  view: DataView,
  starts: Int32Array,
  lengths: Int32Array,
  codes: Int32Array,
  rowCount: number,
): void {
  for (let row = 0; row < rowCount; row++) {
    const length = lengths[row]
    codes[row] = length < 0 ? -1 : dictionary.internAt(view, starts[row], length)
  }
}

function valueKind(field: Field): number {
  switch (field.type) {
    case 'string':
      return ValueKind.text
    case 'json':
      return field.rest ? ValueKind.rest : ValueKind.json
    case 'uuid':
      return ValueKind.uuid
    case 'timestamp':
      return (field.format ?? 'iso') === 'iso' ? ValueKind.isoTime : ValueKind.number
    case 'boolean':
      return ValueKind.boolean
    default:
      return ValueKind.number
  }
}

function emptyColumn(field: Field, hashSeed: number): Column {
  const none = new Uint8Array(0)
  switch (field.type) {
    case 'string':
      if (field.cardinality !== 'unique') {
        return { kind: 'dictionary', codes: new Int32Array(0), dictionary: new InternedDictionary(hashSeed) }
      }
      return { kind: 'string', data: none, starts: new Int32Array(0), lengths: new Int32Array(0) }
    case 'json':
      return { kind: 'string', data: none, starts: new Int32Array(0), lengths: new Int32Array(0) }
    case 'uuid':
      return { kind: 'uuid', bytes: none, validity: none }
    case 'int32':
      return { kind: 'int32', values: new Int32Array(0), validity: none }
    case 'boolean':
      return { kind: 'boolean', values: none }
    default:
      return { kind: 'number', values: new Float64Array(0) }
  }
}

function copied<T extends Int32Array | Uint8Array | Float64Array>(from: ArrayLike<number>, to: T): T {
  to.set(from)
  return to
}
