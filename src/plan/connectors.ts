import { MillraceError } from '../base/error.ts'
import { type Duration, durationMs } from '../base/time.ts'

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
export type SinkSpec =
  | FileSinkSpec
  | PostgresSinkSpec
  | DuckDbSinkSpec
  | KafkaSinkSpec
  | RedisSinkSpec
  | LatestFileSinkSpec
  | ConsoleSinkSpec
  | MemorySinkSpec

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
  /** Gathers the rows of several epochs into one file; without it every epoch with rows is a file. */
  readonly roll?: RollSpec
}

/** When gathered rows become files: whichever comes first. */
export interface RollSpec {
  readonly everyMs: number
  /** Of rows before they are encoded. */
  readonly bytes: number
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

/** A table that rows are written to exactly once: every result in `append`, each group's values so far in `update`. */
interface TableSinkSpec {
  readonly name?: string
  readonly table: string
  /** The table's columns, in order; those of the query under their own names when absent. */
  readonly columns?: readonly TableColumn[]
  /** Columns of the table that tell rows apart; those of the query's key when absent. With none, rows are only ever added. */
  readonly key?: readonly string[]
  readonly mode: 'append' | 'update'
}

/** A column of a table, by its name there and the column of the query that it holds. */
export interface TableColumn {
  readonly name: string
  readonly column: string
}

/** A table of PostgreSQL, made when it is not there. */
export interface PostgresSinkSpec extends TableSinkSpec {
  readonly kind: 'postgres'
  /** Address of the server; from the environment (DATABASE_URL and others) when absent. */
  readonly url?: string
  /** `public` when absent. */
  readonly schema?: string
  readonly latest?: LatestViewSpec
}

/** A view of a table with one row, the last in the order of the table's key, for each value of some of its key columns. */
export interface LatestViewSpec {
  readonly view: string
  readonly per: readonly string[]
}

/** A table of the embedded result store. */
export interface DuckDbSinkSpec extends TableSinkSpec {
  readonly kind: 'duckdb'
  /** The database file; `results.duckdb` in MILLRACE_HOME when absent. */
  readonly file?: string
}

/** The newest text for each key; names of text columns in braces stand for what a row has there. Only in append mode. */
interface LatestSinkSpec {
  readonly name?: string
  /** Text column whose newest value is kept. */
  readonly value: string
}

/** Keys of a Redis server. */
export interface RedisSinkSpec extends LatestSinkSpec {
  readonly kind: 'redis'
  /** Address of the server; from the environment (MILLRACE_REDIS_URL, REDIS_URL) when absent. */
  readonly url?: string
  readonly key: string
}

/** Files that are replaced whole. */
export interface LatestFileSinkSpec extends LatestSinkSpec {
  readonly kind: 'latest-file'
  readonly file: string
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
  /** `<query>.<kind>` when absent. */
  name?: string
  /** A folder for each value: `day('window_start').as('dt')`. */
  partitionBy?: PartitionSpec
  /** Rows of one file; an epoch with more writes several. */
  recordsPerFileMax?: number
  /** Few large files: rows of several epochs wait for one file, until the oldest waits for `every` (1 minute), or until there are `bytes` (128 MB) of them. */
  roll?: { every?: Duration; bytes?: string | number }
}

/**
 * Reads a topic: of Kafka when a broker is configured, else of the embedded log. `from` is where the first start begins: `earliest` (default), `latest`,
 * or, for Kafka only, a point in time. Later starts go on from the checkpoint.
 */
export function logSource(topic: string, options: { from?: 'earliest' | 'latest' | Date } = {}): LogSourceSpec {
  const { from = 'earliest' } = options
  if (from instanceof Date) return Object.freeze({ kind: 'log', topic, from: 'earliest', fromTimeMs: from.getTime() })
  return Object.freeze({ kind: 'log', topic, from })
}

/** Reads NDJSON files to their end: plain, `.gz`, `.zst`, glob patterns; `-` is standard input. Each file is a partition. */
export function fileSource(...paths: readonly string[]): FileSourceSpec {
  return Object.freeze({ kind: 'file', paths: Object.freeze([...paths]) })
}

/** Writes Parquet files below a folder, exactly once. A relative path starts at the working folder. */
export function parquet(path: string, options: FileSinkOptions & { compression?: ParquetCompression } = {}): SinkSpec {
  return Object.freeze({ kind: 'parquet', path, ...fileOptions(options) })
}

/** Writes CSV files (RFC 4180, with a header) below a folder, exactly once. A relative path starts at the working folder. */
export function csv(path: string, options: FileSinkOptions = {}): SinkSpec {
  return Object.freeze({ kind: 'csv', path, ...fileOptions(options) })
}

/** Writes files of JSON lines below a folder, exactly once. A relative path starts at the working folder. */
export function jsonLines(path: string, options: FileSinkOptions = {}): SinkSpec {
  return Object.freeze({ kind: 'json', path, ...fileOptions(options) })
}

function fileOptions<O extends FileSinkOptions>({ roll, ...options }: O): Omit<O, 'roll'> & { roll?: RollSpec } {
  if (!roll) return options
  const everyMs = durationMs(roll.every ?? '1 minute', 'roll.every')
  return { ...options, roll: Object.freeze({ everyMs, bytes: sizeBytes(roll.bytes ?? ROLL_BYTES) }) }
}

const ROLL_BYTES = 128_000_000

function sizeBytes(size: string | number): number {
  if (typeof size === 'number') return size
  const match = /^(\d+(?:\.\d+)?) ?(B|KB|MB|GB)$/.exec(size)
  const scale = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9 }[match?.[2] ?? '']
  if (match && scale !== undefined) return Math.round(Number(match[1]) * scale)
  throw new MillraceError('invalid-plan', `roll.bytes is "${size}"`, { hint: 'write a size such as "128 MB"' })
}

