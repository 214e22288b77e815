import { unreachable } from '../../base/assert.ts'
import { ByteWriter } from '../../base/bytes.ts'
import {
  BOOLEAN_NULL,
  type BooleanColumn,
  type Column,
  type DictionaryColumn,
  type Int32Column,
  type StringColumn,
  type UuidColumn,
} from '../../batch/column.ts'
import type { Dictionary } from '../../batch/dictionary.ts'
import type { Field } from '../../batch/schema.ts'
import { grownInts, grownNumbers } from '../aggregates/aggregate.ts'
import { decodeKeyPart, type KeyPartTarget } from '../keys/key-codec.ts'

/** One column of rows that wait, each value at a place: numbers (NaN for null) or slices of bytes (length -1 for null). */
export class HeldColumn implements KeyPartTarget {
  readonly field: Field
  readonly #isText: boolean
  #count = 0
  #numbers = new Float64Array(0)
  readonly #bytes = new ByteWriter(1 << 10)
  #starts = new Int32Array(0)
  #lengths = new Int32Array(0)
  /** By code: 1 + the first place that has it. */
  readonly #placesByCode = new WeakMap<Dictionary, Int32Array<ArrayBuffer>>()

  constructor(field: Field) {
    this.field = field
    this.#isText = field.type === 'string' || field.type === 'json' || field.type === 'uuid'
  }

  /** Copies the values of the rows that are selected to the next places. */
  append(column: Column, rows: Int32Array, count: number): void {
    this.#makeRoom(count)
    switch (column.kind) {
      case 'dictionary':
        this.#appendCodes(column, rows, count)
        break
      case 'number':
        for (let index = 0; index < count; index++) this.number(column.values[rows[index] as number] as number)
        break
      default:
        for (let index = 0; index < count; index++) this.#appendOne(column, rows[index] as number)
    }
  }

  #appendOne(column: StringColumn | UuidColumn | Int32Column | BooleanColumn, row: number): void {
    switch (column.kind) {
      case 'string': {
        const [start, length] = [column.starts[row] as number, column.lengths[row] as number]
        if (length < 0) this.null()
        else this.bytes(column.data.subarray(start, start + length))
        break
      }
      case 'uuid':
        if (column.validity[row] === 0) this.null()
        else this.bytes(column.bytes.subarray(row * 16, row * 16 + 16))
        break
      case 'int32':
        this.number(column.validity[row] === 0 ? Number.NaN : (column.values[row] as number))
        break
      case 'boolean':
        this.number(column.values[row] === BOOLEAN_NULL ? Number.NaN : (column.values[row] as number))
        break
      default:
        unreachable(column)
    }
  }

  /** The bytes of a dictionary's value are kept once, however many rows have it. */
  #appendCodes({ codes, dictionary }: DictionaryColumn, rows: Int32Array, count: number): void {
    let places = this.#placesByCode.get(dictionary) ?? new Int32Array(64)
    for (let index = 0; index < count; index++) {
      const code = codes[rows[index] as number] as number
      if (code < 0) {
        this.null()
        continue
      }
      if (code >= places.length) places = grownInts(places, code + 1)
      const known = (places[code] as number) - 1
      if (known < 0) {
        places[code] = this.#count + 1
        this.bytes(dictionary.bytes(code))
      } else {
        this.#starts[this.#count] = this.#starts[known] as number
        this.#lengths[this.#count++] = this.#lengths[known] as number
      }
    }
    this.#placesByCode.set(dictionary, places)
  }

  /** Takes the value that begins at a position of a key; gives where the next one begins. */
  appendKeyPart(key: Uint8Array, at: number): number {
    return decodeKeyPart(this, key, at)
  }

  null(): void {
    if (this.#isText) this.#slice(-1)
    else this.number(Number.NaN)
  }

  number(value: number): void {
    this.#makeRoom(1)
    // -0 and 0 are one value.
    this.#numbers[this.#count++] = value + 0
  }

  boolean(value: boolean): void {
    this.number(value ? 1 : 0)
  }

  bytes(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    this.#slice(end - start)
    this.#bytes.raw(bytes.subarray(start, end))
  }

  /** The values at some places, one a row; texts are slices of what is held, whose bytes are never overwritten. */
  gather(places: Int32Array): Column {
    if (this.field.type === 'uuid') return this.#uuids(places)
    if (this.#isText) {
      return {
        kind: 'string',
        data: this.#bytes.view(),
        starts: gatheredInts(this.#starts, places),
        lengths: gatheredInts(this.#lengths, places),
      }
    }
    const values = gatheredNumbers(this.#numbers, places)
    if (this.field.type === 'boolean') {
      return {
        kind: 'boolean',
        values: Uint8Array.from(values, (value) => (Number.isNaN(value) ? BOOLEAN_NULL : value)),
      }
    }
    if (this.field.type !== 'int32') return { kind: 'number', values }
    return {
      kind: 'int32',
      values: Int32Array.from(values, (value) => (Number.isNaN(value) ? 0 : value)),
      validity: Uint8Array.from(values, (value) => (Number.isNaN(value) ? 0 : 1)),
    }
  }

  #makeRoom(count: number): void {
    if (this.#isText) {
      this.#starts = grownInts(this.#starts, this.#count + count)
      this.#lengths = grownInts(this.#lengths, this.#count + count)
    } else this.#numbers = grownNumbers(this.#numbers, this.#count + count)
  }

  #slice(length: number): void {
    this.#makeRoom(1)
    this.#starts[this.#count] = this.#bytes.length
    this.#lengths[this.#count++] = length
  }

  #uuids(places: Int32Array): Column {
    const bytes = new Uint8Array(places.length * 16)
    const validity = new Uint8Array(places.length)
    const all = this.#bytes.view()
    for (const [row, place] of places.entries()) {
      if ((this.#lengths[place] as number) < 0) continue
      const start = this.#starts[place] as number
      bytes.set(all.subarray(start, start + 16), row * 16)
      validity[row] = 1
    }
    return { kind: 'uuid', bytes, validity }
  }
}

/** The numbers at some places. */
export function gatheredNumbers(numbers: Float64Array, places: Int32Array): Float64Array<ArrayBuffer> {
  const gathered = new Float64Array(places.length)
  for (let row = 0; row < places.length; row++) gathered[row] = numbers[places[row] as number] as number
  return gathered
}

function gatheredInts(ints: Int32Array, places: Int32Array): Int32Array<ArrayBuffer> {
  const gathered = new Int32Array(places.length)
  for (let row = 0; row < places.length; row++) gathered[row] = ints[places[row] as number] as number
  return gathered
}
