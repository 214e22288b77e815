import { resolve } from 'node:path'
import { MillraceError } from '../../base/error.ts'
import type { SinkSpec, SourceSpec } from '../../plan/connectors.ts'
import { nameHint } from '../../plan/nearest-name.ts'
import type { PipelinePlan } from '../../plan/node.ts'
import { queryChain } from '../../plan/query-chain.ts'
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

/** The plan with only the queries of these names; with all of them when there are none. */
export function onlyQueries(plan: PipelinePlan, names: readonly string[] | undefined): PipelinePlan {
  if (names === undefined) return plan
  const known = plan.queries.map(({ name }) => name)
  const unknown = names.find((name) => !known.includes(name))
  if (unknown === undefined) return { ...plan, queries: plan.queries.filter(({ name }) => names.includes(name)) }
  throw new MillraceError('invalid-option', `the pipeline "${plan.name}" has no query "${unknown}"`, {
    hint: nameHint(unknown, known),
  })
}

/** What the pipeline reads. */
export function sourceOf(plan: PipelinePlan): SourceSpec {
  return queryChain((plan.queries[0] as PipelinePlan['queries'][number]).root).source.source
}
