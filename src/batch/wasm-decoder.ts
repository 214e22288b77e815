import { assert } from '../base/assert.ts'
import { encodeText } from '../base/bytes.ts'
import { type Batch, RowError, RowStatus } from './batch.ts'
import type { Column } from './column.ts'
import type { EncodedRecords } from './encoded-records.ts'
import { ValueKind } from './field-column.ts'
import { DICTIONARY_BYTES_MAX } from './interned-dictionary.ts'
import type { Decoder, DecoderOptions } from './json-decoder.ts'
import { RowParser } from './row-parser.ts'
import { type RowReader, rowReader } from './row-reader.ts'
import { createScalarDecoder } from './scalar-decoder.ts'
import type { Field } from './schema.ts'
import { columnBytes, WasmColumn } from './wasm-column.ts'
import { type DecoderExports, type DecoderInstance, instantiateDecoder, type WasmModule } from './wasm-module.ts'

/** Fields that the module can fill: one bit each of 64. */
const FIELDS_MAX = 64
/** Larger inputs, and inputs with more rows, are read by the scalar decoder. */
const INPUT_BYTES_MAX = 8 << 20
const ROWS_MAX = 1 << 17
/** Bytes that scans may look at behind the input. */
const PADDING_BYTES = 64

const BLOCK_BYTES = 1 << 20
const SEGMENTS_PER_BLOCK = 8
/** A segment is split when it has twice as many. */
const SEGMENT_ENTRIES_MIN = 1 << 10
/** Blocks of 1 MB for dictionaries; address space until they are used. */
const POOL_BLOCKS = 64
const POOL_BLOCKS_MAX = 1024
const POOL_BLOCKS_OF = { low: 32, high: 256, unique: 0 } as const

const NEW_TEXT_BYTES = 16

/** Reserved besides what is counted: static data, small tables, alignment. */
const RESERVE_BYTES = 2 << 20
const NODE_BYTES = 640
const NODES_BESIDE_KNOWN = 260

/**
 * Makes a decoder that reads rows in WebAssembly; `module` is the compiled `wasm/index.ts`. What that does not read (rows
 * with anything unusual about them, schemas and batches beyond its limits) is read by the code of the scalar decoder.
 */
export function createWasmDecoder(options: DecoderOptions, module: WasmModule): Decoder {
  return options.fields.length > FIELDS_MAX ? createScalarDecoder(options) : new WasmDecoder(options, module)
}

class WasmDecoder implements Decoder {
  readonly fields: readonly Field[]
  readonly #options: DecoderOptions
  readonly #instance: DecoderInstance
  readonly #exports: DecoderExports
  readonly #columns: readonly WasmColumn[]
  readonly #reader: RowReader
  readonly #parser: RowParser
  readonly #batch: WasmBatch
  readonly #inputAt: number
  readonly #memory: Uint8Array
  /** For each remainder of an address by 8: the memory from the input on. */
  readonly #inputs: readonly DataView[]
  readonly #inputBytes: readonly Uint8Array[]
  readonly #unreadRows: Int32Array
  #scalar: Decoder | undefined

