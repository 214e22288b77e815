import { unreachable } from '../base/assert.ts'
import { FIELD_NAME, type FieldType } from '../batch/schema.ts'
import type { AggregateSpec } from './aggregate.ts'
import { checkDuration } from './check-duration.ts'
import { checkPredicate } from './check-expression.ts'
import { NUMERIC_TYPES } from './check-source.ts'
import type { KnownColumns } from './known-columns.ts'
import type { AggregateNode, NamedAggregate } from './node.ts'
import { badName, nameTaken, type PlanProblem, shown, TakenNames, unknownColumn, wrongType } from './plan-problem.ts'
import { windowFields } from './result-schema.ts'
import { timeZoneExists } from './time-zone-exists.ts'
import type { AlignedWindow, SessionWindow, WindowSpec } from './window.ts'

/** Columns by which a query may group. */
const KEYS_MAX = 16
/** Aggregates that a query may compute. */
const AGGREGATES_MAX = 64
/** Windows that one row may be in. */
const WINDOWS_PER_ROW_MAX = 10_000
/** Below, a sketch has more than 64 KB a group; above, it has fewer than 16 registers, too few for its formula. */
const RSD_MIN = 0.005
const RSD_MAX = 0.39
/** Values that `topK` may keep. */
const TOP_MAX = 1000

const ORDERED_TYPES: readonly FieldType[] = [...NUMERIC_TYPES, 'timestamp', 'string']
/** Types by which rows can be told apart. */
export const KEY_TYPES: readonly FieldType[] = [...ORDERED_TYPES, 'uuid', 'boolean']
const AGGREGATE_TYPES: Readonly<Record<Exclude<AggregateSpec['kind'], 'count'>, readonly FieldType[]>> = {
  sum: NUMERIC_TYPES,
  avg: NUMERIC_TYPES,
  min: ORDERED_TYPES,
  max: ORDERED_TYPES,
  span: ['timestamp'],
  countDistinct: KEY_TYPES,
  approxCountDistinct: KEY_TYPES,
  first: KEY_TYPES,
  last: KEY_TYPES,
  quantile: NUMERIC_TYPES,
  topK: KEY_TYPES,
}

/** Everything wrong with the window, the keys and the aggregates of a query over rows with these columns. */
export function checkAggregate(
  node: AggregateNode,
  columns: KnownColumns,
  meta: readonly string[],
  path: string,
): PlanProblem[] {
  const problems = checkWindow(node.window, columns, `${path}.window`)
  const names = new TakenNames([...windowFields(node.window).map(({ name }) => name), ...meta])
  if (node.keys.length > KEYS_MAX) {
    const message = `grouped by ${node.keys.length} columns`
    problems.push({ path: `${path}.groupBy`, message, hint: `keep to ${KEYS_MAX}` })
  }
  for (const key of node.keys) {
    const at = `${path}.groupBy.${shown(key)}`
    problems.push(...checkColumnType(key, `grouped by "${shown(key)}"`, KEY_TYPES, columns, at))
    if (!names.take(key)) problems.push(nameTaken(at, 'result column', key))
  }
  const { length } = node.aggregates
  if (length === 0 || length > AGGREGATES_MAX) {
    const message = length === 0 ? 'there is nothing to compute' : `there are ${length} aggregates`
    problems.push({ path: `${path}.aggregates`, message, hint: `give 1 to ${AGGREGATES_MAX}, such as count()` })
  }
  for (const aggregate of node.aggregates) {
    problems.push(...checkNamedAggregate(aggregate, names, columns, `${path}.aggregates.${shown(aggregate.name)}`))
  }
  return problems
}

function checkNamedAggregate(
  { name, spec }: NamedAggregate,
  names: TakenNames,
  columns: KnownColumns,
  path: string,
): PlanProblem[] {
  const problems: PlanProblem[] = []
  if (!FIELD_NAME.test(name)) problems.push(badName(path, name))
  if (!names.take(name)) problems.push(nameTaken(path, 'result column', name))
  return [...problems, ...checkAggregateSpec(spec, columns, path)]
}

