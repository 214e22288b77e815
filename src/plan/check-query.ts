import { formatDuration, MS_PER_DAY } from '../base/time.ts'
import { FIELD_NAME, type Field, type FieldType } from '../batch/schema.ts'
import type { AggregateSpec } from './aggregate.ts'
import { checkPredicate } from './check-expression.ts'
import { checkSink } from './check-sinks.ts'
import { NUMERIC_TYPES } from './check-source.ts'
import {
  type AggregateNode,
  type NamedAggregate,
  type QueryNode,
  type QueryPlan,
  type WatermarkNode,
  WINDOW_END,
  WINDOW_START,
} from './node.ts'
import { badName, nameTaken, type PlanProblem, shown, TakenNames, unknownColumn, wrongType } from './plan-problem.ts'
import { queryChain } from './query-chain.ts'
import { keyColumns, resultFields } from './result-schema.ts'
import type { WindowSpec } from './window.ts'

/** Filters that a query may have, one behind the other. */
const FILTERS_MAX = 32
/** Columns by which a query may group. */
const KEYS_MAX = 16
/** Aggregates that a query may compute. */
const AGGREGATES_MAX = 64

const DURATION_MS_MAX = 366 * MS_PER_DAY
/** Below, a sketch has more than 64 KB a group; above, it has fewer than 16 registers, too few for its formula. */
const RSD_MIN = 0.005
const RSD_MAX = 0.39

const ORDERED_TYPES: readonly FieldType[] = [...NUMERIC_TYPES, 'timestamp', 'string']
const KEY_TYPES: readonly FieldType[] = [...ORDERED_TYPES, 'uuid', 'boolean']
const AGGREGATE_TYPES: Readonly<Record<Exclude<AggregateSpec['kind'], 'count'>, readonly FieldType[]>> = {
  sum: NUMERIC_TYPES,
  avg: NUMERIC_TYPES,
  min: ORDERED_TYPES,
  max: ORDERED_TYPES,
  countDistinct: KEY_TYPES,
  approxCountDistinct: KEY_TYPES,
}

/** Everything wrong with a query, apart from the source that it shares with others. */
export function checkQuery(query: QueryPlan, path: string): PlanProblem[] {
  const misplaced = checkOrder(query.root, path)
  if (misplaced.length > 0) return misplaced
  const { source, filtersBefore, watermark, filtersAfter, aggregate } = queryChain(query.root)
  const { fields } = source.schema
  const problems: PlanProblem[] = []
  const filters = [...filtersBefore, ...filtersAfter]
  if (filters.length > FILTERS_MAX) {
    const message = `the query has ${filters.length} filters`
    problems.push({ path, message, hint: `keep to ${FILTERS_MAX}; one filter can hold many conditions with and()` })
  }
  for (const [index, predicate] of filters.entries()) {
    problems.push(...checkPredicate(predicate, fields, `${path}.where[${index}]`))
  }
  if (watermark) problems.push(...checkWatermark(watermark, fields, `${path}.watermark`))
  if (aggregate) problems.push(...checkAggregate(aggregate, fields, path))
  if (aggregate && !watermark) {
    const hint = "put .withWatermark('event_time', '2 minutes') before the window"
    problems.push({ path, message: 'no window would ever close: the query has no watermark', hint })
  }
  // Result columns can be told only of a query that makes sense.
  const results = problems.length === 0 && aggregate ? resultFields(query) : undefined
  for (const [index, sink] of query.sinks.entries()) {
    problems.push(...checkSink(sink, results, `${path}.sinks[${index}]`, results && keyColumns(query)))
  }
  return problems
}

/** What `queryChain` relies on: one watermark at most, and one aggregate, at the end. */
function checkOrder(root: QueryNode, path: string): PlanProblem[] {
  const problems: PlanProblem[] = []
  if (root.kind !== 'aggregate') {
    const hint = 'add .window(tumbling(...)).aggregate({...}); rows as they are cannot be written yet'
    problems.push({ path, message: 'the query does not end in an aggregate', hint })
  }
  let watermarks = 0
  for (let node = root; node.kind !== 'source'; node = node.input) {
    if (node.kind === 'watermark') watermarks++
    if (node.kind !== 'aggregate' || node === root) continue
    const hint = 'aggregate once, as the last step'
    return [{ path, message: 'something follows an aggregate', hint }]
  }
  if (watermarks > 1) {
    const message = `the query has ${watermarks} watermarks`
    problems.push({ path: `${path}.watermark`, message, hint: 'declare event time once' })
  }
  return problems
}

