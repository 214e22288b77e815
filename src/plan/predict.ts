import { type Duration, durationMs } from '../base/time.ts'
import { type LogisticSpec, logisticRegression, type ModelSpec, softmaxRegression } from '../ml/model-spec.ts'
import { col, type Expression, eq } from './expression.ts'
import { startSpec } from './model-export.ts'
import { TEXT_VALUES_MAX } from './model-fields.ts'
import type { ContestSpec, LabelSpec, ModelFeature, NO_CLASS, PredictNode, QueryNode } from './node.ts'

/** What is predicted of each row, from what, and by which model. */
export interface PredictOptions<C extends string, K extends string = never> {
  readonly label: LabelSpec<K>
  /** Columns, or `oneHot` and `hashed` of columns. */
  readonly features: readonly (C | ModelFeature<C>)[]
  /** The column that says who a row is about. Default: that of the session features before, else `session_id`. */
  readonly by?: C
  /** Rows that get a prediction. Default: those that are not what the label waits for; all, when the label is the row's own. */
  readonly rows?: Expression
  /** Default: `logisticRegression()`; for a label with classes, `softmaxRegression()`. */
  readonly model?: ModelSpec
  /** Models that learn beside it from the same rows, by name; what they predicted is compared with what the champion did. */
  readonly challengers?: Readonly<Record<string, LogisticSpec>>
  /**
   * After so many outcomes, the challenger that lost least becomes the champion, if the difference is no chance. Default: 1,000. null: only
   * by `millrace model promote`.
   */
  readonly promoteAfter?: number | null
  /** The text of an export, such as `readFileSync('models/purchase.json', 'utf8')`: the model goes on from there when a checkpoint is begun. */
  readonly startFrom?: string
  /** Tells the models of a pipeline apart. Default: `model`. */
  readonly name?: string
  /** Rows that may wait for their labels. Rows beyond are not learned, and counted. Default: 1,000,000. */
  readonly waitingMax?: number
}

const WAITING_MAX = 1_000_000
const BUCKETS = 2 ** 18

/** The step of `stream.predict`. */
export function predictNode<C extends string, K extends string>(
  input: QueryNode,
  options: PredictOptions<C, K>,
): PredictNode {
  return {
    kind: 'predict',
    input,
    name: options.name ?? 'model',
    by: options.by ?? sessionColumn(input),
    label: options.label,
    rows: options.rows ?? null,
    features: options.features.map((one) => (typeof one === 'string' ? { kind: 'column', column: one } : one)),
    model: options.model ?? (options.label.kind === 'next' ? softmaxRegression() : logisticRegression()),
    ...contestOf(options),
    ...(options.startFrom === undefined ? {} : { startFrom: startSpec(options.startFrom) }),
    waitingMax: options.waitingMax ?? WAITING_MAX,
  }
}

function contestOf({
  challengers,
  promoteAfter = 1000,
}: Pick<PredictOptions<string>, 'challengers' | 'promoteAfter'>): { readonly contest?: ContestSpec } {
  if (!challengers) return {}
  return {
    contest: { challengers: Object.entries(challengers).map(([name, model]) => ({ name, model })), promoteAfter },
  }
}

/** Label: whether the session has a `purchase` within this event time after the row. */
export function purchaseWithin(duration: Duration): LabelSpec<never> {
  return eventWithin(eq(col('event_type'), 'purchase'), duration)
}

/** Label: whether the session has a row for which `when` is true, within this event time after the row. */
export function eventWithin(when: Expression, duration: Duration): LabelSpec<never> {
  return { kind: 'within', when, withinMs: durationMs(duration, 'time within which the label comes') }
}

/**
 * Label: what the session does next. It is the class of its next row whose `event_type` (or another column) is one of these, within this event time;
 * `none` when no such row comes. (A49)
 */
export function nextWithin<const K extends string>(
  classes: readonly K[],
  duration: Duration,
  options: { readonly column?: string } = {},
): LabelSpec<K | typeof NO_CLASS> {
  const withinMs = durationMs(duration, 'time within which the label comes')
  return { kind: 'next', column: options.column ?? 'event_type', classes, withinMs }
}

/** Label: whether this is true for the row itself. It is known at once, so the features may give it away. */
export function itself(when: Expression): LabelSpec<never> {
  return { kind: 'itself', when }
}

/** Feature: a weight for each value of a text column. The first `valuesMax` - 1 values have their own, all others share one. (A50) */
export function oneHot<C extends string>(column: C, valuesMax: number = TEXT_VALUES_MAX): ModelFeature<C> {
  return { kind: 'one-hot', column, valuesMax }
}

/** Feature: a weight for each hash of a text column, for columns with very many values. `buckets` (2^18) is a power of two. */
export function hashed<C extends string>(
  column: C,
  options: { readonly buckets?: number; readonly signed?: boolean } = {},
): ModelFeature<C> {
  return { kind: 'hashed', column, buckets: options.buckets ?? BUCKETS, signed: options.signed ?? false }
}

function sessionColumn(input: QueryNode): string {
  for (let node = input; node.kind !== 'source'; node = node.input) if (node.kind === 'session-features') return node.by
  return 'session_id'
}
