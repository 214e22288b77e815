import type { SinkSpec } from './connectors.ts'
import { frozenCopy } from './frozen-copy.ts'
import type { PipelinePlan, QueryPlan } from './node.ts'
import type { Query } from './stream.ts'

/** A pipeline under construction: itself the plan, as frozen data, with a method to add a query. */
export interface Pipeline extends PipelinePlan {
  /** Adds a query under a name; its rows go to the sink, or to each of several. Returns a new pipeline. */
  query(name: string, query: Query, sinks?: SinkSpec | readonly SinkSpec[], options?: QueryOptions): Pipeline
}

/** What the rows of a query have besides what it computes. */
export interface QueryOptions {
  /** Adds the columns `final` (false while the row can still change) and `version` (number of the epoch that gave it). */
  readonly meta?: boolean
}

/** Begins a pipeline: queries over one source that share its reading and decoding. */
export function pipeline(name: string): Pipeline {
  return withQueries(name, [])
}

function withQueries(name: string, queries: readonly QueryPlan[]): Pipeline {
  const plan: PipelinePlan = { millracePlan: 1, name, queries: Object.freeze(queries) }
  const query: Pipeline['query'] = (queryName, { root }, sinks = [], { meta } = {}) => {
    const all = isList(sinks) ? sinks : [sinks]
    const added: QueryPlan = { name: queryName, root, sinks: frozenCopy(all), ...(meta ? { meta } : {}) }
    return withQueries(name, [...queries, Object.freeze(added)])
  }
  // Not enumerable, so that the plan stays plain data.
  return Object.freeze(Object.defineProperty({ ...plan }, 'query', { value: query })) as Pipeline
}

function isList(sinks: SinkSpec | readonly SinkSpec[]): sinks is readonly SinkSpec[] {
  return Array.isArray(sinks)
}
