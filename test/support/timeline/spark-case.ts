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
  coalesce,
  col,
  concat,
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
  session,
  sliding,
  stream,
  sum,
  type TypedSchema,
  text,
  timestamp,
  toMillis,
  toText,
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
  /** Aggregates that are not compared on some pages. */
  readonly leftOut?: { readonly pages: ReadonlySet<Value | undefined>; readonly names: readonly string[] }
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
  readonly dedupe?: { readonly columns: readonly SparkColumn[]; readonly withinWatermark: boolean }
  readonly window?: SparkWindow
  readonly keys?: readonly SparkColumn[]
  readonly aggregates?: readonly SparkAggregate[]
  readonly mode: 'append' | 'update' | 'complete'
  readonly noDataBatches?: false
}

type SparkColumn = 'ts' | 'page' | 'user' | 'id' | 'amount' | 'n' | 'x'

/** Windows that the engine has, by Spark's name for them. */
const WINDOWS: Readonly<Record<string, (window: SparkWindow) => WindowSpec>> = {
  tumbling: ({ sizeMs = 0 }) => tumbling(`${sizeMs}ms`),
  sliding: ({ sizeMs = 0, slideMs = 0 }) => sliding(`${sizeMs}ms`, `${slideMs}ms`),
  session: ({ gapMs = 0 }) => session(`${gapMs}ms`, { maxDuration: null }),
}

interface SparkWindow {
  readonly kind: string
  readonly sizeMs?: number
  readonly slideMs?: number
  readonly gapMs?: number
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
  const after = query.filterAfter ?? []
  // Spark's optimizer puts a filter on other columns before the watermark, wherever it is written.
  const pushed = after.some(({ column }) => column === 'ts') ? [] : after
  let plain = stream(logSource('golden'), schema)
  for (const one of [...(query.filterBefore ?? []), ...pushed]) plain = plain.where(condition(one))
  const { delayMs } = query.watermark
  let rows = plain
    .derive({ dedupe_key: dedupeKey(query.dedupe?.columns ?? []) })
    .withWatermark('ts', `${delayMs}ms`, { policy: 'global-max', maxClockSkew: null })
  if (after.length > pushed.length) rows = rows.where(and(...after.map(condition)))
  if (query.dedupe) rows = rows.dedupe('dedupe_key', { within: query.dedupe.withinWatermark ? `${delayMs}ms` : '0ms' })
  const { window, keys = [], aggregates = [] } = query
  if (!window) return pipeline('spark').query('q', rows.select(columnsOf(['ts', 'page', 'user', 'id'])))
  const form = WINDOWS[window.kind]
  assert(form, `the engine has windows of the kind ${window.kind}`)
  return pipeline('spark').query(
    'q',
    rows
      .groupBy(...keys)
      .window(form(window))
      .aggregate(Object.fromEntries(aggregates.map((one) => [one.as, aggregate(one)]))),
  )
}

function columnsOf(names: readonly SparkColumn[]): Record<string, Expression> {
  return Object.fromEntries(names.map((name) => [name, col(name)]))
}

/** Spark compares several columns, and takes null for a value like others. */
function dedupeKey(columns: readonly SparkColumn[]): Expression {
  if (columns.length === 0) return col('id')
  const texts = columns.map((name) => coalesce(toText(name === 'ts' ? toMillis(col(name)) : col(name)), '\u0000'))
  return concat('', ...texts.flatMap((one) => [one, '\u0001']))
}

/**
 * The case without amounts beyond 2^53 cents and without what is computed from them; the same case when it has none. Amounts are too many
 * cents for a float64 there, so that they are refused.
 */
export function withoutHugeAmounts(one: SparkCase): SparkCase {
  const pages = new Set(one.batches.flat().flatMap((row) => (isHuge(row) ? [row['page']] : [])))
  if (pages.size === 0) return one
  const names = (one.query.aggregates ?? []).flatMap(({ as, column }) => (column === 'amount' ? [as] : []))
  const plain = (row: SparkRow): SparkRow => (isHuge(row) ? { ...row, amount: null } : row)
  const unknown = (row: SparkRow): SparkRow =>
    pages.has(row['page']) ? Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name))) : row
  return {
    ...one,
    batches: one.batches.map((rows) => rows.map(plain)),
    expected: one.expected.map((batch) => ({ ...batch, rows: batch.rows.map(unknown) })),
    leftOut: { pages, names },
  }
}

function isHuge({ amount }: SparkRow): boolean {
  return Math.abs(Number(amount) * 100) > Number.MAX_SAFE_INTEGER
}

/** A row of the input as JSON; the text of `amount` becomes a number, or null where Spark's try_cast gives null. */
export function sparkLine({ amount, ts, ...row }: SparkRow, shiftMs: number): string {
  const number = typeof amount === 'string' && /^-?\d+(\.\d+)?$/.test(amount) ? amount : 'null'
  const time = typeof ts === 'number' ? ts + shiftMs : (ts ?? null)
  return `${JSON.stringify({ ts: time, ...row }).slice(0, -1)},"amount":${number}}`
}

/** Rows of a result as the file has them: decimals as text, a session up to its last event and the gap. */
export function sparkRows(rows: ResultBatch | undefined, { query, leftOut }: SparkCase): SparkRow[] {
  if (!rows) return []
  const gapMs = query.window?.gapMs ?? 0
  return Array.from({ length: rows.rowCount }, (_, row) => {
    const all = rows.fields.map((field, index): [string, Value] => {
      const column = rows.columns[index]
      assert(column, 'a field has a column')
      const value = cellValue(column, field, row)
      return [field.name, field.type === 'decimal' && value !== null ? cellText(column, field, row) : value]
    })
    const less = leftOut?.pages.has(all.find(([name]) => name === 'page')?.[1])
    const cells = less ? all.filter(([name]) => !leftOut?.names.includes(name)) : all
    const { window_start, window_end, session_start, session_end, duration_ms, ...rest } = Object.fromEntries(cells)
    if (window_start !== undefined) return { windowStart: window_start, windowEnd: window_end as number, ...rest }
    if (session_start === undefined || duration_ms === undefined) return rest
    return { windowStart: session_start, windowEnd: (session_end as number) + gapMs, ...rest }
  })
}

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
