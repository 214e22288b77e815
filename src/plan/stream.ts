import { type Duration, durationMs, MS_PER_MINUTE, MS_PER_SECOND } from '../base/time.ts'
import type { FieldSpec, FieldSpecs, TypedSchema } from '../batch/schema.ts'
import type { AggregateSpec } from './aggregate.ts'
import type { SourceSpec } from './connectors.ts'
import { col, type Expression } from './expression.ts'
import { frozenCopy } from './frozen-copy.ts'
import { CONVERSION_KEYS, CONVERSIONS, type FunnelOptions, funnelNode } from './funnel.ts'
import type {
  AggregateNode,
  FeatureMode,
  FeatureSpec,
  ModelReportNode,
  QueryNode,
  SelectNode,
  SessionFeaturesNode,
  WatermarkNode,
} from './node.ts'
import { type PredictOptions, predictNode } from './predict.ts'
import { columnNames } from './row-fields.ts'
import type { Rule } from './rule.ts'
import type { AlignedWindow, WindowSpec } from './window.ts'

const IDLE_TIMEOUT_MS = 30 * MS_PER_SECOND
/** A row further ahead of its arrival is future, unless the pipeline says otherwise. */
export const CLOCK_SKEW_MAX_MS: number = 5 * MS_PER_MINUTE

/** The rows of a source, on their way to a query. Each step returns a new stream and leaves this one as it is. */
export class Stream<F extends FieldSpecs> {
  readonly #node: QueryNode

  constructor(node: QueryNode) {
    this.#node = node
  }

