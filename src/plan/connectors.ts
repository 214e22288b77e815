/** Where events come from, as plan data. */
export type SourceSpec = LogSourceSpec | FileSourceSpec

/** A topic: of Kafka when a broker is configured, else of the embedded log. */
export interface LogSourceSpec {
  readonly kind: 'log'
  readonly topic: string
  readonly from: 'earliest' | 'latest'
  /** In place of `from`: each partition's first record that is not older than this, ms since 1970. Topics of Kafka only. */
  readonly fromTimeMs?: number
}

/** NDJSON files (plain, .gz, .zst; globs) or standard input (`-`). Each file is a partition. */
export interface FileSourceSpec {
  readonly kind: 'file'
  readonly paths: readonly string[]
}

/** How results come out: `append` each window once when it closes, `update` every change, `complete` everything. */
export type OutputMode = 'append' | 'update' | 'complete'

/** Where a query's rows go, as plan data. A sink's name is `<query>.<kind>` unless it is given one. */
export type SinkSpec = FileSinkSpec | KafkaSinkSpec | ConsoleSinkSpec | MemorySinkSpec

/** Formats of file sinks, which are also their kinds. */
export type FileFormat = 'parquet' | 'csv' | 'json'

/** How the pages of a Parquet file are compressed. */
export type ParquetCompression = 'snappy' | 'gzip' | 'zstd' | 'none'

/** Files below a folder, written exactly once, only in append mode. */
export interface FileSinkSpec {
  readonly kind: FileFormat
  readonly name?: string
  readonly path: string
  readonly partitionBy?: PartitionSpec
  readonly compression?: ParquetCompression
  readonly recordsPerFileMax?: number
}

/** One Hive partition column, derived from a column of the result: `dt=2026-11-24`. */
export interface PartitionSpec {
  readonly name: string
  readonly column: string
  readonly transform: 'day' | 'hour' | 'value'
}

/** Records of a Kafka topic, one for each row, only in append mode. */
export interface KafkaSinkSpec {
  readonly kind: 'kafka'
  readonly name?: string
  readonly topic: string
  /** Column whose text is the records' key: rows with the same go to the same partition. Without it rows go round. */
  readonly key?: string
  readonly format: 'json'
  /**
   * `exactly-once`: in transactions, for readers of committed records; `at-least-once`: without, each record with the headers
   * `millrace-epoch` and `millrace-seq` by which readers can tell what they have seen.
   */
  readonly delivery: 'exactly-once' | 'at-least-once'
}

/** Prints rows to the terminal: a view, not a record. */
export interface ConsoleSinkSpec {
  readonly kind: 'console'
  readonly name?: string
  readonly mode: OutputMode
  /** Rows shown per epoch. */
  readonly rowsMax: number
}

/** Keeps rows in memory, for tests and `--print`. */
export interface MemorySinkSpec {
  readonly kind: 'memory'
  readonly name?: string
  readonly mode: OutputMode
}

interface FileSinkOptions {
  name?: string
  partitionBy?: PartitionSpec
  recordsPerFileMax?: number
}

/** Reads a topic, at the first start from its beginning, its end, or (Kafka only) from a point in time on. */
export function logSource(topic: string, options: { from?: 'earliest' | 'latest' | Date } = {}): LogSourceSpec {
  const { from = 'earliest' } = options
  if (from instanceof Date) return Object.freeze({ kind: 'log', topic, from: 'earliest', fromTimeMs: from.getTime() })
  return Object.freeze({ kind: 'log', topic, from })
}

/** Reads NDJSON files; `-` is standard input. */
export function fileSource(...paths: readonly string[]): FileSourceSpec {
  return Object.freeze({ kind: 'file', paths: Object.freeze([...paths]) })
}

/** Writes Parquet files below a folder, exactly once. */
export function parquet(path: string, options: FileSinkOptions & { compression?: ParquetCompression } = {}): SinkSpec {
  return Object.freeze({ kind: 'parquet', path, ...options })
}

/** Writes CSV files (RFC 4180 with a header) below a folder, exactly once. */
export function csv(path: string, options: FileSinkOptions = {}): SinkSpec {
  return Object.freeze({ kind: 'csv', path, ...options })
}

/** Writes JSON lines below a folder, exactly once. */
export function jsonLines(path: string, options: FileSinkOptions = {}): SinkSpec {
  return Object.freeze({ kind: 'json', path, ...options })
}

/** Writes records of JSON to a Kafka topic, which is made when it is missing; exactly once unless told otherwise. */
export function kafka(
  topic: string,
  options: { name?: string; key?: string; format?: 'json'; delivery?: KafkaSinkSpec['delivery'] } = {},
): SinkSpec {
  const { format = 'json', delivery = 'exactly-once' } = options
  return Object.freeze({ kind: 'kafka', topic, ...options, format, delivery })
}

/** Prints rows to the terminal after each epoch: a view, not a record. */
export function consoleSink(options: { name?: string; mode?: OutputMode; rowsMax?: number } = {}): SinkSpec {
  return Object.freeze({
    kind: 'console',
    mode: options.mode ?? 'append',
    rowsMax: options.rowsMax ?? 20,
    ...(options.name === undefined ? {} : { name: options.name }),
  })
}

/** Keeps rows in memory. */
export function memorySink(options: { name?: string; mode?: OutputMode } = {}): SinkSpec {
  return Object.freeze({
    kind: 'memory',
    mode: options.mode ?? 'append',
    ...(options.name === undefined ? {} : { name: options.name }),
  })
}

/** A partition whose folder can still be given another name. */
export type Partition = PartitionSpec & {
  /** Names the folder: `day('window_start').as('dt')` gives `dt=2026-11-24`. */
  as(name: string): PartitionSpec
}

/** The UTC day of a time column, as `2026-11-24`. */
export function day(column: string): Partition {
  return partition({ name: `${column}_day`, column, transform: 'day' })
}

/** The UTC hour of a time column, as `2026-11-24-07`. */
export function hour(column: string): Partition {
  return partition({ name: `${column}_hour`, column, transform: 'hour' })
}

/** The value of a column. */
export function value(column: string): Partition {
  return partition({ name: column, column, transform: 'value' })
}

function partition(spec: PartitionSpec): Partition {
  const as = (name: string): PartitionSpec => Object.freeze({ ...spec, name })
  // Not enumerable, so that the plan stays plain data.
  return Object.freeze(Object.defineProperty({ ...spec }, 'as', { value: as })) as Partition
}
