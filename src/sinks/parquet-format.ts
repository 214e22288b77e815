import {
  Bool,
  type DataType,
  Decimal,
  Dictionary,
  Float64,
  Int32,
  Int64,
  makeData,
  makeVector,
  Table,
  TimestampMillisecond,
  tableToIPC,
  Utf8,
  type Vector,
  vectorFromArray,
} from 'apache-arrow'
import { Compression, Table as WasmTable, WriterPropertiesBuilder, writeParquet } from 'parquet-wasm'
import { cellValue } from '../batch/cell.ts'
import type { Column } from '../batch/column.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import type { Field } from '../batch/schema.ts'
import type { ParquetCompression } from '../plan/connectors.ts'

const COMPRESSIONS: Readonly<Record<ParquetCompression, Compression>> = {
  snappy: Compression.SNAPPY,
  gzip: Compression.GZIP,
  zstd: Compression.ZSTD,
  none: Compression.UNCOMPRESSED,
}

/** A Parquet file: times as TIMESTAMP(ms, UTC), decimals as DECIMAL(18, scale), text by dictionary. */
export function encodeParquet(rows: ResultBatch, indexes: Int32Array, compression: ParquetCompression): Uint8Array {
  const vectors: Record<string, Vector> = {}
  for (const [index, field] of rows.fields.entries())
    vectors[field.name] = vector(rows.columns[index] as Column, field, indexes)
  const table = WasmTable.fromIPCStream(tableToIPC(new Table(vectors), 'stream'))
  const properties = new WriterPropertiesBuilder().setCompression(COMPRESSIONS[compression]).build()
  return writeParquet(table, properties)
}

function vector(column: Column, field: Field, indexes: Int32Array): Vector {
  const values = Array.from(indexes, (row) => cellValue(column, field, row))
  switch (field.type) {
    case 'timestamp':
      return vectorFromArray(values as (number | null)[], new TimestampMillisecond('UTC'))
    case 'decimal':
      return decimals(column, field.scale ?? 0, indexes)
    case 'float64':
      return vectorFromArray(values as (number | null)[], new Float64())
    case 'int64':
      return vectorFromArray(
        values.map((value) => (value === null ? null : BigInt(value))),
        new Int64(),
      )
    case 'int32':
      return vectorFromArray(values as (number | null)[], new Int32())
    case 'boolean':
      return vectorFromArray(values as (boolean | null)[], new Bool())
    default:
      return vectorFromArray(values as (string | null)[], new Dictionary(new Utf8(), new Int32()) as DataType)
  }
}

/** 128-bit integers, little-endian, built by hand: the library takes numbers for words. */
function decimals(column: Column, scale: number, indexes: Int32Array): Vector {
  const words = new BigInt64Array(indexes.length * 2)
  const validity = new Uint8Array(Math.ceil(indexes.length / 8))
  let nulls = 0
  for (const [at, row] of indexes.entries()) {
    const units = column.kind === 'number' ? (column.values[row] as number) : Number.NaN
    if (Number.isNaN(units)) {
      nulls++
      continue
    }
    validity[at >> 3] = (validity[at >> 3] as number) | (1 << (at & 7))
    words[at * 2] = BigInt(units)
    words[at * 2 + 1] = units < 0 ? -1n : 0n
  }
  const type = new Decimal(scale, 18, 128)
  return makeVector(
    makeData({
      type,
      length: indexes.length,
      nullCount: nulls,
      nullBitmap: validity,
      data: new Uint32Array(words.buffer),
    }),
  )
}
