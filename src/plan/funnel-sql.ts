import { MillraceError } from '../base/error.ts'
import { quoted } from '../base/sql-name.ts'
import { canonicalJson } from './canonical-json.ts'
import { conditionSql } from './condition-sql.ts'
import { CONVERSION_KEYS, CONVERSIONS } from './funnel.ts'
import { attemptsSql } from './funnel-attempts-sql.ts'
import type { AggregateNode, FunnelNode, QueryNode, SelectNode } from './node.ts'
import { queryChain } from './query-chain.ts'

/** How rows of the same time are told apart. */
export interface FunnelSqlOptions {
  /** Columns that order them, such as partition and offset; without any, their order is left to chance. */
  readonly ties?: readonly string[]
}

/**
 * A query that ends in a funnel, as SQL of DuckDB over rows that were kept: the same definition, the same rows. `rows` is a SELECT that gives
 * each event once, with the columns that the funnel and the filters before it look at. The median is exact, where the engine's is within 1 %.
 * Throws `unsupported` for a query that does something else behind the funnel than `conversions` or `select()`.
 */
export function funnelSql(query: { readonly root: QueryNode }, rows: string, options: FunnelSqlOptions = {}): string {
  const { watermark, stepsAfter, filtersBefore, filtersAfter, output } = queryChain(query.root)
  const funnel = stepsAfter.at(-1)
  if (funnel?.kind !== 'funnel' || !watermark || !output) {
    throw new MillraceError('unsupported', 'the query does not end in a funnel', {
      hint: 'name a query that ends in funnel(...).conversions(...), or in funnel(...).select()',
    })
  }
  const ties = (options.ties ?? []).map((name) => quoted(name))
  const columns = [
    `${quoted(funnel.by)} as who`,
    `epoch_ms(cast(${quoted(watermark.column)} as timestamptz)) as ms`,
    ...funnel.steps.map(({ when }, index) => `coalesce(${conditionSql(when)}, false) as s${index + 1}`),
    ...ties,
  ]
  const filters = [`${quoted(funnel.by)} is not null`, ...[...filtersBefore, ...filtersAfter].map(conditionSql)]
  return `with recursive input as (
  select ${columns.join(', ')} from (${rows}) where ${filters.join(' and ')}
), placed as (
  select *, row_number() over (order by ${['ms', ...ties].join(', ')}) as place from input
), ${attemptsSql(funnel)}, steps as (
  select *, lead(ms) over (partition by attempt order by step) as next_ms from done
)
${output.kind === 'select' ? stepsSql(output, funnel) : conversionsSql(output, funnel)}`
}

/** The rows behind the funnel as they are. */
function stepsSql({ columns }: SelectNode, { by, steps }: FunnelNode): string {
  const from: Readonly<Record<string, string>> = {
    attempt_start: time('start'),
    [by]: 'who',
    step: 'step',
    step_name: 'step_name',
    step_time: time('ms'),
    converted: `case when step < ${steps.length} then next_ms is not null end`,
    seconds: 'cast((next_ms - ms) / 1000 as decimal(18, 3))',
  }
  const list = columns.map(({ name, expression }) => {
    const column = expression.kind === 'column' ? from[expression.name] : undefined
    if (column === undefined) {
      throw new MillraceError('unsupported', `"${name}" is computed behind the funnel`, {
        hint: 'select the columns of the funnel as they are, and compute in SQL',
      })
    }
    return `${column} as ${quoted(name)}`
  })
  return `select ${list.join(', ')} from steps order by attempt, step`
}

/** The rows of `conversions`. */
function conversionsSql({ window, keys, aggregates }: AggregateNode, { steps }: FunnelNode): string {
  const plain = canonicalJson([keys, aggregates]) === canonicalJson([CONVERSION_KEYS, CONVERSIONS])
  if (!plain || window.kind !== 'tumbling') {
    throw new MillraceError('unsupported', 'only conversions by tumbling windows can be said in SQL here', {
      hint: "end the query in conversions(tumbling('1 hour')), or in select() and count in SQL",
    })
  }
  const { sizeMs } = window
  const dropped = `step < ${steps.length} and next_ms is null`
  return `select ${time('w')} as window_start, ${time(`w + ${sizeMs}`)} as window_end, step, step_name,
  count(*) as entered, count(next_ms) as converted, count(*) filter (${dropped}) as dropped,
  quantile_disc(next_ms - ms, 0.5) / 1000 as median_seconds,
  cast((2000 * sum(next_ms - ms) + count(next_ms)) // (2 * count(next_ms)) as bigint) / 1000000 as mean_seconds
from (select *, start - ((start % ${sizeMs}) + ${sizeMs}) % ${sizeMs} as w from steps)
group by w, step, step_name order by w, step, step_name`
}

/** Milliseconds since 1970 as a time. */
function time(value: string): string {
  return `(make_timestamp((${value}) * 1000) at time zone 'UTC')`
}
