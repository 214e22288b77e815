import { unreachable } from '../base/assert.ts'
import { encodeCsvHeader, encodeCsvRows } from '../batch/csv-encoder.ts'
import { encodeJsonRows } from '../batch/json-encoder.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import type { FileSinkSpec } from '../plan/connectors.ts'

/** Turns rows into the bytes of a file. */
export interface FileFormat {
  readonly extension: string
  /** The rows that `rowIndexes` names, in that order. */
  encode(rows: ResultBatch, rowIndexes: Int32Array): Promise<Uint8Array>
}

/** The format that a file sink asks for. */
export function fileFormat(spec: FileSinkSpec): FileFormat {
  switch (spec.kind) {
    case 'json':
      return {
        extension: 'ndjson',
        encode: async (rows, indexes) => encodeJsonRows(rows, { rows: indexes, count: indexes.length }),
      }
    case 'csv':
      return {
        extension: 'csv',
        encode: async (rows, indexes) =>
          Buffer.concat([encodeCsvHeader(rows.fields), encodeCsvRows(rows, { rows: indexes, count: indexes.length })]),
      }
    case 'parquet': {
      const compression = spec.compression ?? 'snappy'
      return {
        extension: 'parquet',
        encode: async (rows, indexes) =>
          (await import('./parquet-format.ts')).encodeParquet(rows, indexes, compression),
      }
    }
    default:
      return unreachable(spec.kind)
  }
}
