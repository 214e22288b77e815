import { createHash } from 'node:crypto'
import { unreachable } from '../base/assert.ts'
import type { Field } from '../batch/schema.ts'
import { canonicalJson } from '../plan/canonical-json.ts'
import { sinkName } from '../plan/check-sinks.ts'
import type { FileSinkSpec, KafkaSinkSpec, PartitionSpec, SinkSpec } from '../plan/connectors.ts'
import type { PipelinePlan, QueryPlan } from '../plan/node.ts'
import { queryIdentity } from '../plan/plan-codec.ts'
import { queryChain } from '../plan/query-chain.ts'
import { resultFields } from '../plan/result-schema.ts'
import { compileQuery } from './compile.ts'
import type { WriteStream } from './connect.ts'
import { jsonRows } from './encode.ts'
import { interval, project, type Relation } from './relation.ts'
import type { ReadSettings } from './source-rows.ts'
import { sqlName, sqlText } from './sql.ts'
import { timeText } from './time-sql.ts'

/** Goes up when the same plan is compiled to other state, which Spark would take for its own without a word. */
const STATE_VERSION = 1

/** How a pipeline is to run on Spark. Folders are as the cluster sees them. */
export interface SparkSettings extends ReadSettings {
  readonly checkpointRoot: string
  /** Where rows for tables wait for Millrace, a folder for each sink. */
  readonly relayRoot: string
  /** Least time between micro-batches, ms; absent: take what there is, then end. */
  readonly triggerMs?: number
}

/** One query of Spark: that of a sink, since each reads the source by itself. */
export interface SparkQuery {
  /** Name of the sink. */
  readonly name: string
  readonly query: QueryPlan
  readonly stream: WriteStream
  readonly checkpoint: CheckpointPlace
  /** The table that the rows are for, and the folder in which they wait. */
  readonly relay?: { readonly sink: TableSink; readonly folder: string }
}

/** A sink that Spark cannot write to. */
export type TableSink = Extract<SinkSpec, { kind: 'postgres' | 'duckdb' }>

/** A folder for each plan: Spark merges another plan into the state that it finds, if only the types fit. */
export interface CheckpointPlace {
  /** Holds the folder of each plan that this sink has had. */
  readonly parent: string
  readonly folder: string
}

/** The queries that run a pipeline on Spark; the plan is one that `sparkPlan` has made. */
export function sparkQueries(plan: PipelinePlan, settings: SparkSettings): SparkQuery[] {
  return plan.queries.flatMap((query) => {
    const rows = compileQuery(plan, query, settings)
    return query.sinks.map((sink) => sparkQuery(query, sink, rows, settings))
  })
}

function sparkQuery(query: QueryPlan, sink: SinkSpec, rows: Relation, settings: SparkSettings): SparkQuery {
  const name = sinkName(query.name, sink)
  const parent = `${settings.checkpointRoot}/${name}`
  const checkpoint = { parent, folder: `${parent}/${fingerprint(query)}` }
  const relay = isTable(sink) ? { relay: { sink, folder: `${settings.relayRoot}/${name}` } } : {}
  const output = outputOf(sink, rows, resultFields(query), `${settings.relayRoot}/${name}`, settings)
  const stream: WriteStream = {
    partitioning_column_names: [],
    ...output,
    options: { ...output.options, checkpointLocation: checkpoint.folder },
    output_mode: 'append',
    query_name: name,
    ...(settings.triggerMs === undefined
      ? { available_now: true }
      : { processing_time_interval: interval(settings.triggerMs) }),
  }
  return { name, query, stream, checkpoint, ...relay }
}

type Output = Pick<WriteStream, 'input' | 'format' | 'options' | 'path'> &
  Partial<Pick<WriteStream, 'partitioning_column_names'>>

function outputOf(
  sink: SinkSpec,
  rows: Relation,
  fields: readonly Field[],
  relay: string,
  settings: SparkSettings,
): Output {
  switch (sink.kind) {
    case 'parquet':
    case 'json':
    case 'csv':
      return fileOutput(sink, rows, fields)
    case 'kafka':
      return kafkaOutput(sink, rows, fields, settings)
    case 'postgres':
    case 'duckdb':
      return { input: jsonRows(rows, fields), format: 'text', options: {}, path: relay }
    default:
      throw unreachable(sink as never)
  }
}

const TIMES = { timestampFormat: "yyyy-MM-dd'T'HH:mm:ss.SSSXXX" }

function fileOutput(sink: FileSinkSpec, rows: Relation, fields: readonly Field[]): Output {
  const { partitionBy, recordsPerFileMax, compression } = sink
  const columns = fields.map((field) => (sink.kind === 'json' ? jsonColumn(field) : sqlName(field.name)))
  const folder =
    partitionBy && !fields.some(({ name }) => name === partitionBy.name) ? [partitionColumn(partitionBy)] : []
  const formats = {
    parquet: {},
    json: { ...TIMES, ignoreNullFields: 'false' },
    // As RFC 4180 has it: a quote is doubled, and spaces stay.
    csv: { ...TIMES, header: 'true', escape: '"', ignoreLeadingWhiteSpace: 'false', ignoreTrailingWhiteSpace: 'false' },
  }
  return {
    input: project(rows, ...columns, ...folder),
    format: sink.kind,
    path: sink.path,
    options: {
      ...formats[sink.kind],
      ...(recordsPerFileMax !== undefined && { maxRecordsPerFile: String(recordsPerFileMax) }),
      ...(compression !== undefined && { compression }),
    },
    ...(partitionBy && { partitioning_column_names: [partitionBy.name] }),
  }
}

function partitionColumn({ name, column, transform }: PartitionSpec): string {
  const formats = { day: 'yyyy-MM-dd', hour: 'yyyy-MM-dd-HH' }
  const value =
    transform === 'value' ? sqlName(column) : `date_format(${sqlName(column)}, ${sqlText(formats[transform])})`
  return `${value} AS ${sqlName(name)}`
}

function kafkaOutput(
  { topic, key }: KafkaSinkSpec,
  rows: Relation,
  fields: readonly Field[],
  { bootstrapServers = '' }: SparkSettings,
): Output {
  const members = fields.map((field) =>
    field.type === 'timestamp' ? `${timeText(sqlName(field.name))} AS ${sqlName(field.name)}` : jsonColumn(field),
  )
  const value = `to_json(struct(${members.join(', ')}), map('ignoreNullFields', 'false')) AS value`
  const keys = key === undefined ? [] : [`CAST(${sqlName(key)} AS STRING) AS key`]
  return {
    input: project(rows, ...keys, value),
    format: 'kafka',
    options: { 'kafka.bootstrap.servers': bootstrapServers, topic },
  }
}

/** A JSON column is the value itself in JSON, not a text of it. */
function jsonColumn({ name, type }: Field): string {
  return type === 'json' ? `try_parse_json(${sqlName(name)}) AS ${sqlName(name)}` : sqlName(name)
}

function isTable(sink: SinkSpec): sink is TableSink {
  return sink.kind === 'postgres' || sink.kind === 'duckdb'
}

/** Tells plans apart whose state must not be mixed. */
function fingerprint(query: QueryPlan): string {
  const { source } = queryChain(query.root).source
  const text = canonicalJson({ version: STATE_VERSION, source, query: queryIdentity(query) })
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
