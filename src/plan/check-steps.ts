import { unreachable } from '../base/assert.ts'
import { FIELD_NAME } from '../batch/schema.ts'
import { checkAggregateSpec, checkAlignedWindow, checkColumnType, KEY_TYPES } from './check-aggregate.ts'
import { checkDuration } from './check-duration.ts'
import { checkColumn, checkPredicate } from './check-expression.ts'
import { checkFunnel } from './check-funnel.ts'
import { checkPredict } from './check-predict.ts'
import { KnownColumns } from './known-columns.ts'
import { reportFields } from './model-fields.ts'
import type {
  DedupeNode,
  DeriveNode,
  FeatureSpec,
  SelectNode,
  SessionFeaturesNode,
  SourceNode,
  WatermarkNode,
} from './node.ts'
import { badName, nameTaken, type PlanProblem, shown } from './plan-problem.ts'
import type { TimedStep } from './query-chain.ts'
import { featureType } from './row-fields.ts'
import type { ValueType } from './value-type.ts'

/** Columns that one step may add, and that a select may have. */
const COLUMNS_MAX = 128

/** Everything wrong with a step; the columns that it adds are then known. */
export function checkStep(node: TimedStep, source: SourceNode, columns: KnownColumns, path: string): PlanProblem[] {
  switch (node.kind) {
    case 'filter':
      return checkPredicate(node.predicate, columns, path)
    case 'derive':
      return checkDerive(node, columns, path)
    case 'dedupe':
      return checkDedupe(node, source, columns, path)
    case 'session-features':
      return checkSessionFeatures(node, columns, path)
    case 'predict':
      return checkPredict(node, columns, path)
    case 'model-report':
      columns.replace(reportFields(node.what))
      return []
    case 'funnel':
      return checkFunnel(node, columns, path)
    default:
      return unreachable(node)
  }
}

/** Everything wrong with the declaration of event time. */
export function checkWatermark(
  node: WatermarkNode,
  source: SourceNode,
  columns: KnownColumns,
  path: string,
): PlanProblem[] {
  const problems = checkColumnType(node.column, `event time in "${shown(node.column)}"`, ['timestamp'], columns, path)
  const derived = columns.find(node.column)
  if (derived?.required === false && !source.schema.fields.some(({ name }) => name === node.column)) {
    const message = `event time in "${shown(node.column)}", which is null for some rows`
    const hint = 'every row has an event time: coalesce() it with another time'
    problems.push({ path, message, hint })
  }
  problems.push(...checkDuration(node.delayMs, 0, 'delay', path))
  problems.push(...checkDuration(node.idleTimeoutMs, 1, 'idleTimeout', path))
  if (node.clockSkewMaxMs !== null) problems.push(...checkDuration(node.clockSkewMaxMs, 0, 'maxClockSkew', path))
  if (node.ageMaxMs !== null) problems.push(...checkDuration(node.ageMaxMs, 1, 'maxAge', path))
  return problems
}

/** Everything wrong with the columns that end a query. */
export function checkSelect(
  node: SelectNode,
  columns: KnownColumns,
  meta: readonly string[],
  path: string,
): PlanProblem[] {
  const at = `${path}.select`
  const problems = checkCount(node.columns.length, 'select()', 'columns', at)
  const results = new KnownColumns(meta.map((name) => ({ name, type: 'json', required: false })))
  for (const { name, expression } of node.columns) {
    const { type, problems: wrong } = checkColumn(expression, columns, `${at}.${shown(name)}`, true)
    problems.push(...wrong, ...addColumn(results, name, type, 'result column', `${at}.${shown(name)}`))
  }
  return problems
}

function checkDerive(node: DeriveNode, columns: KnownColumns, path: string): PlanProblem[] {
  const problems = checkCount(node.columns.length, 'derive()', 'columns', path)
  // Expressions see the input's columns, not each other.
  const types = node.columns.map(({ name, expression }) =>
    checkColumn(expression, columns, `${path}.${shown(name)}`, false),
  )
  for (const [index, { name }] of node.columns.entries()) {
    const { type, problems: wrong } = types[index] as CheckedColumn
    problems.push(...wrong, ...addColumn(columns, name, type, 'column', `${path}.${shown(name)}`))
  }
  return problems
}

function checkDedupe(node: DedupeNode, source: SourceNode, columns: KnownColumns, path: string): PlanProblem[] {
  const problems = checkColumnType(node.column, `repeats by "${shown(node.column)}"`, KEY_TYPES, columns, path)
  problems.push(...checkDuration(node.withinMs, 1, 'within', path))
  if (node.scope === 'partition' && !source.keyed) {
    const message = 'repeats are looked for in one partition, but may come in another'
    const hint = "use scope: 'global', or declare stream(source, schema, { keyed: true }) if producers send a key"
    problems.push({ path, message, hint })
  }
  return problems
}

function checkSessionFeatures(node: SessionFeaturesNode, columns: KnownColumns, path: string): PlanProblem[] {
  const problems = checkColumnType(node.by, `sessions by "${shown(node.by)}"`, KEY_TYPES, columns, path)
  problems.push(...checkAlignedWindow(node.window, `${path}.window`))
  problems.push(...checkCount(node.features.length, 'withSessionFeatures()', 'features', path))
  // Features see the input's columns, not each other.
  const checked = node.features.map(({ name, spec }) => checkFeature(spec, columns, `${path}.${shown(name)}`))
  for (const [index, { name }] of node.features.entries()) {
    const { type, problems: wrong } = checked[index] as CheckedColumn
    problems.push(...wrong, ...addColumn(columns, name, type, 'column', `${path}.${shown(name)}`))
  }
  return problems
}

/** The type of a column, undefined when it cannot be told, and what is wrong with it. */
interface CheckedColumn {
  readonly type: ValueType | undefined
  readonly problems: readonly PlanProblem[]
}

function checkFeature(spec: FeatureSpec, columns: KnownColumns, path: string): CheckedColumn {
  const problems = spec.kind === 'elapsed' ? [] : checkAggregateSpec(spec, columns, path)
  const untold = problems.length > 0 || ('column' in spec && columns.untold.has(spec.column))
  return { type: untold ? undefined : featureType(spec, columns.fields), problems }
}

function addColumn(
  columns: KnownColumns,
  name: string,
  type: ValueType | undefined,
  what: string,
  path: string,
): PlanProblem[] {
  if (!FIELD_NAME.test(name)) {
    columns.add(name, undefined)
    return [badName(path, name)]
  }
  return columns.add(name, type) ? [] : [nameTaken(path, what, name)]
}

function checkCount(count: number, step: string, what: string, path: string): PlanProblem[] {
  if (count >= 1 && count <= COLUMNS_MAX) return []
  return [{ path, message: `${step} of ${count} ${what}`, hint: `give 1 to ${COLUMNS_MAX}` }]
}
