import { unreachable } from '../base/assert.ts'
import type { OutputMode, SinkSpec } from './connectors.ts'

/** What the checks of a plan have to know of a sink, whatever it is. A new kind of sink tells it here. */
export interface SinkTraits {
  readonly mode: OutputMode
  /** It can take back a row that it has shown, which sessions in update mode ask for. */
  readonly deletes: boolean
  /** Columns by which it tells rows apart, none of which may be null; `query`: those of the query; undefined: it does not. */
  readonly key: readonly string[] | 'query' | undefined
}

/** The traits of a sink. */
export function sinkTraits(sink: SinkSpec): SinkTraits {
  switch (sink.kind) {
    case 'parquet':
    case 'csv':
    case 'json':
    case 'kafka':
    case 'redis':
    case 'latest-file':
      return { mode: 'append', deletes: false, key: undefined }
    case 'console':
    case 'memory':
      return { mode: sink.mode, deletes: true, key: undefined }
    case 'postgres':
    case 'duckdb':
      // What the key must be, and that nulls in it are equal, is theirs.
      return { mode: sink.mode, deletes: true, key: undefined }
    default:
      return unreachable(sink)
  }
}
