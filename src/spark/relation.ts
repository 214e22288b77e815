/** Relations of Spark Connect as plain data, written short. An expression is SQL text. */
export type Relation =
  | { readonly read: Read }
  | { readonly sql: { readonly query: string } }
  | { readonly project: { readonly input: Relation; readonly expressions: readonly SqlText[] } }
  | { readonly filter: { readonly input: Relation; readonly condition: SqlText } }
  | { readonly with_watermark: WithWatermark }
  | { readonly deduplicate: Deduplicate }
  | { readonly aggregate: Aggregate }

/** Where rows come from. */
export interface Read {
  readonly data_source: {
    readonly format: string
    readonly schema?: string
    readonly options: Readonly<Record<string, string>>
    readonly paths: readonly string[]
  }
  readonly is_streaming: boolean
}

/** An expression. */
export interface SqlText {
  readonly expression_string: { readonly expression: string }
}

interface WithWatermark {
  readonly input: Relation
  readonly event_time: string
  readonly delay_threshold: string
}

interface Deduplicate {
  readonly input: Relation
  readonly column_names: readonly string[]
  readonly within_watermark: true
}

interface Aggregate {
  readonly input: Relation
  readonly group_type: number
  readonly grouping_expressions: readonly SqlText[]
  readonly aggregate_expressions: readonly SqlText[]
}

/** GROUP BY, as the protocol numbers it. */
const GROUP_BY = 1

/** Rows of a source as they come. */
export function readStream(
  format: string,
  options: Readonly<Record<string, string>>,
  paths: readonly string[] = [],
): Relation {
  return { read: { data_source: { format, options, paths }, is_streaming: true } }
}

/** Columns, computed from those of the input. */
export function project(input: Relation, ...expressions: readonly string[]): Relation {
  return { project: { input, expressions: expressions.map(sqlText) } }
}

/** Rows for which a condition is true. */
export function filter(input: Relation, condition: string): Relation {
  return { filter: { input, condition: sqlText(condition) } }
}

/** Declares event time. */
export function withWatermark(input: Relation, column: string, delayMs: number): Relation {
  return { with_watermark: { input, event_time: column, delay_threshold: interval(delayMs) } }
}

/** Drops rows whose values in these columns came before, as long as the watermark remembers. */
export function dedupeWithinWatermark(input: Relation, ...columns: readonly string[]): Relation {
  return { deduplicate: { input, column_names: columns, within_watermark: true } }
}

/** Groups rows; the columns are the keys, then the aggregates. */
export function aggregate(input: Relation, keys: readonly string[], aggregates: readonly string[]): Relation {
  return {
    aggregate: {
      input,
      group_type: GROUP_BY,
      grouping_expressions: keys.map(sqlText),
      aggregate_expressions: aggregates.map(sqlText),
    },
  }
}

/** A length of time as Spark writes it. */
export function interval(ms: number): string {
  return `${ms} milliseconds`
}

function sqlText(expression: string): SqlText {
  return { expression_string: { expression } }
}