  constructor(options: DecoderOptions, module: WasmModule) {
    assert(options.dictionaryEntriesMax > 0, 'a dictionary holds at least one value')
    this.fields = options.fields
    this.#options = options
    this.#instance = instantiateDecoder(module, memoryBytes(options))
    const { exports, buffer } = this.#instance
    this.#exports = exports
    this.#memory = new Uint8Array(buffer)
    exports.prepare(options.hashSeed)
    this.#inputAt = exports.reserve(3 * (INPUT_BYTES_MAX + PADDING_BYTES) + 8)
    this.#batch = new WasmBatch(this.#instance, options.fields)
    const unreadAt = exports.reserve(4 * ROWS_MAX)
    this.#unreadRows = new Int32Array(buffer, unreadAt, ROWS_MAX)
    this.#batch.prepareRows(exports, unreadAt)
    this.#columns = options.fields.map((field, index) => new WasmColumn(this.#instance, field, index, ROWS_MAX))
    const lowCount = options.fields.filter((field) => field.type === 'string').length
    exports.prepareNewTexts(exports.reserve(lowCount * ROWS_MAX * NEW_TEXT_BYTES))
    this.#addMembers()
    this.#reader = rowReader(
      this.#columns.map((column) => column.fieldColumn),
      options.knownMembers,
      options.hashSeed,
    )
    this.#parser = new RowParser(this.#reader)
    const length = 3 * (INPUT_BYTES_MAX + PADDING_BYTES)
    this.#inputs = Array.from({ length: 8 }, (_, shift) => new DataView(buffer, this.#inputAt + shift, length))
    this.#inputBytes = this.#inputs.map((view) => new Uint8Array(buffer, view.byteOffset, length))
  }

  decode(records: EncodedRecords, fromOffset = 0, toOffset = Number.POSITIVE_INFINITY): Batch {
    const { bytes } = records
    const rowCount = this.#makeRoom(records) ? this.#read(records, fromOffset, toOffset) : TOO_MANY_ROWS
    if (rowCount === TOO_MANY_ROWS) {
      this.#scalar ??= createScalarDecoder(this.#options)
      return this.#scalar.decode(records, fromOffset, toOffset)
    }
    const batch = this.#batch
    const shift = bytes.byteOffset & 7
    batch.rowCount = rowCount
    batch.bytes = bytes
    batch.duplicateMembers = this.#readUnread(shift)
    let hostRowCount = this.#exports.unreadRowCount()
    if (records.framing === 'records' && this.#refuseRest(records, fromOffset, toOffset)) {
      this.#unreadRows[hostRowCount++] = batch.rowCount - 1
    }
    this.#exports.internNewTexts()
    for (const [index, column] of this.#columns.entries()) {
      column.fieldColumn.fillFrom(batch.recordTimes, batch.status, batch.rowCount)
      column.finish(
        batch.rowCount,
        this.#inputBytes[shift],
        this.#inputAt + shift,
        this.#unreadRows.byteOffset,
        hostRowCount,
      )
      batch.columns[index] = column.fieldColumn.column
    }
    return batch
  }

  /** Copies the input and reads it; gives the number of rows, or `TOO_MANY_ROWS`. */
  #read(records: EncodedRecords, fromOffset: number, toOffset: number): number {
    const { bytes, baseOffset } = records
    const { length } = bytes
    // Memory that is shared is copied byte by byte unless both sides have the same remainder by 8.
    const input = this.#inputAt + (bytes.byteOffset & 7)
    this.#memory.set(bytes, input)
    this.#memory.fill(0, input + length, input + length + PADDING_BYTES)
    const texts = input + length + PADDING_BYTES
    this.#exports.beginBatch(input, length, texts, texts + length)
    if (records.framing === 'newline') {
      return this.#exports.readLines(input, length, baseOffset, fromOffset, toOffset)
    }
    return this.#exports.readRecords(
      input,
      length,
      records.recordCount,
      baseOffset,
      fromOffset,
      toOffset,
      records.baseTimestamp,
      records.appendTimestamp ?? Number.NaN,
    )
  }

  /** Reads the rows that the module has left; gives the number of members that came again in them. */
  #readUnread(shift: number): number {
    const count = this.#exports.unreadRowCount()
    const parser = this.#parser
    parser.begin()
    if (count === 0) return 0
    const { valueStarts, valueLengths } = this.#batch
    const { scanner, scratch, columns } = this.#reader
    const start = this.#inputAt + shift
    scanner.attach(this.#inputBytes[shift], this.#inputs[shift])
    scratch.attach(this.#inputBytes[shift], this.#exports.textAt.value - start, this.#exports.restAt.value - start)
    for (let index = 0; index < count; index++) {
      const row = this.#unreadRows[index]
      for (const column of columns) column.clearRow(row)
      const error = parser.parse(row, valueStarts[row], valueStarts[row] + valueLengths[row])
      if (error !== RowError.none) this.#refuse(row, error, parser.errorField)
    }
    return parser.duplicateMembers
  }

  #refuse(row: number, error: number, errorField: number): void {
    const batch = this.#batch
    batch.status[row] = errorField < 0 ? RowStatus.malformed : RowStatus.wrongType
    batch.error[row] = error
    batch.errorField[row] = errorField & 0xff
    for (const column of this.#reader.columns) column.clearRow(row)
  }

  /** What is left of a section that is damaged becomes one malformed row, so that it is accounted for. False when nothing is. */
  #refuseRest(records: EncodedRecords, fromOffset: number, toOffset: number): boolean {
    const start = this.#exports.damagedPosition()
    const offset = this.#exports.offsetBehind()
    if (start < 0 || offset < fromOffset || offset >= toOffset) return false
    const batch = this.#batch
    const row = batch.rowCount++
    batch.offsets[row] = offset
    batch.recordTimes[row] = Number.NaN
    batch.valueStarts[row] = start
    batch.valueLengths[row] = records.bytes.length - start
    this.#refuse(row, RowError.notJson, -1)
    return true
  }

  #addMembers(): void {
    const { fields, knownMembers } = this.#options
    const exports = this.#exports
    const collectRest = fields.some((field) => field.rest)
    const names = exports.prepareMembers(knownMembers.size + fields.length, collectRest)
    exports.beginPool()
    exports.resetDictionary(names)
    for (const column of this.#columns) if (column.hasDictionary) column.beginGeneration()
    let restName: string | undefined
    for (const [index, { fieldColumn }] of this.#columns.entries()) {
      const name = fieldColumn.field.from ?? fieldColumn.field.name
      if (fieldColumn.kind === ValueKind.rest) restName = name
      else this.#addMember(name, index)
    }
    const read = new Set(fields.filter((field) => !field.rest).map((field) => field.from ?? field.name))
    // A member that is called like the column of the rest is read by nobody, so it belongs there too.
    for (const name of knownMembers) if (name !== restName && !read.has(name)) this.#addMember(name, -1)
  }

  #addMember(name: string, column: number): void {
    const bytes = encodeText(name)
    this.#memory.set(bytes, this.#inputAt)
    this.#exports.addMember(this.#inputAt, bytes.length, column)
  }

  /** Begins new generations of dictionaries that are full, or too large for what this batch may add. False when it is too large. */
  #makeRoom({ bytes, recordCount }: EncodedRecords): boolean {
    if (bytes.length > INPUT_BYTES_MAX) return false
    const columns = this.#columns.filter((column) => column.hasDictionary)
    for (const column of columns) {
      const full = column.dictionarySize >= this.#options.dictionaryEntriesMax
      if (full || column.dictionaryByteLength >= DICTIONARY_BYTES_MAX) column.beginGeneration()
    }
    const rows = Math.min(recordCount, bytes.length, ROWS_MAX)
    const arenaBlocks = Math.ceil((4 * bytes.length) / BLOCK_BYTES)
    for (;;) {
      const needed = columns.reduce((sum, column) => sum + blocksFor(column, rows), arenaBlocks)
      if (this.#exports.freeBlocks() >= needed) return true
      const largest = columns.toSorted((a, b) => b.dictionarySize - a.dictionarySize)[0]
      if (largest === undefined || largest.dictionarySize === 0) return false
      largest.beginGeneration()
    }
  }
}

