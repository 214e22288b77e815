import { FIELD_NAME, type Field, type FieldType } from '../batch/schema.ts'
import { checkTableSink, tableOf } from './check-table-sink.ts'
import type { LatestFileSinkSpec, PartitionSpec, RedisSinkSpec, SinkSpec } from './connectors.ts'
import { templateColumns } from './key-template.ts'
import type { PipelinePlan } from './node.ts'
import { badName, nameTaken, type PlanProblem, shown, TakenNames, unknownColumn, wrongType } from './plan-problem.ts'

const SINK_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,126}$/

const KEY_LENGTH_MAX = 1_000

const TOPIC_NAME = /^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,200}$/

/** Types whose values can name a folder. */
const FOLDER_TYPES: readonly FieldType[] = ['string', 'uuid', 'int64', 'int32', 'boolean']

/** The name by which a sink is known in checkpoints, metrics and messages. */
export function sinkName(queryName: string, sink: SinkSpec): string {
  return sink.name ?? `${queryName}.${sink.kind}`
}

/** Everything wrong with a sink by itself; `fields` are those of the rows it gets, undefined when they cannot be told. */
export function checkSink(
  sink: SinkSpec,
  fields: readonly Field[] | undefined,
  path: string,
  queryKey: readonly string[] = [],
): PlanProblem[] {
  const problems: PlanProblem[] = []
  if (sink.name !== undefined && !SINK_NAME.test(sink.name)) {
    const hint = 'use letters, digits, "_", "-" and ".", 127 characters at most'
    problems.push({ path, message: `"${shown(sink.name)}" is not a name for a sink`, hint })
  }
  if (sink.kind === 'memory') return problems
  if (sink.kind === 'postgres' || sink.kind === 'duckdb') {
    problems.push(...checkTableSink(sink, fields, queryKey, path))
    return problems
  }
  if (sink.kind === 'console') {
    problems.push(...checkCount(sink.rowsMax, 'rowsMax', path))
    return problems
  }
  if (sink.kind === 'kafka') {
    if (!TOPIC_NAME.test(sink.topic)) {
      const hint = 'use 1 to 200 letters, digits, dots, underscores and hyphens'
      problems.push({ path, message: `"${shown(sink.topic)}" is not a topic name`, hint })
    }
    const { key } = sink
    if (key !== undefined && fields && !fields.some(({ name }) => name === key)) {
      problems.push(unknownColumn(`${path}.key`, key, fields))
    }
    return problems
  }
  if (sink.kind === 'redis' || sink.kind === 'latest-file') {
    problems.push(...checkLatestSink(sink, fields, path))
    return problems
  }
  if (sink.path === '') problems.push({ path, message: 'the path is empty', hint: 'name the folder for its files' })
  if (sink.recordsPerFileMax !== undefined) {
    problems.push(...checkCount(sink.recordsPerFileMax, 'recordsPerFileMax', path))
  }
  if (sink.roll) {
    problems.push(
      ...checkCount(sink.roll.everyMs, 'roll.every (in ms)', path),
      ...checkCount(sink.roll.bytes, 'roll.bytes', path),
    )
  }
  if (sink.compression !== undefined && sink.kind !== 'parquet') {
    problems.push({ path, message: `${sink.kind} has no compression`, hint: 'leave it out, or write parquet' })
  }
  if (sink.partitionBy && fields) problems.push(...checkPartition(sink.partitionBy, fields, `${path}.partitionBy`))
  return problems
}

function checkLatestSink(
  sink: RedisSinkSpec | LatestFileSinkSpec,
  fields: readonly Field[] | undefined,
  path: string,
): PlanProblem[] {
  const key = sink.kind === 'redis' ? sink.key : sink.file
  if (key === '' || key.length > KEY_LENGTH_MAX) {
    return [{ path, message: `a key of ${key.length} characters`, hint: `use 1 to ${KEY_LENGTH_MAX}` }]
  }
  if (!fields) return []
  return [sink.value, ...templateColumns(key)].flatMap((name) => {
    const field = fields.find((one) => one.name === name)
    if (!field) return [unknownColumn(path, name, fields)]
    if (field.type === 'string') return []
    return [wrongType(path, `the text of "${name}", which is ${field.type}`, ['string'], fields)]
  })
}

function checkCount(count: number, option: string, path: string): PlanProblem[] {
  if (Number.isSafeInteger(count) && count > 0) return []
  return [{ path, message: `${option} is ${count}`, hint: 'use a whole number above 0' }]
}

function checkPartition(
  { name, column, transform }: PartitionSpec,
  fields: readonly Field[],
  path: string,
): PlanProblem[] {
  const field = fields.find((one) => one.name === column)
  if (!field) return [unknownColumn(path, column, fields)]
  const types: readonly FieldType[] = transform === 'value' ? FOLDER_TYPES : ['timestamp']
  if (!types.includes(field.type)) {
    const message = `folders by the ${transform} of "${column}", which is ${field.type}`
    return [wrongType(path, message, types, fields)]
  }
  if (!FIELD_NAME.test(name)) return [badName(path, name)]
  // Readers add the folder's name as a column: it would hide the one in the files.
  const hides = fields.some(
    (one) => one.name.toLowerCase() === name.toLowerCase() && !(transform === 'value' && one === field),
  )
  return hides ? [nameTaken(path, 'column', name)] : []
}

/** What is wrong with the sinks of a pipeline taken together: two of one name, or two that write into one folder. */
export function checkSinksTogether(plan: PipelinePlan): PlanProblem[] {
  const problems: PlanProblem[] = []
  const names = new TakenNames()
  const folders = new Map<string, string>()
  for (const query of plan.queries) {
    for (const [index, sink] of query.sinks.entries()) {
      const path = `queries.${shown(query.name)}.sinks[${index}]`
      const name = sinkName(query.name, sink)
      if (!names.take(name)) problems.push(nameTaken(path, 'sink', name))
      const isTable = sink.kind === 'postgres' || sink.kind === 'duckdb'
      if (!isTable && !('path' in sink)) continue
      const place = isTable ? tableOf(sink) : plainPath(sink.path)
      const other = folders.get(place)
      folders.set(place, name)
      if (other === undefined) continue
      const message = `it writes to "${shown(isTable ? sink.table : sink.path)}", where "${shown(other)}" writes already`
      problems.push({ path, message, hint: `give each sink a ${isTable ? 'table' : 'folder'} of its own` })
    }
  }
  return problems
}

/** One spelling for each folder, as far as the text alone can tell. */
function plainPath(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else parts.push(part)
  }
  return `${path.startsWith('/') ? '/' : ''}${parts.join('/')}`
}
