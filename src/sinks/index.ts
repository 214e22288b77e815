import type { FileSinkSpec, SinkSpec } from '../plan/connectors.ts'
import type { Sink, SinkContext } from './sink.ts'

type SinkFactory<K extends SinkSpec['kind']> = (
  spec: Extract<SinkSpec, { kind: K }>,
  context: SinkContext,
) => Promise<Sink>

/** Every kind of sink. What a sink needs is loaded when the first one is made. */
const SINKS: { readonly [K in SinkSpec['kind']]: SinkFactory<K> } = {
  json: files,
  csv: files,
  parquet: files,
  kafka: async (spec, context) => (await import('./kafka-sink.ts')).kafkaSink(spec, context),
  postgres: async (spec, context) => (await import('./postgres/postgres-sink.ts')).postgresSink(spec, context),
  duckdb: async (spec, context) => (await import('./duckdb/duckdb-sink.ts')).duckdbSink(spec, context),
  redis: async (spec, context) => (await import('./latest/redis-store.ts')).redisSink(spec, context),
  'latest-file': async (spec, context) => (await import('./latest/file-store.ts')).latestFileSink(spec, context),
  console: async (spec, context) => (await import('./console-sink.ts')).consoleSink(spec, context),
  memory: async (_spec, context) => (await import('./memory-sink.ts')).memorySink(context),
}

async function files(spec: FileSinkSpec, context: SinkContext): Promise<Sink> {
  const sink = await (await import('./file-sink.ts')).fileSink(spec, context)
  if (!spec.roll) return sink
  return (await import('./rolling-file-sink.ts')).rollingFileSink(sink, spec.roll, context)
}

/** Makes the sink that a specification describes. Nothing is opened or written before `open`. */
export async function createSink(spec: SinkSpec, context: SinkContext): Promise<Sink> {
  const factory = SINKS[spec.kind] as SinkFactory<SinkSpec['kind']>
  return factory(spec as never, context)
}
