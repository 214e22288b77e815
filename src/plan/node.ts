import type { Schema } from '../batch/schema.ts'
import type { AggregateSpec, PlainAggregateSpec } from './aggregate.ts'
import type { SinkSpec, SourceSpec } from './connectors.ts'
import type { Expression } from './expression.ts'
import type { Rule } from './rule.ts'
import type { AlignedWindow, WindowSpec } from './window.ts'

/**
 * A pipeline as frozen plain data: what the builder makes, what `plan --json` prints and `run plan.json` takes back, and
 * what back ends compile. A query is a chain of nodes that ends in the source; queries of a pipeline share the source.
 *
 *   source <- (filter | derive)* <- watermark <- (filter | derive | dedupe | session-features)* <- aggregate | select
 *
 * Each node points at its input. A query that ends in `select` needs no watermark unless a step asks for one.
 */
export interface PipelinePlan {
  readonly millracePlan: 1
  readonly name: string
  readonly queries: readonly QueryPlan[]
}

/** A query by name: what it computes, and where its rows go. */
export interface QueryPlan {
  readonly name: string
  readonly root: QueryNode
  readonly sinks: readonly SinkSpec[]
  /** Adds the columns `final` and `version`. */
  readonly meta?: boolean
}

/** A step of a query; each points at the step that its rows come from. */
export type QueryNode =
  | SourceNode
  | FilterNode
  | DeriveNode
  | WatermarkNode
  | DedupeNode
  | SessionFeaturesNode
  | AggregateNode
  | SelectNode

/** The begin of each query: rows are read, decoded by the schema and checked by the rules. */
export interface SourceNode {
  readonly kind: 'source'
  readonly source: SourceSpec
  readonly schema: Schema
  readonly rules: readonly Rule[]
  /** Repeats of an event always come in the partition of the first, because its producers send it with a key. */
  readonly keyed?: boolean
}

/** Keeps rows for which the predicate is true. */
export interface FilterNode {
  readonly kind: 'filter'
  readonly input: QueryNode
  readonly predicate: Expression
}

/** Adds columns to each row. Expressions see the columns of the input, not each other; names are new ones. */
export interface DeriveNode {
  readonly kind: 'derive'
  readonly input: QueryNode
  readonly columns: readonly NamedExpression[]
}

/** An expression with the name of its column. */
export interface NamedExpression {
  readonly name: string
  readonly expression: Expression
}

/** Declares event time and how long to wait for stragglers. All durations in ms; what is absent has its default. */
export interface WatermarkNode {
  readonly kind: 'watermark'
  readonly input: QueryNode
  readonly column: string
  readonly delayMs: number
  readonly policy: 'per-partition' | 'global-max'
  readonly idleTimeoutMs: number
  /** A row stamped further than this after its arrival is `future`; null switches the guard off. */
  readonly clockSkewMaxMs: number | null
  /** A row older than this at the plan's clock is `expired`; null: never. */
  readonly ageMaxMs: number | null
  /** When all partitions are idle, time goes on at the clock's pace. Absent: on for live runs, off for bounded ones. */
  readonly advanceWhenIdle?: boolean
}

/**
 * Drops rows whose id came before. The memory goes back `withinMs` of event time: a row with ts + within <= watermark is late.
 * A null is never a repeat. At most one in a query.
 */
export interface DedupeNode {
  readonly kind: 'dedupe'
  readonly input: QueryNode
  readonly column: string
  readonly withinMs: number
  /** `partition`: repeats come in the same partition, which the source must have declared (`keyed`). */
  readonly scope: 'global' | 'partition'
}

/**
 * Adds to each row what was known of its session (the rows with its value of `by`, within its window) when it happened. Rows
 * come out when the watermark has passed them, in the order of (event time, partition, offset); late ones are dropped.
 *
 *   past     each feature is over the rows of the session up to and including this one
 *   compat   over the whole window, so that a row knows what came after it; only to compare with systems that do so
 */
export interface SessionFeaturesNode {
  readonly kind: 'session-features'
  readonly input: QueryNode
  /** The column that tells sessions apart; rows in which it is null have null features. */
  readonly by: string
  readonly window: AlignedWindow
  readonly features: readonly NamedFeature[]
  readonly mode: 'past' | 'compat'
}

/** A feature with the name of its column. */
export interface NamedFeature {
  readonly name: string
  readonly spec: FeatureSpec
}

/** An aggregate over the rows of a session, or the seconds from the first of them to the last. */
export type FeatureSpec<C extends string = string> = PlainAggregateSpec<C> | { readonly kind: 'elapsed' }

/** Groups rows by window and key columns. Result columns: those of the window, the keys, the aggregates. */
export interface AggregateNode {
  readonly kind: 'aggregate'
  readonly input: QueryNode
  readonly window: WindowSpec
  readonly keys: readonly string[]
  readonly aggregates: readonly NamedAggregate[]
}

/** An aggregate with the name of its result column. */
export interface NamedAggregate {
  readonly name: string
  readonly spec: AggregateSpec
}

/** Ends a query without windows: each row that comes gives one with these columns, sorted by partition and offset. */
export interface SelectNode {
  readonly kind: 'select'
  readonly input: QueryNode
  readonly columns: readonly NamedExpression[]
}

/** Columns of results by tumbling, calendar and sliding windows, in this order, before the keys. */
export const WINDOW_START = 'window_start'
export const WINDOW_END = 'window_end'

/** Columns of results by session, in this order, before the keys. The end is the last event; duration = end - start. */
export const SESSION_START = 'session_start'
export const SESSION_END = 'session_end'
export const SESSION_DURATION_MS = 'duration_ms'

/** Columns of results with `meta`, last: whether the row can still change, and the number of the epoch that gave it. */
export const META_FINAL = 'final'
export const META_VERSION = 'version'
