import { type Duration, durationMs, MS_PER_MINUTE, MS_PER_SECOND } from '../base/time.ts'
import type { FieldSpecs, TypedSchema } from '../batch/schema.ts'
import type { AggregateSpec } from './aggregate.ts'
import type { SinkSpec, SourceSpec } from './connectors.ts'
import type { Expression } from './expression.ts'
import { frozenCopy } from './frozen-copy.ts'
import type { AggregateNode, PipelinePlan, QueryNode, QueryPlan, WatermarkNode } from './node.ts'
import type { Rule } from './rule.ts'
import type { WindowSpec } from './window.ts'

const IDLE_TIMEOUT_MS = 30 * MS_PER_SECOND
const CLOCK_SKEW_MAX_MS = 5 * MS_PER_MINUTE

/** Rows of a source, on their way to a query. Each step gives a new stream; none changes. */
export class Stream<F extends FieldSpecs> {
  readonly #node: QueryNode

  constructor(node: QueryNode) {
    this.#node = node
  }

  /** Keeps rows for which the predicate is true. Before `withWatermark`, a row that is dropped never moves time. */
  where(predicate: Expression): Stream<F> {
    return new Stream({ kind: 'filter', input: this.#node, predicate })
  }

  /** Declares which column is event time, and how long to wait for rows that are behind. */
  withWatermark(column: ColumnName<F>, delay: Duration, options: WatermarkOptions = {}): Stream<F> {
    const node: WatermarkNode = {
      kind: 'watermark',
      input: this.#node,
      column,
      delayMs: durationMs(delay, 'watermark delay'),
      policy: options.policy ?? 'per-partition',
      idleTimeoutMs: optionalMs(options.idleTimeout, 'idle timeout') ?? IDLE_TIMEOUT_MS,
      clockSkewMaxMs:
        options.maxClockSkew === null ? null : (optionalMs(options.maxClockSkew, 'clock skew') ?? CLOCK_SKEW_MAX_MS),
      ageMaxMs: optionalMs(options.maxAge, 'age') ?? null,
      ...(options.advanceWhenIdle === undefined ? {} : { advanceWhenIdle: options.advanceWhenIdle }),
    }
    return new Stream(node)
  }

  /** Rows with the same values in these columns form a group; a null is a value like any other. */
  groupBy(...columns: readonly ColumnName<F>[]): GroupedStream<F> {
    return new GroupedStream(this.#node, columns)
  }

  /** One group over all rows of each window. */
  window(window: WindowSpec): WindowedStream<F> {
    return this.groupBy().window(window)
  }
}

/** A stream with its keys. */
export class GroupedStream<F extends FieldSpecs> {
  readonly #input: QueryNode
  readonly #keys: readonly string[]

  constructor(input: QueryNode, keys: readonly string[]) {
    this.#input = input
    this.#keys = keys
  }

  /** How time is cut; each window and group gives one row. */
  window(window: WindowSpec): WindowedStream<F> {
    return new WindowedStream(this.#input, this.#keys, window)
  }
}

/** A stream with its keys and windows. */
export class WindowedStream<F extends FieldSpecs> {
  readonly #input: QueryNode
  readonly #keys: readonly string[]
  readonly #window: WindowSpec

  constructor(input: QueryNode, keys: readonly string[], window: WindowSpec) {
    this.#input = input
    this.#keys = keys
    this.#window = window
  }

  /** What to compute per window and group, by the name of the result column. */
  aggregate(aggregates: Readonly<Record<string, AggregateSpec<ColumnName<F>>>>): Query {
    const root: AggregateNode = {
      kind: 'aggregate',
      input: this.#input,
      window: this.#window,
      keys: this.#keys,
      aggregates: Object.entries(aggregates).map(([name, spec]) => ({ name, spec })),
    }
    // What the caller handed in may still change in the caller's hands.
    return Object.freeze({ root: frozenCopy(root) })
  }
}

/** A finished query, not yet part of a pipeline; made by `aggregate`. */
export interface Query {
  readonly root: QueryNode
}

/** Names of a schema's columns. */
export type ColumnName<F extends FieldSpecs> = keyof F & string

/** How event time goes on; what is left out has its default. */
export interface WatermarkOptions {
  /** `per-partition` (default): the slowest partition decides. `global-max`: the newest row decides, as in Spark. */
  readonly policy?: 'per-partition' | 'global-max'
  /** A partition that has been quiet for so long holds time back no longer; 30 seconds. */
  readonly idleTimeout?: Duration
  /** A row stamped further than this after its arrival is `future`; 5 minutes. null switches the guard off. */
  readonly maxClockSkew?: Duration | null
  /** A row older than this is `expired`; off. */
  readonly maxAge?: Duration
  /** Whether time goes on while all partitions are idle; on for live runs. */
  readonly advanceWhenIdle?: boolean
}

/** Rows of a source, decoded by a schema and checked by rules. */
export function stream<F extends FieldSpecs>(
  source: SourceSpec,
  schema: TypedSchema<F>,
  options: { readonly rules?: readonly Rule[] } = {},
): Stream<F> {
  return new Stream({ kind: 'source', source, schema: { fields: schema.fields }, rules: options.rules ?? [] })
}

/** A pipeline under construction: itself the plan, as frozen data, with a method to add a query. */
export interface Pipeline extends PipelinePlan {
  /** Adds a query under a name; its rows go to each of the sinks. Gives a new pipeline. */
  query(name: string, query: Query, sinks?: readonly SinkSpec[]): Pipeline
}

/** Begins a pipeline: queries over one source that share its reading and decoding. */
export function pipeline(name: string): Pipeline {
  return withQueries(name, [])
}

function withQueries(name: string, queries: readonly QueryPlan[]): Pipeline {
  const plan: PipelinePlan = { millracePlan: 1, name, queries: Object.freeze(queries) }
  const query: Pipeline['query'] = (queryName, { root }, sinks = []) =>
    withQueries(name, [...queries, Object.freeze({ name: queryName, root, sinks: frozenCopy(sinks) })])
  // Not enumerable, so that the plan stays plain data.
  return Object.freeze(Object.defineProperty({ ...plan }, 'query', { value: query })) as Pipeline
}

function optionalMs(text: Duration | undefined | null, what: string): number | undefined {
  return text === undefined || text === null ? undefined : durationMs(text, what)
}
