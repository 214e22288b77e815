import { unreachable } from '../../base/assert.ts'
import { ByteWriter } from '../../base/bytes.ts'
import type { Column } from '../../batch/column.ts'
import type { Dictionary } from '../../batch/dictionary.ts'
import { InternedDictionary } from '../../batch/interned-dictionary.ts'
import { grownInts, grownNumbers } from '../aggregates/aggregate.ts'

const NO_UUID = new Uint8Array(16)

/**
 * Copies values of one column out of batches that will be gone, row by row in the order in which they come. Text that came as a dictionary
 * stays one, with only the values that occur. Behind a null lies nothing, whatever lay there before: equal values give equal bytes.
 */
export class ColumnCollector {
  #rowCount = 0
  #kind: Column['kind'] | undefined
  #numbers = new Float64Array(0)
  #ints = new Int32Array(0)
  #lengths = new Int32Array(0)
  readonly #bytes = new ByteWriter(256)
  readonly #dictionary: InternedDictionary
  #source: Dictionary | undefined
  /** Own code + 1 by code of the source. */
  #codes = new Int32Array(0)

  constructor(hashSeed: number) {
    this.#dictionary = new InternedDictionary(hashSeed)
  }

  append(column: Column, rows: Int32Array, count: number): void {
    this.#kind ??= column.kind
    const start = this.#rowCount
    this.#rowCount += count
    switch (column.kind) {
      case 'dictionary':
        this.#ints = grownInts(this.#ints, this.#rowCount)
        this.#appendCodes(column.codes, column.dictionary, rows, start, count)
        return
      case 'string':
        this.#ints = grownInts(this.#ints, this.#rowCount)
        this.#lengths = grownInts(this.#lengths, this.#rowCount)
        for (let index = 0; index < count; index++) this.#appendSlice(column, rows[index] as number, start + index)
        return
      case 'uuid':
        this.#ints = grownInts(this.#ints, this.#rowCount)
        for (let index = 0; index < count; index++) {
          const row = rows[index] as number
          const valid = column.validity[row] as number
          this.#ints[start + index] = valid
          this.#bytes.raw(valid === 0 ? NO_UUID : column.bytes.subarray(row * 16, row * 16 + 16))
        }
        return
      case 'int32':
        this.#numbers = grownNumbers(this.#numbers, this.#rowCount)
        this.#ints = grownInts(this.#ints, this.#rowCount)
        for (let index = 0; index < count; index++) {
          const row = rows[index] as number
          const valid = column.validity[row] as number
          this.#numbers[start + index] = valid === 0 ? 0 : (column.values[row] as number)
          this.#ints[start + index] = valid
        }
        return
      case 'number':
      case 'boolean':
        this.#numbers = grownNumbers(this.#numbers, this.#rowCount)
        for (let index = 0; index < count; index++) {
          this.#numbers[start + index] = column.values[rows[index] as number] as number
        }
        return
      default:
        unreachable(column)
    }
  }

  /** All values as one column of the kind that came; undefined when none came. */
  finish(): Column | undefined {
    const count = this.#rowCount
    const ints = this.#ints.slice(0, count)
    switch (this.#kind) {
      case undefined:
        return undefined
      case 'dictionary':
        return { kind: 'dictionary', codes: ints, dictionary: this.#dictionary }
      case 'string':
        return { kind: 'string', data: this.#bytes.finish(), starts: ints, lengths: this.#lengths.slice(0, count) }
      case 'uuid':
        return { kind: 'uuid', bytes: this.#bytes.finish(), validity: Uint8Array.from(ints) }
      case 'number':
        return { kind: 'number', values: this.#numbers.slice(0, count) }
      case 'int32':
        return {
          kind: 'int32',
          values: Int32Array.from(this.#numbers.subarray(0, count)),
          validity: Uint8Array.from(ints),
        }
      case 'boolean':
        return { kind: 'boolean', values: Uint8Array.from(this.#numbers.subarray(0, count)) }
      default:
        return unreachable(this.#kind)
    }
  }

  #appendCodes(codes: Int32Array, dictionary: Dictionary, rows: Int32Array, start: number, count: number): void {
    if (this.#source !== dictionary) {
      this.#source = dictionary
      this.#codes = new Int32Array(dictionary.size)
    }
    this.#codes = grownInts(this.#codes, dictionary.size)
    for (let index = 0; index < count; index++) {
      const code = codes[rows[index] as number] as number
      if (code < 0) {
        this.#ints[start + index] = -1
        continue
      }
      if (this.#codes[code] === 0) {
        const bytes = dictionary.bytes(code)
        this.#codes[code] = this.#dictionary.intern(bytes, 0, bytes.length) + 1
      }
      this.#ints[start + index] = (this.#codes[code] as number) - 1
    }
  }

  #appendSlice(column: Extract<Column, { kind: 'string' }>, row: number, to: number): void {
    const length = column.lengths[row] as number
    const from = column.starts[row] as number
    this.#ints[to] = this.#bytes.length
    this.#lengths[to] = length
    if (length > 0) this.#bytes.raw(column.data.subarray(from, from + length))
  }
}
