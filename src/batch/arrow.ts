import {
  Field as ArrowField,
  Bool,
  type Data,
  type DataType,
  Decimal,
  Dictionary as DictionaryType,
  Float64,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  Timestamp,
  TimeUnit,
  Utf8,
  Vector,
} from 'apache-arrow'
import { encodeText } from '../base/bytes.ts'
import { BOOLEAN_NULL, type Column, type DictionaryColumn } from './column.ts'
import type { ColumnRows, RowList } from './encoded-cells.ts'
import type { Field } from './schema.ts'
import { formatUuid } from './uuid-text.ts'

/** Digits of a decimal column: what 64 bits hold, and more than 2^53 units have. */
const DECIMAL_PRECISION = 18

/**
 * Rows as an Apache Arrow table of one record batch: text with repeating values as dictionaries of the values that occur, other text,
 * JSON and UUIDs as UTF-8, times as TIMESTAMP(ms, UTC), decimals as DECIMAL(18, scale). The table owns its memory.
 * Importing this file loads apache-arrow, which takes its time: only what writes Parquet should.
 */
export function arrowTable(result: ColumnRows, list?: RowList): Table {
  const rows =
    list === undefined
      ? Int32Array.from({ length: result.rowCount }, (_, row) => row)
      : list.rows.subarray(0, list.count)
  const children = result.columns.map((column, index) => columnData(column, result.fields[index], rows))
  const fields = children.map((data, index) => new ArrowField(result.fields[index].name, data.type, true))
  const data = makeData({ type: new Struct(fields), length: rows.length, nullCount: 0, children })
  return new Table([new RecordBatch(new Schema(fields), data)])
}

function columnData(column: Column, field: Field, rows: Int32Array): Data<DataType> {
  switch (column.kind) {
    case 'dictionary':
      return dictionaryData(column, rows)
    case 'string': {
      const texts = Array.from(rows, (row) => {
        const length = column.lengths[row]
        return length < 0 ? undefined : column.data.subarray(column.starts[row], column.starts[row] + length)
      })
      return textData(texts)
    }
    case 'uuid':
      return textData(
        Array.from(rows, (row) =>
          column.validity[row] === 0 ? undefined : encodeText(formatUuid(column.bytes, 16 * row)),
        ),
      )
    case 'number':
      return numberData(column.values, field, rows)
    case 'int32':
      return makeData({
        type: new Int32(),
        length: rows.length,
        ...nulls(rows, (row) => column.validity[row] === 0),
        data: Int32Array.from(rows, (row) => (column.validity[row] === 0 ? 0 : column.values[row])),
      })
    case 'boolean':
      return makeData({
        type: new Bool(),
        length: rows.length,
        ...nulls(rows, (row) => column.values[row] === BOOLEAN_NULL),
        data: bitmap(rows, (row) => column.values[row] === 1),
      })
  }
}

/** Codes are numbered anew, from 0 by first occurrence, so that a few rows do not drag a large dictionary along. */
function dictionaryData({ codes, dictionary }: DictionaryColumn, rows: Int32Array): Data<DataType> {
  const indexes = new Int32Array(rows.length)
  const indexOfCode = new Map<number, number>()
  const texts: Uint8Array[] = []
  for (let place = 0; place < rows.length; place++) {
    const code = codes[rows[place]]
    if (code < 0) continue
    let index = indexOfCode.get(code)
    if (index === undefined) {
      index = texts.length
      indexOfCode.set(code, index)
      texts.push(dictionary.bytes(code))
    }
    indexes[place] = index
  }
  return makeData({
    type: new DictionaryType(new Utf8(), new Int32()),
    length: rows.length,
    ...nulls(rows, (row) => codes[row] < 0),
    data: indexes,
    dictionary: new Vector([textData(texts)]),
  })
}

function textData(texts: readonly (Uint8Array | undefined)[]): Data<Utf8> {
  const valueOffsets = new Int32Array(texts.length + 1)
  for (const [index, text] of texts.entries()) valueOffsets[index + 1] = valueOffsets[index] + (text?.length ?? 0)
  const data = new Uint8Array(valueOffsets[texts.length])
  for (const [index, text] of texts.entries()) if (text !== undefined) data.set(text, valueOffsets[index])
  const places = Int32Array.from(texts, (_, index) => index)
  return makeData({
    type: new Utf8(),
    length: texts.length,
    ...nulls(places, (place) => texts[place] === undefined),
    valueOffsets,
    data,
  })
}

function numberData(values: Float64Array, field: Field, rows: Int32Array): Data<DataType> {
  const common = { length: rows.length, ...nulls(rows, (row) => Number.isNaN(values[row])) }
  if (field.type === 'decimal') {
    const type = new Decimal(field.scale ?? 0, DECIMAL_PRECISION, 128)
    return makeData({ type, ...common, data: decimalWords(values, rows) })
  }
  if (field.type === 'float64')
    return makeData({ type: new Float64(), ...common, data: Float64Array.from(rows, (row) => values[row]) })
  const data = BigInt64Array.from(rows, (row) => BigInt(Number.isNaN(values[row]) ? 0 : values[row]))
  if (field.type === 'timestamp') return makeData({ type: new Timestamp(TimeUnit.MILLISECOND, 'UTC'), ...common, data })
  return makeData({ type: new Int64(), ...common, data })
}

/** Four little-endian words a value, two's complement. */
function decimalWords(values: Float64Array, rows: Int32Array): Uint32Array {
  const words = new Uint32Array(4 * rows.length)
  for (let place = 0; place < rows.length; place++) {
    const units = values[rows[place]]
    if (Number.isNaN(units)) continue
    const high = Math.floor(units / 2 ** 32)
    words[4 * place] = units - high * 2 ** 32
    words[4 * place + 1] = high
    words.fill(units < 0 ? 0xffffffff : 0, 4 * place + 2, 4 * place + 4)
  }
  return words
}

function nulls(
  rows: Int32Array,
  isNull: (row: number) => boolean,
): { nullCount: number; nullBitmap: Uint8Array | null } {
  let nullCount = 0
  for (const row of rows) if (isNull(row)) nullCount++
  return { nullCount, nullBitmap: nullCount === 0 ? null : bitmap(rows, (row) => !isNull(row)) }
}

function bitmap(rows: Int32Array, isSet: (row: number) => boolean): Uint8Array {
  const bits = new Uint8Array(Math.ceil(rows.length / 8))
  for (let place = 0; place < rows.length; place++) {
    if (isSet(rows[place])) bits[place >> 3] |= 1 << (place & 7)
  }
  return bits
}