const TOO_MANY_ROWS = -1

/** Blocks that a dictionary may take for so many new values, besides those of the values themselves. */
function blocksFor(column: WasmColumn, rows: number): number {
  const splits = Math.min(rows, (column.dictionarySize + rows) / SEGMENT_ENTRIES_MIN)
  return 4 + Math.ceil(splits / SEGMENTS_PER_BLOCK)
}

function memoryBytes({ fields, knownMembers }: DecoderOptions): number {
  const dictionaries = fields.filter((field) => field.type === 'string')
  const blocks = dictionaries.reduce((sum, field) => sum + POOL_BLOCKS_OF[field.cardinality ?? 'low'], POOL_BLOCKS)
  const graphBytes = (knownMembers.size + fields.length + NODES_BESIDE_KNOWN) * NODE_BYTES
  const rowBytes =
    fields.length * columnBytes(ROWS_MAX) + dictionaries.length * ROWS_MAX * NEW_TEXT_BYTES + WasmBatch.bytes
  const inputBytes = 3 * (INPUT_BYTES_MAX + PADDING_BYTES)
  return RESERVE_BYTES + graphBytes + rowBytes + inputBytes + Math.min(blocks, POOL_BLOCKS_MAX) * BLOCK_BYTES
}

/** The rows' arrays beside the columns, in the module's memory. */
class WasmBatch implements Batch {
  /** Bytes that it takes there, with the list of unread rows. */
  static readonly bytes: number = ROWS_MAX * (3 + 16 + 8 + 4) + (1 << 16)

  readonly fields: readonly Field[]
  readonly columns: Column[] = []
  rowCount = 0
  status: Uint8Array
  error: Uint8Array
  errorField: Uint8Array
  offsets: Float64Array
  recordTimes: Float64Array
  bytes: Uint8Array = new Uint8Array(0)
  valueStarts: Int32Array
  valueLengths: Int32Array
  duplicateMembers = 0

  constructor({ buffer, exports }: DecoderInstance, fields: readonly Field[]) {
    this.fields = fields
    const reserve = (bytesPerRow: number): number => exports.reserve(bytesPerRow * ROWS_MAX)
    this.status = new Uint8Array(buffer, reserve(1), ROWS_MAX)
    this.error = new Uint8Array(buffer, reserve(1), ROWS_MAX)
    this.errorField = new Uint8Array(buffer, reserve(1), ROWS_MAX)
    this.offsets = new Float64Array(buffer, reserve(8), ROWS_MAX)
    this.recordTimes = new Float64Array(buffer, reserve(8), ROWS_MAX)
    this.valueStarts = new Int32Array(buffer, reserve(4), ROWS_MAX)
    this.valueLengths = new Int32Array(buffer, reserve(4), ROWS_MAX)
  }

  /** Tells the module where the arrays are. */
  prepareRows(exports: DecoderExports, unreadAt: number): void {
    exports.prepareColumns(this.status.byteOffset, this.error.byteOffset, this.errorField.byteOffset)
    exports.prepareRows(
      // The last place is for what is left of a damaged section.
      ROWS_MAX - 1,
      this.offsets.byteOffset,
      this.recordTimes.byteOffset,
      this.valueStarts.byteOffset,
      this.valueLengths.byteOffset,
      unreadAt,
    )
  }
}
