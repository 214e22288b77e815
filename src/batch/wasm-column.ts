import { assert, unreachable } from '../base/assert.ts'
import { type ColumnArrays, FieldColumn, ValueKind } from './field-column.ts'
import { MirroredDictionary } from './mirrored-dictionary.ts'
import type { Field } from './schema.ts'
import type { DecoderExports, DecoderInstance } from './wasm-module.ts'

/** How the decoder's module calls the operation that reads a column's values: the numbers of `wasm/operation.ts`. */
const Operation = {
  dictionary: 2,
  text: 3,
  uuid: 4,
  isoTime: 5,
  decimal: 7,
  double: 8,
  int64: 9,
  int32: 10,
  epoch: 11,
  boolean: 12,
  json: 13,
  rest: 14,
} as const

/** Added to each array, so that the same row of all columns does not compete for the same few cache lines. */
const STAGGER_BYTES = 5 * 64

/** Bytes that a column of the field takes, at most. */
export function columnBytes(rowsMax: number): number {
  return 17 * rowsMax + 3 * STAGGER_BYTES
}

/** The column of one field, in the memory of a decoder's module: that fills it, and the host can as well. */
export class WasmColumn {
  readonly fieldColumn: FieldColumn
  readonly #instance: DecoderInstance
  /** Addresses of the arrays of texts; of the dictionary, 0 when there is none. */
  readonly #starts: number = 0
  readonly #lengths: number = 0
  readonly #codes: number = 0
  readonly #dictionary: number = 0
  /** Whether texts are looked up when the whole batch has been read. */
  readonly #deferred: boolean
  #mirror: MirroredDictionary | undefined

  constructor(instance: DecoderInstance, field: Field, index: number, rowsMax: number) {
    const { exports, buffer } = instance
    this.#instance = instance
    this.fieldColumn = new FieldColumn(field, index, 0)
    const arrays = new ColumnReservation(exports, rowsMax)
    const { kind } = this.fieldColumn.column
    const values = arrays.reserve(valueBytes(kind))
    const extra = arrays.reserve(extraBytes(kind))
    if (kind === 'string' || kind === 'dictionary') {
      this.#starts = values
      this.#lengths = extra
    }
    if (kind === 'dictionary') {
      this.#codes = arrays.reserve(4)
      this.#dictionary = exports.createDictionary()
    }
    this.fieldColumn.attach(viewsOf(kind, buffer, rowsMax, values, extra, this.#codes))
    const operation = operationOf(field)
    if (operation === Operation.dictionary) exports.addColumn(operation, this.#codes, this.#dictionary)
    else exports.addColumn(operation, values, kind === 'number' ? parameterOf(field) : extra)
    this.#deferred = operation === Operation.text
    if (this.fieldColumn.kind === ValueKind.rest) exports.prepareRest(values, extra)
  }

  /** Values in the dictionary, 0 when there is none; and their bytes. */
  get dictionarySize(): number {
    return this.#dictionary === 0 ? 0 : this.#instance.exports.dictionarySize(this.#dictionary)
  }

  get dictionaryByteLength(): number {
    return this.#dictionary === 0 ? 0 : this.#instance.exports.dictionaryByteLength(this.#dictionary)
  }

  get hasDictionary(): boolean {
    return this.#dictionary !== 0
  }

  /** Begins an empty generation of the dictionary. */
  beginGeneration(): void {
    assert(this.#dictionary !== 0, 'the column has a dictionary')
    this.#instance.exports.resetDictionary(this.#dictionary)
    this.#mirror = new MirroredDictionary(this.#instance, this.#dictionary)
    const { column } = this.fieldColumn
    if (column.kind !== 'dictionary') return
    this.fieldColumn.column = { kind: 'dictionary', codes: column.codes, dictionary: this.#mirror }
  }

  /**
   * Completes the rows of texts, whose slices point into `data`, which begins at the address `base`. The numbers of the rows that the
   * host has read are at the address `hostRows`.
   */
  finish(rowCount: number, data: Uint8Array, base: number, hostRows: number, hostRowCount: number): void {
    const { column } = this.fieldColumn
    if (column.kind === 'string') column.data = data
    if (this.#mirror === undefined) return
    const { exports } = this.#instance
    const texts = [this.#dictionary, base, this.#starts, this.#lengths, this.#codes] as const
    if (this.#deferred) exports.internColumn(...texts, rowCount)
    else if (hostRowCount > 0) exports.internRows(...texts, hostRows, hostRowCount)
    this.#mirror.update()
  }
}

class ColumnReservation {
  readonly #exports: DecoderExports
  readonly #rowsMax: number

  constructor(exports: DecoderExports, rowsMax: number) {
    this.#exports = exports
    this.#rowsMax = rowsMax
  }

  /** Address of an array with as many bytes for each row. */
  reserve(bytesPerRow: number): number {
    return bytesPerRow === 0 ? 0 : this.#exports.reserve(bytesPerRow * this.#rowsMax + STAGGER_BYTES)
  }
}

type ColumnKind = FieldColumn['column']['kind']

function valueBytes(kind: ColumnKind): number {
  switch (kind) {
    case 'uuid':
      return 16
    case 'number':
      return 8
    case 'boolean':
      return 1
    default:
      return 4
  }
}

function extraBytes(kind: ColumnKind): number {
  switch (kind) {
    case 'dictionary':
    case 'string':
      return 4
    case 'uuid':
    case 'int32':
      return 1
    default:
      return 0
  }
}

function viewsOf(
  kind: ColumnKind,
  buffer: ArrayBuffer,
  rowsMax: number,
  values: number,
  extra: number,
  codes: number,
): ColumnArrays {
  switch (kind) {
    case 'dictionary':
    case 'string': {
      const ints = (address: number): Int32Array => new Int32Array(buffer, address, rowsMax)
      return { kind: 'text', starts: ints(values), lengths: ints(extra), codes: ints(codes) }
    }
    case 'uuid': {
      const bytes = new Uint8Array(buffer, values, 16 * rowsMax)
      return { kind, bytes, validity: new Uint8Array(buffer, extra, rowsMax) }
    }
    case 'number':
      return { kind, values: new Float64Array(buffer, values, rowsMax) }
    case 'int32': {
      const validity = new Uint8Array(buffer, extra, rowsMax)
      return { kind, values: new Int32Array(buffer, values, rowsMax), validity }
    }
    case 'boolean':
      return { kind, values: new Uint8Array(buffer, values, rowsMax) }
    default:
      return unreachable(kind)
  }
}

function operationOf(field: Field): number {
  switch (field.type) {
    case 'string':
      return (field.cardinality ?? 'low') === 'low' ? Operation.dictionary : Operation.text
    case 'json':
      return field.rest ? Operation.rest : Operation.json
    case 'uuid':
      return Operation.uuid
    case 'timestamp':
      return (field.format ?? 'iso') === 'iso' ? Operation.isoTime : Operation.epoch
    case 'decimal':
      return Operation.decimal
    case 'float64':
      return Operation.double
    case 'int64':
      return Operation.int64
    case 'int32':
      return Operation.int32
    case 'boolean':
      return Operation.boolean
    default:
      return unreachable(field.type)
  }
}

/** What the module has to know about a column of numbers: digits after the point; or whether local times have a zone. */
function parameterOf({ type, scale, format, timeZone }: Field): number {
  if (type === 'decimal') return scale ?? 0
  if (type !== 'timestamp') return 0
  if (format === 'epoch-s') return 3
  return timeZone !== undefined && timeZone !== 'UTC' ? 1 : 0
}
