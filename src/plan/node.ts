import type { Schema } from '../batch/schema.ts'
import type { AggregateSpec } from './aggregate.ts'
import type { SinkSpec, SourceSpec } from './connectors.ts'
import type { Expression } from './expression.ts'
import type { Rule } from './rule.ts'
import type { WindowSpec } from './window.ts'

/**
 * A pipeline as frozen plain data: what the builder makes, what `plan --json` prints and `run plan.json` takes back, and
 * what back ends compile. A query is a chain of nodes that ends in the source; queries of a pipeline share the source.
 *
 *   source <- filter <- watermark <- filter <- aggregate      (each node points at its input)
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
}

/** A step of a query; each points at the step that its rows come from. */
export type QueryNode = SourceNode | FilterNode | WatermarkNode | AggregateNode

/** The begin of each query: rows are read, decoded by the schema and checked by the rules. */
export interface SourceNode {
  readonly kind: 'source'
  readonly source: SourceSpec
  readonly schema: Schema
  readonly rules: readonly Rule[]
}

/** Keeps rows for which the predicate is true. */
export interface FilterNode {
  readonly kind: 'filter'
  readonly input: QueryNode
  readonly predicate: Expression
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

/** Groups rows by window and key columns. Result columns: window_start, window_end, the keys, the aggregates. */
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

/** Names that every windowed result has, in this order, before its keys. */
export const WINDOW_START = 'window_start'
export const WINDOW_END = 'window_end'
