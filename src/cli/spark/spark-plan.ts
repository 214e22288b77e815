import { resolve } from 'node:path'
import type { SinkSpec } from '../../plan/connectors.ts'
import type { PipelinePlan } from '../../plan/node.ts'
import { sourceOf } from '../../plan/plan-source.ts'
import { literalPath } from '../../spark/places.ts'
import { withSource } from '../adapt-plan.ts'

const ADDRESS = /^[a-z][a-z0-9+.-]*:/i

/** A folder or file as Spark has to be told of it, below `workingFolder` when it is relative. Addresses such as `s3a://...` stay. */
export function fullPath(workingFolder: string, path: string): string {
  return ADDRESS.test(path) ? path : resolve(workingFolder, path)
}

/**
 * The plan with folders and files as Spark, which works in another folder, has to be told of them. What it reads are patterns: in those the
 * working folder means itself, whatever characters it has.
 */
export function withFullPaths(plan: PipelinePlan, workingFolder: string): PipelinePlan {
  const full = (path: string): string => fullPath(workingFolder, path)
  const sinkAt = (sink: SinkSpec): SinkSpec => ('path' in sink ? { ...sink, path: full(sink.path) } : sink)
  const queries = plan.queries.map((query) => ({ ...query, sinks: query.sinks.map(sinkAt) }))
  const source = sourceOf(plan)
  const moved = { ...plan, queries }
  if (source.kind !== 'file') return moved
  return withSource(moved, {
    ...source,
    paths: source.paths.map((path) => fullPath(literalPath(workingFolder), path)),
  })
}