interface TableSinkOptions {
  name?: string
  /** The table's columns by name, each with the column of the query that it holds; all of them under their own names when absent. */
  columns?: Readonly<Record<string, string>>
  /** Columns of the table. */
  key?: readonly string[]
  mode?: 'append' | 'update'
}

/**
 * Writes to a table of PostgreSQL, exactly once; the table is made when it is missing. The server is named by `url`, else by
 * MILLRACE_POSTGRES_URL, DATABASE_URL, or DB_USER, DB_PASSWORD and DB_NAME. `columns` chooses and names columns. `key` is the query's own
 * when absent. `mode` is `append` when absent. `latest` also makes a view with the last row of each `per`.
 */
export function postgres(
  table: string,
  options: TableSinkOptions & { url?: string; schema?: string; latest?: LatestViewSpec } = {},
): SinkSpec {
  const latest = options.latest && {
    latest: Object.freeze({ ...options.latest, per: Object.freeze([...options.latest.per]) }),
  }
  return Object.freeze({ kind: 'postgres', table, ...tableOptions(options), ...latest })
}

/**
 * Writes to a table of the embedded DuckDB store, exactly once. The store is `results.duckdb` in the home folder, unless `file` names another
 * one. `millrace query` reads it.
 */
export function duckdb(table: string, options: TableSinkOptions & { file?: string } = {}): SinkSpec {
  return Object.freeze({ kind: 'duckdb', table, ...tableOptions(options) })
}

function tableOptions<O extends TableSinkOptions>({
  columns,
  ...options
}: O): Omit<O, 'columns'> & Pick<TableSinkSpec, 'columns' | 'mode'> {
  const key = options.key && { key: Object.freeze([...options.key]) }
  const named = columns && {
    columns: Object.freeze(Object.entries(columns).map(([name, column]) => Object.freeze({ name, column }))),
  }
  return { ...options, mode: options.mode ?? 'append', ...key, ...named }
}

/**
 * Writes a JSON record per row to a Kafka topic, which is made when it is missing. Exactly once, in transactions, unless `delivery` says
 * otherwise. `key` names the column whose value is the record's key.
 */
export function kafka(
  topic: string,
  options: { name?: string; key?: string; format?: 'json'; delivery?: KafkaSinkSpec['delivery'] } = {},
): SinkSpec {
  const { format = 'json', delivery = 'exactly-once' } = options
  return Object.freeze({ kind: 'kafka', topic, ...options, format, delivery })
}

/**
 * Keeps the newest text of a column (`value`) in keys of Redis, set when their epoch is certain. By default it keeps exports of models, under
 * `millrace:model:NAME`. The server is named by `url`, else by MILLRACE_REDIS_URL or REDIS_URL; else it is the one on this machine.
 */
export function redis(options: { name?: string; url?: string; key?: string; value?: string } = {}): SinkSpec {
  return Object.freeze({ kind: 'redis', key: 'millrace:model:{model}', value: 'export', ...options })
}

/** Keeps the newest text of a column (`value`) in a file that is replaced as a whole, such as `models/{model}.json` with exports of models. */
export function latestFile(file: string, options: { name?: string; value?: string } = {}): SinkSpec {
  return Object.freeze({ kind: 'latest-file', file, value: 'export', ...options })
}

/** Prints at most `rowsMax` (20) rows of each epoch to stdout. A view: after a crash it may show rows again. */
export function consoleSink(options: { name?: string; mode?: OutputMode; rowsMax?: number } = {}): SinkSpec {
  return Object.freeze({
    kind: 'console',
    mode: options.mode ?? 'append',
    rowsMax: options.rowsMax ?? 20,
    ...(options.name === undefined ? {} : { name: options.name }),
  })
}

/** Keeps rows in memory, for tests and for pipelines that are only looked at on the page. */
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

/** The value of a column as it is. */
export function value(column: string): Partition {
  return partition({ name: column, column, transform: 'value' })
}

function partition(spec: PartitionSpec): Partition {
  const as = (name: string): PartitionSpec => Object.freeze({ ...spec, name })
  // Not enumerable, so that the plan stays plain data.
  return Object.freeze(Object.defineProperty({ ...spec }, 'as', { value: as })) as Partition
}
