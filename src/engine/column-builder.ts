import { BOOLEAN_NULL, type Column } from '../batch/column.ts'
import { copyShort } from '../batch/dictionary.ts'
import type { Field } from '../batch/schema.ts'
import { grownInts, grownNumbers } from './aggregates/aggregate.ts'

/** Fills one result column row by row; results are few. */
export class ColumnBuilder {
  readonly field: Field
  #text = new Uint8Array(256)
  #textLength = 0
  #starts: Int32Array<ArrayBuffer>
  #lengths: Int32Array<ArrayBuffer>
  #numbers: Float64Array<ArrayBuffer>
  #rows = 0

  /** `rowsExpected` is where the room for rows begins; it grows. */
  constructor(field: Field, rowsExpected = 64) {
    this.field = field
    const text = isText(field) ? rowsExpected : 0
    this.#starts = new Int32Array(text)
    this.#lengths = new Int32Array(text)
    this.#numbers = new Float64Array(isText(field) ? 0 : rowsExpected)
  }

  null(): void {
    if (isText(this.field)) this.#slice(-1)
    else this.number(Number.NaN)
  }

  number(value: number): void {
    if (this.#rows >= this.#numbers.length) this.#numbers = grownNumbers(this.#numbers, this.#rows + 1)
    this.#numbers[this.#rows++] = value
  }

  boolean(value: boolean): void {
    this.number(value ? 1 : 0)
  }

  /** The same number for so many rows. */
  repeat(value: number, count: number): void {
    this.#numbers = grownNumbers(this.#numbers, this.#rows + count)
    this.#numbers.fill(value, this.#rows, this.#rows + count)
    this.#rows += count
  }

  /** `values[slots[i]]` for every slot that is named; NaN is null. */
  gather(values: Float64Array | Int32Array, slots: Int32Array): void {
    this.#numbers = grownNumbers(this.#numbers, this.#rows + slots.length)
    gatherNumbers(values, slots, this.#numbers, this.#rows)
    this.#rows += slots.length
  }

  /** Text as UTF-8, or the sixteen bytes of a UUID; those from start to end, without a view of them. */
  bytes(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    const length = end - start
    const at = this.#textLength
    this.#slice(length)
    this.#textLength = at + length
    if (at + length > this.#text.length) {
      const grown = new Uint8Array(Math.max(at + length, this.#text.length * 2))
      grown.set(this.#text)
      this.#text = grown
    }
    copyShort(bytes, start, length, this.#text, at)
  }

  finish(): Column {
    switch (this.field.type) {
      case 'string':
      case 'json':
        return {
          kind: 'string',
          data: this.#text.slice(0, this.#textLength),
          starts: this.#starts.slice(0, this.#rows),
          lengths: this.#lengths.slice(0, this.#rows),
        }
      case 'uuid':
        return this.#uuids()
      case 'boolean':
        return {
          kind: 'boolean',
          values: Uint8Array.from(this.#finished(), (value) => (Number.isNaN(value) ? BOOLEAN_NULL : value)),
        }
      case 'int32':
        return {
          kind: 'int32',
          values: Int32Array.from(this.#finished(), (value) => (Number.isNaN(value) ? 0 : value)),
          validity: Uint8Array.from(this.#finished(), (value) => (Number.isNaN(value) ? 0 : 1)),
        }
      default:
        return { kind: 'number', values: this.#finished() }
    }
  }

  #slice(length: number): void {
    this.#starts = grownInts(this.#starts, this.#rows + 1)
    this.#lengths = grownInts(this.#lengths, this.#rows + 1)
    this.#starts[this.#rows] = this.#textLength
    this.#lengths[this.#rows++] = length
  }

  #finished(): Float64Array {
    return this.#numbers.slice(0, this.#rows)
  }

  #uuids(): Column {
    const bytes = new Uint8Array(this.#rows * 16)
    const validity = new Uint8Array(this.#rows)
    const text = this.#text
    for (let row = 0; row < this.#rows; row++) {
      if ((this.#lengths[row] as number) < 0) continue
      const start = this.#starts[row] as number
      bytes.set(text.subarray(start, start + 16), row * 16)
      validity[row] = 1
    }
    return { kind: 'uuid', bytes, validity }
  }
}

function gatherNumbers(values: Float64Array | Int32Array, slots: Int32Array, into: Float64Array, from: number): void {
  for (let index = 0; index < slots.length; index++) into[from + index] = values[slots[index] as number] as number
}

function isText(field: Field): boolean {
  return field.type === 'string' || field.type === 'json' || field.type === 'uuid'
}
