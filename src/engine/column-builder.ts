import { ByteWriter } from '../base/bytes.ts'
import { BOOLEAN_NULL, type Column } from '../batch/column.ts'
import type { Field } from '../batch/schema.ts'

/** Fills one result column row by row; results are few. */
export class ColumnBuilder {
  readonly field: Field
  readonly #text = new ByteWriter(256)
  readonly #starts: Int32Array
  readonly #lengths: Int32Array
  readonly #numbers: Float64Array
  #rows = 0

  constructor(field: Field, rowCount: number) {
    this.field = field
    const text = isText(field) ? rowCount : 0
    this.#starts = new Int32Array(text)
    this.#lengths = new Int32Array(text)
    this.#numbers = new Float64Array(isText(field) ? 0 : rowCount)
  }

  null(): void {
    if (isText(this.field)) this.#lengths[this.#rows++] = -1
    else this.#numbers[this.#rows++] = Number.NaN
  }

  number(value: number): void {
    this.#numbers[this.#rows++] = value
  }

  boolean(value: boolean): void {
    this.number(value ? 1 : 0)
  }

  /** Text as UTF-8, or the sixteen bytes of a UUID. */
  bytes(bytes: Uint8Array): void {
    this.#starts[this.#rows] = this.#text.length
    this.#lengths[this.#rows++] = bytes.length
    this.#text.raw(bytes)
  }

  finish(): Column {
    switch (this.field.type) {
      case 'string':
      case 'json':
        return { kind: 'string', data: this.#text.finish(), starts: this.#starts, lengths: this.#lengths }
      case 'uuid':
        return this.#uuids()
      case 'boolean':
        return {
          kind: 'boolean',
          values: Uint8Array.from(this.#numbers, (value) => (Number.isNaN(value) ? BOOLEAN_NULL : value)),
        }
      case 'int32':
        return {
          kind: 'int32',
          values: Int32Array.from(this.#numbers, (value) => (Number.isNaN(value) ? 0 : value)),
          validity: Uint8Array.from(this.#numbers, (value) => (Number.isNaN(value) ? 0 : 1)),
        }
      default:
        return { kind: 'number', values: this.#numbers }
    }
  }

  #uuids(): Column {
    const bytes = new Uint8Array(this.#rows * 16)
    const validity = new Uint8Array(this.#rows)
    const text = this.#text.view()
    for (let row = 0; row < this.#rows; row++) {
      if ((this.#lengths[row] as number) < 0) continue
      const start = this.#starts[row] as number
      bytes.set(text.subarray(start, start + 16), row * 16)
      validity[row] = 1
    }
    return { kind: 'uuid', bytes, validity }
  }
}

function isText(field: Field): boolean {
  return field.type === 'string' || field.type === 'json' || field.type === 'uuid'
}