function checkWatermark(node: WatermarkNode, fields: readonly Field[], path: string): PlanProblem[] {
  const problems: PlanProblem[] = []
  const field = fields.find((one) => one.name === node.column)
  if (!field) {
    problems.push(unknownColumn(path, node.column, fields))
  } else if (field.type !== 'timestamp') {
    problems.push(wrongType(path, `event time in "${field.name}", which is ${field.type}`, ['timestamp'], fields))
  }
  problems.push(...checkDuration(node.delayMs, 0, 'delay', path))
  problems.push(...checkDuration(node.idleTimeoutMs, 1, 'idleTimeout', path))
  if (node.clockSkewMaxMs !== null) problems.push(...checkDuration(node.clockSkewMaxMs, 0, 'maxClockSkew', path))
  if (node.ageMaxMs !== null) problems.push(...checkDuration(node.ageMaxMs, 1, 'maxAge', path))
  return problems
}

function checkDuration(durationMs: number, minMs: number, what: string, path: string): PlanProblem[] {
  if (Number.isSafeInteger(durationMs) && durationMs >= minMs && durationMs <= DURATION_MS_MAX) return []
  const hint = `use whole milliseconds from ${formatDuration(minMs)} to ${formatDuration(DURATION_MS_MAX)}`
  return [{ path, message: `${what} is ${durationMs} ms`, hint }]
}

function checkAggregate(node: AggregateNode, fields: readonly Field[], path: string): PlanProblem[] {
  const problems = checkWindow(node.window, `${path}.window`)
  const names = new TakenNames([WINDOW_START, WINDOW_END])
  if (node.keys.length > KEYS_MAX) {
    const message = `grouped by ${node.keys.length} columns`
    problems.push({ path: `${path}.groupBy`, message, hint: `keep to ${KEYS_MAX}` })
  }
  for (const key of node.keys) {
    const at = `${path}.groupBy.${shown(key)}`
    const field = fields.find((one) => one.name === key)
    if (!field) problems.push(unknownColumn(at, key, fields))
    else if (!KEY_TYPES.includes(field.type)) {
      problems.push(wrongType(at, `grouped by "${key}", which is ${field.type}`, KEY_TYPES, fields))
    }
    if (!names.take(key)) problems.push(nameTaken(at, 'result column', key))
  }
  const { length } = node.aggregates
  if (length === 0 || length > AGGREGATES_MAX) {
    const message = length === 0 ? 'there is nothing to compute' : `there are ${length} aggregates`
    problems.push({ path: `${path}.aggregates`, message, hint: `give 1 to ${AGGREGATES_MAX}, such as count()` })
  }
  for (const aggregate of node.aggregates) {
    problems.push(...checkNamedAggregate(aggregate, names, fields, `${path}.aggregates.${shown(aggregate.name)}`))
  }
  return problems
}

function checkWindow(window: WindowSpec, path: string): PlanProblem[] {
  return checkDuration(window.sizeMs, 1, 'size', path)
}

function checkNamedAggregate(
  { name, spec }: NamedAggregate,
  names: TakenNames,
  fields: readonly Field[],
  path: string,
): PlanProblem[] {
  const problems: PlanProblem[] = []
  if (!FIELD_NAME.test(name)) problems.push(badName(path, name))
  if (!names.take(name)) problems.push(nameTaken(path, 'result column', name))
  if (spec.where) problems.push(...checkPredicate(spec.where, fields, `${path}.where`))
  if (spec.kind === 'count') return problems
  const field = fields.find((one) => one.name === spec.column)
  const types = AGGREGATE_TYPES[spec.kind]
  if (!field) {
    problems.push(unknownColumn(path, spec.column, fields))
  } else if (!types.includes(field.type)) {
    problems.push(wrongType(path, `${spec.kind} of "${field.name}", which is ${field.type}`, types, fields))
  }
  if (spec.kind === 'approxCountDistinct' && !(spec.rsd >= RSD_MIN && spec.rsd <= RSD_MAX)) {
    const hint = `use ${RSD_MIN} (64 KB a group) to ${RSD_MAX} (16 bytes); for exact numbers, countDistinct`
    problems.push({ path, message: `a relative standard deviation of ${spec.rsd}`, hint })
  }
  return problems
}
