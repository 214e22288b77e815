import { resolve } from 'node:path'
import type { FileSinkSpec, SinkSpec, SourceSpec } from '../plan/connectors.ts'
import type { PipelinePlan, QueryNode } from '../plan/node.ts'

/** The same pipeline over another source. */
export function withSource(plan: PipelinePlan, source: SourceSpec): PipelinePlan {
  return withNodes(plan, (node) => (node.kind === 'source' ? { ...node, source } : node))
}

/** The same pipeline with every watermark this far behind. */
export function withWatermarkDelay(plan: PipelinePlan, delayMs: number): PipelinePlan {
  return withNodes(plan, (node) => (node.kind === 'watermark' ? { ...node, delayMs } : node))
}

/** The same pipeline with its file sinks below another folder, each in `<folder>/<name of the sink's own folder>`. */
export function withOutput(plan: PipelinePlan, folder: string): PipelinePlan {
  const moved = (sink: SinkSpec): SinkSpec =>
    hasPath(sink) ? { ...sink, path: resolve(folder, lastPart(sink.path)) } : sink
  return { ...plan, queries: plan.queries.map((query) => ({ ...query, sinks: query.sinks.map(moved) })) }
}

function withNodes(plan: PipelinePlan, change: (node: QueryNode) => QueryNode): PipelinePlan {
  const changed = (node: QueryNode): QueryNode => {
    const result = change(node)
    return result.kind === 'source' ? result : { ...result, input: changed(result.input) }
  }
  return { ...plan, queries: plan.queries.map((query) => ({ ...query, root: changed(query.root) })) }
}

function hasPath(sink: SinkSpec): sink is FileSinkSpec {
  return sink.kind === 'parquet' || sink.kind === 'csv' || sink.kind === 'json'
}

function lastPart(path: string): string {
  return path.split('/').filter(Boolean).at(-1) ?? 'output'
}
