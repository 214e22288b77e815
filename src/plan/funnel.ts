import { type Duration, durationMs } from '../base/time.ts'
import type { Field } from '../batch/schema.ts'
import { avg, count, quantile } from './aggregate.ts'
import { col, type Expression, eq } from './expression.ts'
import type { FunnelMode, FunnelNode, NamedAggregate, QueryNode } from './node.ts'

/** Who goes through which steps, and in what time. */
export interface FunnelOptions<C extends string> {
  /** The column that says who takes the steps: a user, a session. Rows in which it is null take no part. */
  readonly by: C
  /** What each step is, by its name, in order: `{ view: eq(col('event_type'), 'item_click'), ... }`; 2 to 16. */
  readonly steps: Readonly<Record<string, Expression>>
  /** The longest event time from the first step to the last. */
  readonly within: Duration
  /** Default: `ordered`. */
  readonly mode?: FunnelMode
}

/** The step of `stream.funnel`. */
export function funnelNode<C extends string>(input: QueryNode, options: FunnelOptions<C>): FunnelNode {
  return {
    kind: 'funnel',
    input,
    by: options.by,
    steps: Object.entries(options.steps).map(([name, when]) => ({ name, when })),
    withinMs: durationMs(options.within, 'time within which the steps of a funnel come'),
    mode: options.mode ?? 'ordered',
  }
}

/** When an attempt began: event time of the rows behind a funnel. */
export const ATTEMPT_START = 'attempt_start'

/** Columns by which `conversions` groups, in this order. */
export const CONVERSION_KEYS: readonly string[] = ['step', 'step_name']

/** Columns of the rows behind a funnel: one row for each step that an attempt came to; `by` is the column of who is going. */
export function attemptFields({ name, type, scale }: Field): Field[] {
  return [
    { name: ATTEMPT_START, type: 'timestamp', required: true },
    { name, type, required: true, ...(scale === undefined ? {} : { scale }) },
    { name: 'step', type: 'int32', required: true },
    { name: 'step_name', type: 'string', required: true },
    { name: 'step_time', type: 'timestamp', required: true },
    // Both null behind the last step, the second one too when the attempt ended there.
    { name: 'converted', type: 'boolean', required: false },
    { name: 'seconds', type: 'decimal', scale: 3, required: false },
  ]
}

/** What `conversions` tells of each step. */
export const CONVERSIONS: readonly NamedAggregate[] = Object.entries({
  entered: count(),
  converted: count().where(eq(col('converted'), true)),
  dropped: count().where(eq(col('converted'), false)),
  median_seconds: quantile('seconds', 0.5),
  mean_seconds: avg('seconds'),
}).map(([name, spec]) => ({ name, spec }))