/** Everything wrong with an aggregate, apart from its name. */
export function checkAggregateSpec(spec: AggregateSpec, columns: KnownColumns, path: string): PlanProblem[] {
  const problems: PlanProblem[] = []
  if (spec.where) problems.push(...checkPredicate(spec.where, columns, `${path}.where`))
  if (spec.kind === 'count') return problems
  const what = `${spec.kind} of "${shown(spec.column)}"`
  problems.push(...checkColumnType(spec.column, what, AGGREGATE_TYPES[spec.kind], columns, path))
  if (spec.kind === 'approxCountDistinct' && !(spec.rsd >= RSD_MIN && spec.rsd <= RSD_MAX)) {
    const hint = `use ${RSD_MIN} (64 KB a group) to ${RSD_MAX} (16 bytes); for exact numbers, countDistinct`
    problems.push({ path, message: `a relative standard deviation of ${spec.rsd}`, hint })
  }
  if (spec.kind === 'quantile' && !(spec.q >= 0 && spec.q <= 1)) {
    problems.push({
      path,
      message: `a quantile of ${spec.q}`,
      hint: 'use 0 (the smallest) to 1 (the largest); 0.5 is the median',
    })
  }
  if (spec.kind === 'topK' && !(Number.isInteger(spec.k) && spec.k >= 1 && spec.k <= TOP_MAX)) {
    problems.push({ path, message: `the top ${spec.k}`, hint: `use a whole number from 1 to ${TOP_MAX}` })
  }
  return problems
}

/** The problem with a column that is not there, or of a type that cannot be used; `what` says what it is used for. */
export function checkColumnType(
  name: string,
  what: string,
  types: readonly FieldType[],
  columns: KnownColumns,
  path: string,
): PlanProblem[] {
  if (columns.untold.has(name)) return []
  const field = columns.find(name)
  if (!field) return [unknownColumn(path, name, columns.fields)]
  return types.includes(field.type) ? [] : [wrongType(path, `${what}, which is ${field.type}`, types, columns.fields)]
}

/** Everything wrong with a window. */
function checkWindow(window: WindowSpec, columns: KnownColumns, path: string): PlanProblem[] {
  switch (window.kind) {
    case 'tumbling':
    case 'calendar':
      return checkAlignedWindow(window, path)
    case 'sliding': {
      const { sizeMs, slideMs } = window
      const problems = [...checkDuration(sizeMs, 1, 'size', path), ...checkDuration(slideMs, 1, 'slide', path)]
      if (problems.length > 0) return problems
      if (slideMs > sizeMs) {
        const hint = 'let windows overlap or touch: slide <= size'
        return [{ path, message: `a slide of ${slideMs} ms leaves out rows between windows of ${sizeMs} ms`, hint }]
      }
      if (sizeMs / slideMs <= WINDOWS_PER_ROW_MAX) return []
      const message = `each row would be in ${Math.ceil(sizeMs / slideMs)} windows`
      return [{ path, message, hint: `keep size / slide to ${WINDOWS_PER_ROW_MAX}` }]
    }
    case 'session':
      return checkSession(window, columns, path)
    case 'global':
      return []
    default:
      return unreachable(window)
  }
}

/** Everything wrong with windows that do not depend on the rows. */
export function checkAlignedWindow(window: AlignedWindow, path: string): PlanProblem[] {
  if (window.kind === 'tumbling') return checkDuration(window.sizeMs, 1, 'size', path)
  if (timeZoneExists(window.timeZone)) return []
  const message = `"${shown(window.timeZone)}" is not a time zone`
  return [{ path, message, hint: 'use an IANA name such as "Europe/Paris" or "UTC"' }]
}

function checkSession(window: SessionWindow, columns: KnownColumns, path: string): PlanProblem[] {
  const { gapMs, durationMaxMs, eventsMax, endWhen } = window
  const problems = checkDuration(gapMs, 1, 'gap', path)
  if (durationMaxMs !== null) problems.push(...checkDuration(durationMaxMs, 1, 'maxDuration', path))
  if (eventsMax !== null && !(Number.isSafeInteger(eventsMax) && eventsMax > 0)) {
    problems.push({ path, message: `maxEvents is ${eventsMax}`, hint: 'use a whole number above 0' })
  }
  if (endWhen) problems.push(...checkPredicate(endWhen, columns, `${path}.endWhen`))
  return problems
}
