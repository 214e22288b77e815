import { assert, unreachable } from '../base/assert.ts'
import type { Field } from '../batch/schema.ts'
import {
  type AggregateNode,
  type DedupeNode,
  type PipelinePlan,
  type QueryPlan,
  SESSION_DURATION_MS,
  SESSION_END,
  SESSION_START,
  type SelectNode,
  WINDOW_END,
  WINDOW_START,
} from '../plan/node.ts'
import { queryChain, type TimedStep } from '../plan/query-chain.ts'
import { rowFields } from '../plan/row-fields.ts'
import { usedColumns } from '../plan/used-columns.ts'
import type { WindowSpec } from '../plan/window.ts'
import { aggregateSql } from './aggregate-sql.ts'
import { expressionSql } from './expression.ts'
import {
  aggregate,
  dedupeWithinWatermark,
  filter,
  interval,
  project,
  type Relation,
  withWatermark,
} from './relation.ts'
import { type ReadSettings, sourceRows } from './source-rows.ts'
import { sqlName } from './sql.ts'

/** Tells rows without an id apart, so that none is a repeat of another. */
const UNNAMED = '$unnamed'

/** Weeks begin on a Monday; 1970 began on a Thursday. */
const MONDAY = '4 days'

/**
 * The relation of a query, with the columns of its result, from a plan that `sparkPlan` has made. Each query reads the source by itself, but
 * checks the fields that any query of the pipeline uses, so that all agree on which events there are.
 */
export function compileQuery(plan: PipelinePlan, query: QueryPlan, settings: ReadSettings): Relation {
  const { source, stepsBefore, watermark, stepsAfter, output } = queryChain(query.root)
  assert(output, 'a query ends in an aggregate or a select')
  let rows = sourceRows(source, decodedFields(plan), settings)
  for (const step of stepsBefore) rows = applyStep(rows, step, undefined)
  if (watermark) rows = withWatermark(rows, watermark.column, watermark.delayMs)
  for (const step of stepsAfter) rows = applyStep(rows, step, watermark?.column)
  if (output.kind === 'select') return select(rows, output)
  assert(watermark, 'the plan was checked: windows have a watermark')
  return aggregated(rows, output, watermark.column)
}

/** As the engine's decoder: what queries, rules and watermarks use, and all that is required. Event time is. */
function decodedFields(plan: PipelinePlan): Field[] {
  const used = new Set(plan.queries.flatMap(({ root }) => [...usedColumns(root)]))
  const eventTimes = new Set(plan.queries.map(({ root }) => queryChain(root).watermark?.column))
  const [first] = plan.queries
  assert(first, 'a pipeline has a query')
  return queryChain(first.root)
    .source.schema.fields.filter((field) => field.required || used.has(field.name))
    .map((field) => (eventTimes.has(field.name) ? { ...field, required: true } : field))
}

function applyStep(rows: Relation, step: TimedStep, eventTime: string | undefined): Relation {
  const fields = rowFields(step.input)
  switch (step.kind) {
    case 'filter': {
      const predicate = expressionSql(step.predicate, fields)
      return filter(rows, eventTime === undefined ? predicate : behind(eventTime, predicate))
    }
    case 'derive': {
      const columns = step.columns.map(
        ({ name, expression }) => `${expressionSql(expression, fields)} AS ${sqlName(name)}`,
      )
      return project(rows, '*', ...columns)
    }
    case 'dedupe':
      return dedupe(rows, step)
    case 'session-features':
    case 'predict':
    case 'model-report':
    case 'funnel':
      return assert(false, `${step.kind} is refused before`) as never
    default:
      return unreachable(step)
  }
}

/** A condition that stays behind the watermark: Spark would move one that does not ask for event time in front of it, where it moves time. */
function behind(eventTime: string, predicate: string): string {
  return `CASE WHEN ${sqlName(eventTime)} IS NOT NULL THEN ${predicate} ELSE false END`
}

function dedupe(rows: Relation, { column }: DedupeNode): Relation {
  const unnamed = `CASE WHEN ${sqlName(column)} IS NULL THEN uuid() END AS ${sqlName(UNNAMED)}`
  return dedupeWithinWatermark(project(rows, '*', unnamed), column, UNNAMED)
}

function select(rows: Relation, node: SelectNode): Relation {
  const fields = rowFields(node)
  const columns = node.columns.map(({ name, expression }) => `${expressionSql(expression, fields)} AS ${sqlName(name)}`)
  return project(rows, ...columns)
}

function aggregated(rows: Relation, node: AggregateNode, eventTime: string): Relation {
  const fields = rowFields(node.input)
  const window = windowSql(node.window, sqlName(eventTime))
  const keys = node.keys.map(sqlName)
  const aggregates = node.aggregates.map((one) => aggregateSql(one, fields, eventTime))
  const grouped = aggregate(
    rows,
    [`${window.call} AS ${WINDOW}`, ...keys],
    aggregates.map(({ added }) => added),
  )
  return project(grouped, ...window.columns, ...keys, ...aggregates.map(({ result }) => result))
}

const WINDOW = sqlName('$window')

interface WindowSql {
  readonly call: string
  readonly columns: readonly string[]
}

function windowSql(window: WindowSpec, time: string): WindowSql {
  const bounds = [`${WINDOW}.start AS ${sqlName(WINDOW_START)}`, `${WINDOW}.end AS ${sqlName(WINDOW_END)}`]
  switch (window.kind) {
    case 'tumbling':
      return { call: `window(${time}, '${interval(window.sizeMs)}')`, columns: bounds }
    case 'sliding':
      return { call: `window(${time}, '${interval(window.sizeMs)}', '${interval(window.slideMs)}')`, columns: bounds }
    case 'calendar':
      return {
        call: window.unit === 'day' ? `window(${time}, '1 day')` : `window(${time}, '7 days', '7 days', '${MONDAY}')`,
        columns: bounds,
      }
    case 'session': {
      const gap = interval(window.gapMs)
      const last = `${WINDOW}.end - INTERVAL '${gap}'`
      return {
        call: `session_window(${time}, '${gap}')`,
        columns: [
          `${WINDOW}.start AS ${sqlName(SESSION_START)}`,
          `${last} AS ${sqlName(SESSION_END)}`,
          `unix_millis(${last}) - unix_millis(${WINDOW}.start) AS ${sqlName(SESSION_DURATION_MS)}`,
        ],
      }
    }
    case 'global':
      return assert(false, 'windows for ever are refused before') as never
    default:
      return unreachable(window)
  }
}
