import type { Expression } from './expression.ts'

/**
 * What to compute over the rows of a group, as data. All are order-free: any cut and any order of rows gives the same result.
 * `C` is the name of the column, so that a stream can refuse at compile time what its schema does not have.
 */
export type AggregateSpec<C extends string = string> =
  | PlainAggregateSpec<C>
  | {
      readonly kind: 'approxCountDistinct'
      readonly column: C
      /** Relative standard deviation that is tolerated; 0.05 by default. */
      readonly rsd: number
      readonly where?: Expression
    }
  | {
      readonly kind: 'quantile'
      readonly column: C
      /** 0 is the smallest value, 0.5 the median, 1 the largest. */
      readonly q: number
      readonly where?: Expression
    }
  | {
      readonly kind: 'topK'
      readonly column: C
      /** How many values are kept. */
      readonly k: number
      readonly where?: Expression
    }

/** Aggregates without options; they can be features of sessions too. */
export type PlainAggregateSpec<C extends string = string> =
  | { readonly kind: 'count'; readonly where?: Expression }
  | { readonly kind: ColumnAggregate; readonly column: C; readonly where?: Expression }

/** Aggregates that need a column and nothing else. */
export type ColumnAggregate = 'sum' | 'min' | 'max' | 'avg' | 'span' | 'countDistinct' | 'first' | 'last'

/** An aggregate that can still be given a filter. */
export type Aggregate<C extends string = string, S extends AggregateSpec<C> = AggregateSpec<C>> = S & {
  /** Only rows for which the predicate is true take part. */
  where(predicate: Expression): S
}

/** Number of rows, nulls included. */
export function count(): Aggregate<never, PlainAggregateSpec<never>> {
  return plain({ kind: 'count' })
}

/**
 * Sum of a numeric column. Nulls are ignored; null when there is no value. Sums are exact and do not depend on the order of rows. A sum of
 * whole numbers or decimals beyond 2^53 units ends the run with `unsupported`.
 */
export function sum<C extends string>(column: C): Aggregate<C, PlainAggregateSpec<C>> {
  return plain({ kind: 'sum', column })
}

/** Smallest value; nulls are ignored. Text is compared by its UTF-8 bytes. */
export function min<C extends string>(column: C): Aggregate<C, PlainAggregateSpec<C>> {
  return plain({ kind: 'min', column })
}

/** Largest value; nulls are ignored. Text is compared by its UTF-8 bytes. */
export function max<C extends string>(column: C): Aggregate<C, PlainAggregateSpec<C>> {
  return plain({ kind: 'max', column })
}

/** Mean of a numeric column; nulls are ignored, null when there is no value. Of a decimal: exact, rounded half up to six digits. */
export function avg<C extends string>(column: C): Aggregate<C, PlainAggregateSpec<C>> {
  return plain({ kind: 'avg', column })
}

/** Seconds from the earliest to the latest value of a time column, a whole number: both are cut to the second first. Nulls are ignored. */
export function span<C extends string>(column: C): Aggregate<C, PlainAggregateSpec<C>> {
  return plain({ kind: 'span', column })
}

/** Exact number of different values that are not null. The state of a group holds each value until its window closes. */
export function countDistinct<C extends string>(column: C): Aggregate<C, PlainAggregateSpec<C>> {
  return plain({ kind: 'countDistinct', column })
}

/**
 * Estimated number of different values that are not null, by HyperLogLog++: the same number as Spark's `approx_count_distinct`.
 * `rsd` is the relative standard deviation of the estimate, 0.005 to 0.39: 0.05 takes 512 bytes a group, 0.01 takes 16 KB.
 */
export function approxCountDistinct<C extends string>(column: C, rsd = 0.05): Aggregate<C> {
  return aggregate({ kind: 'approxCountDistinct', column, rsd })
}

/** Value of the earliest row, by event time, then partition and offset; nulls are ignored. */
export function first<C extends string>(column: C): Aggregate<C, PlainAggregateSpec<C>> {
  return plain({ kind: 'first', column })
}

/** Value of the latest row, by event time, then partition and offset; nulls are ignored. */
export function last<C extends string>(column: C): Aggregate<C, PlainAggregateSpec<C>> {
  return plain({ kind: 'last', column })
}

/** The value below which the share `q` (0 to 1) of the values lies; 0.5 is the median. Within 1 % of the true value (DDSketch). Nulls are ignored. */
export function quantile<C extends string>(column: C, q: number): Aggregate<C> {
  return aggregate({ kind: 'quantile', column, q })
}

/**
 * The `k` (1 to 1,000) most frequent values with their counts, as JSON text: `[{"value":"/home","count":12}, ...]`. Counts are exact up to 10,000 different
 * values in a group; beyond, rare values are dropped, and each entry says `"approximate":true`. Nulls are ignored.
 */
export function topK<C extends string>(column: C, k: number): Aggregate<C> {
  return aggregate({ kind: 'topK', column, k })
}

/** Seconds from the first event of a session to the newest one so far. Only for `withSessionFeatures`. */
export function elapsed(): { readonly kind: 'elapsed' } {
  return Object.freeze({ kind: 'elapsed' })
}

function plain<C extends string>(spec: PlainAggregateSpec<C>): Aggregate<C, PlainAggregateSpec<C>> {
  return aggregate(spec) as Aggregate<C, PlainAggregateSpec<C>>
}

function aggregate<C extends string>(spec: AggregateSpec<C>): Aggregate<C> {
  const where = (predicate: Expression): AggregateSpec<C> => Object.freeze({ ...spec, where: predicate })
  // Not enumerable, so that the plan stays plain data.
  return Object.freeze(Object.defineProperty({ ...spec }, 'where', { value: where })) as Aggregate<C>
}
