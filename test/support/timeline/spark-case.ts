import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { assert } from '../../../src/base/assert.ts'
import { cellText, cellValue } from '../../../src/batch/cell.ts'
import type { ResultBatch } from '../../../src/batch/result-batch.ts'
import {
  type AggregateSpec,
  and,
  approxCountDistinct,
  avg,
  col,
  count,
  decimal,
  defineSchema,
  type Expression,
  type FieldSpec,
  float64,
  int64,
  isNull,
  logSource,
  lt,
  max,
  min,
  ne,
  not,
  type Pipeline,
  pipeline,
  stream,
  sum,
  type TypedSchema,
  text,
  timestamp,
  tumbling,
  type WindowSpec,
} from '../../../src/index.ts'

type Value = string | number | boolean | null

/** A row as the file has it, by column name. */
export type SparkRow = Readonly<Record<string, Value>>

/** What a real Spark answered to one streaming query, micro-batch by micro-batch; see test/golden/spark. */
export interface SparkCase {
  readonly name: string
  readonly query: SparkQuery
  readonly batches: readonly (readonly SparkRow[])[]
  readonly expected: readonly SparkBatch[]
}

/** What the sink got of a micro-batch, and what the state looked like after it. */
export interface SparkBatch {
  readonly watermark: number
  /** Last stateful operator first. */
  readonly stateRows: readonly number[]
  readonly rows: readonly SparkRow[]
}

interface SparkQuery {
  readonly watermark: { readonly column: 'ts'; readonly delayMs: number }
  readonly filterBefore?: readonly SparkCondition[]
  readonly filterAfter?: readonly SparkCondition[]
  readonly dedupe?: { readonly columns: readonly string[]; readonly withinWatermark: boolean }
  readonly window?: SparkWindow
  readonly keys?: readonly SparkColumn[]
  readonly aggregates?: readonly SparkAggregate[]
  readonly mode: 'append' | 'update' | 'complete'
  readonly noDataBatches?: false
}

type SparkColumn = 'ts' | 'page' | 'user' | 'id' | 'amount' | 'n' | 'x'

/** Windows that the engine has, by Spark's name for them. */
const WINDOWS: Readonly<Record<string, (window: SparkWindow) => WindowSpec>> = {
  tumbling: ({ sizeMs }) => tumbling(`${sizeMs}ms`),
}

interface SparkWindow {
  readonly kind: string
  readonly sizeMs: number
}

interface SparkCondition {
  readonly column: SparkColumn
  readonly op: '<>' | '<'
  readonly value: string | number
}

interface SparkAggregate {
  readonly as: string
  readonly fn: 'count' | 'sum' | 'min' | 'max' | 'avg' | 'approx_count_distinct'
  readonly column?: SparkColumn
  readonly rsd?: number
}

const schema: TypedSchema<Record<SparkColumn, FieldSpec<unknown>>> = defineSchema({
  ts: timestamp({ format: 'epoch-ms' }),
  page: text(),
  user: text({ cardinality: 'high' }),
  id: text({ cardinality: 'unique' }),
  amount: decimal(2),
  n: int64(),
  x: float64(),
})

/** All cases, in the order of the file. */
export function readSparkCases(): readonly SparkCase[] {
  const path = join(import.meta.dirname, '../../golden/spark/timelines.json')
  return (JSON.parse(readFileSync(path, 'utf8')) as { timelines: SparkCase[] }).timelines
}

/** The query of a case in Spark mode: the newest row of all decides, no guard on clocks. */
export function sparkPipeline({ query }: SparkCase): Pipeline {
  let rows = stream(logSource('golden'), schema)
  const after = query.filterAfter ?? []
  // Spark's optimizer puts a filter on other columns before the watermark, wherever it is written.
  const pushed = after.some(({ column }) => column === 'ts') ? [] : after
  for (const one of [...(query.filterBefore ?? []), ...pushed]) rows = rows.where(condition(one))
  rows = rows.withWatermark('ts', `${query.watermark.delayMs}ms`, { policy: 'global-max', maxClockSkew: null })
  if (after.length > pushed.length) rows = rows.where(and(...after.map(condition)))
  const { window, keys = [], aggregates = [] } = query
  const form = window && WINDOWS[window.kind]
  assert(window && form && !query.dedupe, 'only supported cases become a pipeline')
  return pipeline('spark').query(
    'q',
    rows
      .groupBy(...keys)
      .window(form(window))
      .aggregate(Object.fromEntries(aggregates.map((one) => [one.as, aggregate(one)]))),
  )
}

/** A row of the input as JSON; the text of `amount` becomes a number, or null where Spark's try_cast gives null. */
export function sparkLine({ amount, ...row }: SparkRow): string {
  const number = typeof amount === 'string' && /^-?\d+(\.\d+)?$/.test(amount) ? amount : 'null'
  return `${JSON.stringify(row).slice(0, -1)}${Object.keys(row).length > 0 ? ',' : ''}"amount":${number}}`
}

/** Rows of a result under the names that the file gives them; decimals as text. */
export function sparkRows(rows: ResultBatch | undefined): SparkRow[] {
  if (!rows) return []
  return Array.from({ length: rows.rowCount }, (_, row) => {
    const cells = rows.fields.map((field, index): [string, Value] => {
      const column = rows.columns[index]
      assert(column, 'a field has a column')
      const value = cellValue(column, field, row)
      const name = NAMES.get(field.name) ?? field.name
      return [name, field.type === 'decimal' && value !== null ? cellText(column, field, row) : value]
    })
    return Object.fromEntries(cells)
  })
}

const NAMES: ReadonlyMap<string, string> = new Map([
  ['window_start', 'windowStart'],
  ['window_end', 'windowEnd'],
])

function condition({ column, op, value }: SparkCondition): Expression {
  return op === '<' ? lt(col(column), value) : ne(col(column), value)
}

function aggregate({ fn, column, rsd }: SparkAggregate): AggregateSpec<SparkColumn> {
  if (column === undefined) return count()
  switch (fn) {
    case 'count':
      return count().where(not(isNull(col(column))))
    case 'approx_count_distinct':
      return approxCountDistinct(column, rsd)
    default:
      return { sum, min, max, avg }[fn](column)
  }
}
