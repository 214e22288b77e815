import type { Schema } from '../batch/schema.ts'
import type { LogisticSpec, ModelSpec } from '../ml/model-spec.ts'
import type { AggregateSpec, PlainAggregateSpec } from './aggregate.ts'
import type { SinkSpec, SourceSpec } from './connectors.ts'
import type { Expression } from './expression.ts'
import type { StartSpec } from './model-export.ts'
import type { Rule } from './rule.ts'
import type { AlignedWindow, WindowSpec } from './window.ts'

/**
 * A pipeline as frozen plain data: what the builder makes, what `plan --json` prints and `run plan.json` takes back, and
 * what back ends compile. A query is a chain of nodes that ends in the source; queries of a pipeline share the source.
 *
 *   source <- (filter | derive)* <- watermark <- (filter | derive | dedupe | session-features)* <- aggregate | select
 *                                                     ... <- predict <- model-report? <- (filter | derive)* <- select
 *                                                     ... <- funnel <- (filter | derive)* <- aggregate | select
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
  | PredictNode
  | ModelReportNode
  | FunnelNode
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
 *   batch    over what the epoch has of the window, what comes after the row included; rows come out with their epoch, and features
 *            depend on how the input is cut: only for who wants what foreachBatch gives
 */
export interface SessionFeaturesNode {
  readonly kind: 'session-features'
  readonly input: QueryNode
  /** The column that tells sessions apart; rows in which it is null have null features. */
  readonly by: string
  readonly window: AlignedWindow
  readonly features: readonly NamedFeature[]
  readonly mode: FeatureMode
}

/** Which rows of its session a row is told of. */
export type FeatureMode = 'past' | 'compat' | 'batch'

/** A feature with the name of its column. */
export interface NamedFeature {
  readonly name: string
  readonly spec: FeatureSpec
}

/** An aggregate over the rows of a session, or the seconds from the first of them to the last. */
export type FeatureSpec<C extends string = string> = PlainAggregateSpec<C> | { readonly kind: 'elapsed' }

/**
 * Gives rows a probability by a model that learns from what became of earlier ones. Rows come out as behind session features: when the
 * watermark has passed them, in order. Behind session features in mode `past`, or behind none. Rows that `rows` leaves out are looked at
 * for labels, and go no further.
 */
export interface PredictNode {
  readonly kind: 'predict'
  readonly input: QueryNode
  /** Tells models of a pipeline apart. */
  readonly name: string
  /** The column that tells who a row is about; a row in which it is null is predicted, never learned. */
  readonly by: string
  readonly label: LabelSpec
  /** Rows that get a prediction; null: those that are not what the label waits for, or all when the label is the row's own. */
  readonly rows: Expression | null
  readonly features: readonly ModelFeature[]
  readonly model: ModelSpec
  /** Models that learn beside it, and may take its place. */
  readonly contest?: ContestSpec
  /** What it begins with; nothing when absent. Looked at when a checkpoint is begun, never again. */
  readonly startFrom?: StartSpec
  /** Rows that may wait for their labels. */
  readonly waitingMax: number
}

/** Models of two classes that learn beside the one that answers. */
export interface ContestSpec {
  readonly challengers: readonly { readonly name: string; readonly model: LogisticSpec }[]
  /** After each so many outcomes a challenger that was surely better takes the place of the champion; null: by command only. */
  readonly promoteAfter: number | null
}

/**
 * What is told of a row, and when it is known.
 *
 *   within   a row of the same `by` for which `when` is true comes after it, within so much event time; known when that time is over,
 *            for those to whom it has happened as for the others
 *   next     the first row of the same `by` behind it whose column holds one of the classes, within so much event time; `none` when none
 *            comes; known when that time is over
 *   itself   `when` is true for the row; known at once, so features may give it away: only to compare with systems that do so
 */
export type LabelSpec<K extends string = string> =
  | { readonly kind: 'within'; readonly when: Expression; readonly withinMs: number }
  | { readonly kind: 'itself'; readonly when: Expression }
  | NextLabelSpec<K>

/** Which class comes next, of those that are known from the beginning. */
export interface NextLabelSpec<K extends string = string> {
  readonly kind: 'next'
  /** Text whose value is the class. */
  readonly column: string
  /** `NO_CLASS` not among them. */
  readonly classes: readonly K[]
  readonly withinMs: number
}

/** The class of rows after which none of the others came in time. */
export const NO_CLASS = 'none'

/** How a column is told to a model. */
export type ModelFeature<C extends string = string> =
  /** A number as it is, true as 1; a text as `one-hot` of 100. */
  | { readonly kind: 'column'; readonly column: C }
  /** A weight for each value; the first `valuesMax` - 1 have their own, all others share one. */
  | { readonly kind: 'one-hot'; readonly column: C; readonly valuesMax: number }
  /** A weight for each hash of a value; `buckets` is a power of two. */
  | { readonly kind: 'hashed'; readonly column: C; readonly buckets: number; readonly signed: boolean }

/** Behind `predict`: instead of its rows, how the model stands after each epoch that it has learned in, or what has happened to it. */
export interface ModelReportNode {
  readonly kind: 'model-report'
  readonly input: QueryNode
  readonly what: 'metrics' | 'weights' | 'events' | 'export'
}

/**
 * Follows whoever a column tells through some steps. Rows of one value of `by`, by (event time, partition, offset), make attempts: an attempt
 * begins at a first step and has all rows up to its last step, or for `withinMs`; the next one begins at the first step after it.
 * Instead of the rows, what attempts came to goes on, a row for each step that was done, see `attemptFields`: once the watermark is at
 * start + within, so that nothing changes any more, in the order in which attempts began.
 *
 *   ordered   a row that is the next step counts, all others are passed over
 *   strict    the next row must be the next step, or the attempt has ended before it
 *   any       steps come in any order, each counts once; a row that is several of them counts as the first
 */
export interface FunnelNode {
  readonly kind: 'funnel'
  readonly input: QueryNode
  /** The column that tells who is going; rows in which it is null take no part. */
  readonly by: string
  readonly steps: readonly FunnelStep[]
  readonly withinMs: number
  readonly mode: FunnelMode
}

/** A step of a funnel by name: rows for which `when` is true. */
export interface FunnelStep {
  readonly name: string
  readonly when: Expression
}

/** `ordered`: steps in order, other rows between them do not matter. `strict`: nothing between them. `any`: steps in any order. */
export type FunnelMode = 'ordered' | 'strict' | 'any'

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