  /** Keeps rows for which the predicate is true. Before `withWatermark`, a row that is dropped does not move the watermark. */
  where(predicate: Expression): Stream<F> {
    return new Stream({ kind: 'filter', input: this.#node, predicate })
  }

  /** Adds columns computed from others: `.derive({ page: urlPath(col('page_url')) })`. Their names must be new. */
  derive<D extends Readonly<Record<string, Expression>>>(columns: D): Stream<F & AddedFields<D>> {
    const named = Object.entries(columns).map(([name, expression]) => ({ name, expression }))
    return new Stream({ kind: 'derive', input: this.#node, columns: named })
  }

  /** Says which column is event time, and how far the watermark stays behind the newest row. A row that is later than that is late. */
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

  /**
   * Drops repeats: rows whose id came before, within the event time `within`. A null is never a repeat. Needs a watermark. The scope `partition` is cheaper
   * than `global`, for sources whose repeats come in the same partition: `stream(source, schema, { keyed: true })`.
   */
  dedupe(column: ColumnName<F>, options: DedupeOptions): Stream<F> {
    const withinMs = durationMs(options.within, 'time within which repeats come')
    return new Stream({ kind: 'dedupe', input: this.#node, column, withinMs, scope: options.scope ?? 'global' })
  }

  /**
   * Adds to each row what was known of its session when it happened, over the rows of its window up to and including it:
   * `{ by: 'session_id', window: tumbling('5 minutes'), features: { clicks_in_session: count(), time_on_page: elapsed() } }`.
   * Rows come out once the watermark has passed them. Only `where`, `derive` and `select` may follow.
   */
  withSessionFeatures<D extends Readonly<Record<string, FeatureSpec<ColumnName<F>>>>>(
    options: SessionFeaturesOptions<F, D>,
  ): Stream<F & AddedFields<D>> {
    const node: SessionFeaturesNode = {
      kind: 'session-features',
      input: this.#node,
      by: options.by,
      window: options.window,
      features: Object.entries(options.features).map(([name, spec]) => ({ name, spec })),
      mode: options.mode ?? 'past',
    }
    return new Stream(node)
  }

  /**
   * Adds `probability` and `model_version` to each row, by a model that learns while rows come:
   * `.predict({ label: purchaseWithin('30 minutes'), features: ['clicks_in_session', 'time_on_page'] })`.
   * A label with classes, `nextWithin(['view', 'purchase'], '5 minutes')`, adds `prediction` too, and the probability of each class.
   * Rows come out once the watermark has passed them; each is learned from when its label is known. Only `where`, `derive` and `select` may
   * follow, and `modelMetrics`, `modelWeights`, `modelEvents` or `modelExport`.
   */
  predict<K extends string = never>(
    options: PredictOptions<ColumnName<F>, K>,
  ): PredictedStream<F & PredictedFields & ClassFields<K>> {
    return new PredictedStream(predictNode(this.#node, options))
  }

  /**
   * Follows users or sessions through steps, in the time that they have for them:
   * `.funnel({ by: 'user_id', steps: { cart: eq(col('event_type'), 'cart_add'), order: eq(...) }, within: '30 minutes' })`.
   * What each attempt came to goes on, a row for each step that was done, once that time is over. `conversions` counts them.
   */
  funnel(options: FunnelOptions<ColumnName<F>>): FunnelStream {
    return new FunnelStream(funnelNode(this.#node, options))
  }

  /**
   * Ends the query without a window: each row gives one. A text names a column, everything else is an expression; without
   * columns, all there are. `late: rowProperty('late')` tells rows apart that windows refused.
   */
  select(columns?: Readonly<Record<string, ColumnName<F> | Expression>>): Query {
    const all = columns ?? Object.fromEntries(columnNames(this.#node).map((name) => [name, name]))
    const root: SelectNode = {
      kind: 'select',
      input: this.#node,
      columns: Object.entries(all).map(([name, column]) => ({
        name,
        expression: typeof column === 'string' ? col(column) : column,
      })),
    }
    return Object.freeze({ root: frozenCopy(root) })
  }

  /** Rows with the same values in these columns form a group; a null is a value like any other. */
  groupBy(...columns: readonly ColumnName<F>[]): GroupedStream<F> {
    return new GroupedStream(this.#node, columns)
  }

  /** Windows without keys: one row for each window. */
  window(window: WindowSpec): WindowedStream<F> {
    return this.groupBy().window(window)
  }
}

/** A stream whose rows have the predictions of a model. */
export class PredictedStream<F extends FieldSpecs> extends Stream<F> {
  readonly #predict: QueryNode

  constructor(predict: QueryNode) {
    super(predict)
    this.#predict = predict
  }

  /** How good the model is, beside the base rate: one row per epoch in which labels became known. */
  modelMetrics(): Stream<ReportFields> {
    return this.#report('metrics')
  }

  /** The weights after each epoch in which labels became known, one per row: what the model has learned. */
  modelWeights(): Stream<ReportFields> {
    return this.#report('weights')
  }

  /** Drift alarms, rollbacks and promotions, one per row, in the epoch in which they happened. */
  modelEvents(): Stream<ReportFields> {
    return this.#report('events')
  }

  /** All that a model has learned, after each epoch in which it has: for `latestFile()`, `redis()`, and `startFrom`. */
  modelExport(): Stream<ReportFields> {
    return this.#report('export')
  }

  #report(what: ModelReportNode['what']): Stream<ReportFields> {
    return new Stream({ kind: 'model-report', input: this.#predict, what })
  }
}

/** What attempts to get through a funnel came to: a row for each step that was done. Event time is when the attempt began. */
export class FunnelStream extends Stream<AttemptFields> {
  /**
   * Per step, over the attempts that began in each window: how many came to it (`entered`), went on from it to the next (`converted`) or
   * did not (`dropped`), and the seconds that going on took. A window is shown when its last attempts are over.
   */
  conversions(window: AlignedWindow): Query {
    return this.groupBy(...CONVERSION_KEYS)
      .window(window)
      .aggregate(Object.fromEntries(CONVERSIONS.map(({ name, spec }) => [name, spec])))
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

  /** How event time is cut. Each group of each window becomes one row. */
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

/** A finished query, not yet part of a pipeline; made by `aggregate` or `select`. */
export interface Query {
  readonly root: QueryNode
}

/** Columns that a step adds; what they hold is known when the plan is checked. */
export type AddedFields<D> = { readonly [K in keyof D]: FieldSpec<unknown> }

/** Columns that `predict` adds. */
export type PredictedFields = {
  readonly probability: FieldSpec<number>
  /** How often the model had learned something. */
  readonly model_version: FieldSpec<number>
}

/** What `predict` adds to those for a label with classes. */
export type ClassFields<K extends string> = {
  /** The likeliest class, whose probability `probability` is. */
  readonly [P in K as 'prediction']: FieldSpec<string>
} & { readonly [P in K as `probability_${P}`]: FieldSpec<number> }

/** Columns of what attempts came to, see docs/funnels.md. */
export type AttemptFields = Readonly<Record<string, FieldSpec<unknown>>>

/** Columns of reports on models, see docs/models.md. */
export type ReportFields = Readonly<Record<string, FieldSpec<unknown>>>

/** What counts as a repeat. */
export interface DedupeOptions {
  /** How far back ids are remembered, in event time. */
  readonly within: Duration
  /** Where repeats of an event come: in any partition (`global`, the default), or in the partition of the first (`partition`). */
  readonly scope?: 'global' | 'partition'
}

/** Which rows are a session, and what each row is told of it. */
export interface SessionFeaturesOptions<F extends FieldSpecs, D> {
  /** The column that tells sessions apart. */
  readonly by: ColumnName<F>
  readonly window: AlignedWindow
  readonly features: D
  /**
   * `past` (default): up to the row. `compat`: over the whole window, what comes after the row included. `batch`: over what the epoch has of
   * the window.
   */
  readonly mode?: FeatureMode
}

/** Names of a schema's columns. */
export type ColumnName<F extends FieldSpecs> = keyof F & string

/** How the watermark moves. */
export interface WatermarkOptions {
  /** `per-partition` (default): the slowest partition decides. `global-max`: the newest row decides, as in Spark. */
  readonly policy?: 'per-partition' | 'global-max'
  /** After this time without rows, a partition no longer holds the watermark back. Default: 30 seconds. */
  readonly idleTimeout?: Duration
  /** A row whose event time is further than this ahead of its arrival is `future`. Default: 5 minutes; null: never. */
  readonly maxClockSkew?: Duration | null
  /** A row older than this is `expired`. Default: never. */
  readonly maxAge?: Duration
  /** Whether the watermark follows the clock while all partitions are idle; default: in live runs. */
  readonly advanceWhenIdle?: boolean
}

/** The rows of a source, decoded by a schema and checked by rules. A pipeline's queries share one source. */
export function stream<F extends FieldSpecs>(
  source: SourceSpec,
  schema: TypedSchema<F>,
  options: StreamOptions = {},
): Stream<F> {
  const { rules = [], keyed } = options
  return new Stream({ kind: 'source', source, schema: { fields: schema.fields }, rules, ...(keyed ? { keyed } : {}) })
}

/** What is known of the rows of a source. */
export interface StreamOptions {
  /** What each row must fulfil; a row that does not is `invalid`. */
  readonly rules?: readonly Rule[]
  /** Producers send each event with a key, so that its repeats come in the same partition. */
  readonly keyed?: boolean
}

function optionalMs(text: Duration | undefined | null, what: string): number | undefined {
  return text === undefined || text === null ? undefined : durationMs(text, what)
}
