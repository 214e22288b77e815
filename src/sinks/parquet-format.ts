import { tableToIPC } from 'apache-arrow'
import { Compression, Table, WriterPropertiesBuilder, writeParquet } from 'parquet-wasm'
import { arrowTable } from '../batch/arrow.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import type { ParquetCompression } from '../plan/connectors.ts'

const COMPRESSIONS: Readonly<Record<ParquetCompression, Compression>> = {
  snappy: Compression.SNAPPY,
  gzip: Compression.GZIP,
  zstd: Compression.ZSTD,
  none: Compression.UNCOMPRESSED,
}

/** A Parquet file: times as TIMESTAMP(ms, UTC), decimals as DECIMAL(18, scale), repeating text by dictionary. */
export function encodeParquet(rows: ResultBatch, indexes: Int32Array, compression: ParquetCompression): Uint8Array {
  const table = arrowTable(rows, { rows: indexes, count: indexes.length })
  const properties = new WriterPropertiesBuilder().setCompression(COMPRESSIONS[compression]).build()
  return writeParquet(Table.fromIPCStream(tableToIPC(table, 'stream')), properties)
}
