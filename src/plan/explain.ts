import { unreachable } from '../base/assert.ts'
import { formatDuration, formatTime } from '../base/time.ts'
import type { Field } from '../batch/schema.ts'
import type { ModelSpec } from '../ml/model-spec.ts'
import type { AggregateSpec } from './aggregate.ts'
import { sinkName } from './check-sinks.ts'
import type { SinkSpec, SourceSpec, TableColumn } from './connectors.ts'
import { expressionText } from './expression-text.ts'
import type {
  AggregateNode,
  ContestSpec,
  FeatureMode,
  FunnelMode,
  FunnelNode,
  LabelSpec,
  NamedExpression,
  PipelinePlan,
  PredictNode,
  QueryPlan,
  SelectNode,
  SessionFeaturesNode,
  SourceNode,
  WatermarkNode,
} from './node.ts'
import { type QueryChain, queryChain, type TimedStep } from './query-chain.ts'
import { resultFields } from './result-schema.ts'
import { expressionFields, rowFields } from './row-fields.ts'
import type { Rule } from './rule.ts'
import type { WindowSpec } from './window.ts'

/** What a plan that passed its checks will do, as text for people: the source once, then each query in the order in which rows pass it. */
export function explainPlan(plan: PipelinePlan): string {
  const queries = plan.queries.map((query) => ({ query, chain: queryChain(query.root) }))
  const sources = queries.slice(0, 1).map(({ chain }) => sourceBranch(chain.source))
  const branches = [...sources, ...queries.map(({ query, chain }) => queryBranch(query, chain))]
  return `${[`pipeline ${plan.name}`, ...treeLines(branches)].join('\n')}\n`
}

interface Branch {
  readonly text: string
  readonly below: readonly Branch[]
}

function branch(text: string, below: readonly (Branch | undefined)[] = []): Branch {
  return { text, below: below.filter((one) => one !== undefined) }
}

/** A branch with a line for each row of a table, its columns aligned; undefined without rows. */
function table(text: string, rows: readonly (readonly string[])[]): Branch | undefined {
  if (rows.length === 0) return undefined
  const lines = rows.map((row) => {
    const cells = row.map((cell, column) => cell.padEnd(Math.max(...rows.map((one) => one[column]?.length ?? 0))))
    return branch(cells.join('  ').trimEnd())
  })
  return branch(text, lines)
}

function treeLines(branches: readonly Branch[]): string[] {
  return branches.flatMap(({ text, below }, index) => {
    const last = index === branches.length - 1
    const deeper = treeLines(below).map((line) => `${last ? '   ' : '│  '}${line}`)
    return [`${last ? '└─ ' : '├─ '}${text}`, ...deeper]
  })
}

function sourceBranch({ source, schema, rules, keyed }: SourceNode): Branch {
  return branch(`source  ${sourceText(source)}${keyed ? ', repeats in one partition' : ''}`, [
    table('columns', schema.fields.map(fieldRow)),
    table(
      'rules',
      rules.map((rule) => [rule.name, ruleText(rule)]),
    ),
  ])
}

function sourceText(source: SourceSpec): string {
  if (source.kind === 'log') {
    const { topic, from, fromTimeMs } = source
    return `topic ${topic}, from ${fromTimeMs === undefined ? from : formatTime(fromTimeMs)}`
  }
  return source.paths.map((path) => (path === '-' ? 'standard input' : path)).join(', ')
}

function fieldRow(field: Field): string[] {
  const notes: string[] = []
  if (field.required) notes.push('required')
  if (field.from !== undefined && field.from !== field.name) notes.push(`from "${field.from}"`)
  if (field.cardinality !== undefined && field.cardinality !== 'low') notes.push(`${field.cardinality} cardinality`)
  if (field.format !== undefined && field.format !== 'iso') notes.push(field.format)
  if (field.timeZone !== undefined) notes.push(`in ${field.timeZone} unless it has an offset`)
  if (field.orRecordTime) notes.push("else the record's time")
  if (field.rest) notes.push('all other members')
  return [field.name, typeText(field), notes.join(', ')]
}

function typeText({ type, scale }: Field): string {
  return scale === undefined ? type : `${type}(${scale})`
}

function ruleText(rule: Rule): string {
  switch (rule.kind) {
    case 'required': {
      const when = rule.when ? ` when ${rule.when.column} is ${rule.when.values.join(' or ')}` : ''
      return `${rule.column} is not null${when}`
    }
    case 'one-of':
      return `${rule.column} is one of ${rule.values.join(', ')}`
    case 'range':
      if (rule.min === undefined) return `${rule.column} is at most ${rule.max}`
      return rule.max === undefined
        ? `${rule.column} is at least ${rule.min}`
        : `${rule.column} is from ${rule.min} to ${rule.max}`
    case 'length':
      return `${rule.column} has at most ${rule.bytesMax} bytes`
    default:
      return unreachable(rule)
  }
}

function queryBranch(query: QueryPlan, chain: QueryChain): Branch {
  const { stepsBefore, watermark, stepsAfter, output } = chain
  const sinks = query.sinks.map((sink) => [sinkName(query.name, sink), ...sinkCells(sink)])
  const results = resultFields(query)
  return branch(`query ${query.name}`, [
    ...stepsBefore.map(stepBranch),
    watermark && watermarkBranch(watermark),
    ...stepsAfter.map(stepBranch),
    ...(output ? outputBranches(output, results) : []),
    query.meta ? branch('besides  final, version') : undefined,
    table('sinks', sinks) ?? branch('no sinks: its rows are only seen with --print and on the page'),
  ])
}

function stepBranch(node: TimedStep): Branch {
  switch (node.kind) {
    case 'filter':
      return branch(`where  ${expressionText(node.predicate)}`)
    case 'derive':
      return columnsBranch('derive', node.columns, expressionFields(node.columns, rowFields(node.input)))
    case 'dedupe': {
      const where = node.scope === 'partition' ? 'in its partition' : 'in any partition'
      return branch(`dedupe by ${node.column}, within ${formatDuration(node.withinMs)}, ${where}`)
    }
    case 'session-features':
      return featuresBranch(node)
    case 'predict':
      return predictBranch(node)
    case 'model-report':
      return branch(
        node.what === 'events'
          ? 'what has happened to the model'
          : `the model's ${node.what}, after each epoch that it has learned in`,
      )
    case 'funnel':
      return funnelBranch(node)
    default:
      return unreachable(node)
  }
}

const MODES: Readonly<Record<FeatureMode, string>> = {
  past: 'up to each row',
  compat: 'over the whole window, the future of each row included',
  batch: 'over what the epoch has of it, the future of each row included',
}

function featuresBranch(node: SessionFeaturesNode): Branch {
  const fields = rowFields(node)
  const rows = node.features.map(({ name, spec }) => [
    name,
    typeText(fields.find((field) => field.name === name) as Field),
    spec.kind === 'elapsed' ? 'elapsed()' : aggregateText(spec),
  ])
  return branch(
    `features of ${node.by} in a window ${windowText(node.window)}, ${MODES[node.mode]}`,
    table('', rows)?.below,
  )
}

function funnelBranch({ by, steps, withinMs, mode }: FunnelNode): Branch {
  const rows = steps.map(({ name, when }) => [name, expressionText(when)])
  return branch(`funnel of ${by}, ${FUNNEL_TEXT[mode]}, within ${formatDuration(withinMs)}`, table('', rows)?.below)
}

const FUNNEL_TEXT: Readonly<Record<FunnelMode, string>> = {
  ordered: 'steps in order',
  strict: 'steps in order with nothing between them',
  any: 'steps in any order',
}

function predictBranch({
  name,
  by,
  label,
  rows,
  features,
  model,
  contest,
  startFrom,
  waitingMax,
}: PredictNode): Branch {
  const optimizer = model.optimizer.kind
  const batches = model.kind === 'logistic' && model.learning !== 'each' ? model.learning : undefined
  const learning = batches ? `a step per epoch${batches === 'compat' ? ', after a full fit' : ''}` : 'row by row'
  return branch(`predict by model ${name}, by ${by}${rows ? `, of rows where ${expressionText(rows)}` : ''}`, [
    branch(`label  ${labelText(label)}`),
    branch(
      `features  ${features.map((one) => (one.kind === 'column' ? one.column : `${one.column} ${one.kind}`)).join(', ')}`,
    ),
    branch(`${model.kind} regression, ${optimizer}${model.scale ? ', numbers scaled' : ''}, learns ${learning}`),
    ...(startFrom ? [branch(`goes on from an export of version ${startFrom.version}`)] : []),
    ...(contest ? [contestBranch(contest)] : []),
    branch(`watched by ${watchers(model)}, ${waitingMax} rows wait for labels at most`),
  ])
}

function watchers({ drift, scoreDrift }: ModelSpec): string {
  return (drift?.kind ?? 'nobody') + (scoreDrift ? `, what it says by ${scoreDrift.kind}` : '')
}

function contestBranch({ challengers, promoteAfter }: ContestSpec): Branch {
  const names = challengers.map((one) => `${one.name} (${one.model.optimizer.kind})`).join(', ')
  const promoted = promoteAfter === null ? 'by command' : `after each ${promoteAfter} outcomes`
  return branch(`challengers  ${names}; the better one is promoted ${promoted}`)
}

function labelText(label: LabelSpec): string {
  if (label.kind === 'itself') return `${expressionText(label.when)}, of the row itself, known at once`
  if (label.kind === 'next') {
    const within = formatDuration(label.withinMs)
    return `next ${label.column} of ${label.classes.join(', ')} within ${within}, learned when that time is over`
  }
  return `${expressionText(label.when)} within ${formatDuration(label.withinMs)}, learned when that time is over`
}

function outputBranches(node: AggregateNode | SelectNode, results: readonly Field[]): Branch[] {
  if (node.kind === 'aggregate') return aggregateBranches(node, results)
  return [columnsBranch('select', node.columns, results)]
}

/** Columns by expressions; those that are columns as they are stand without one. */
function columnsBranch(text: string, columns: readonly NamedExpression[], fields: readonly Field[]): Branch {
  const rows = columns.map(({ name, expression }, index) => {
    const plain = expression.kind === 'column' && expression.name === name
    return [name, typeText(fields[index] as Field), plain ? '' : expressionText(expression)]
  })
  return branch(text, table('', rows)?.below)
}

function watermarkBranch(node: WatermarkNode): Branch {
  const { delayMs, policy, idleTimeoutMs, clockSkewMaxMs, ageMaxMs, advanceWhenIdle } = node
  const partitioned = policy === 'per-partition'
  const behind = partitioned ? 'the slowest active partition' : 'the newest row'
  const rows = [[`${formatDuration(delayMs)} behind ${behind}`]]
  if (partitioned) rows.push([`a partition is idle after ${formatDuration(idleTimeoutMs)} without rows or backlog`])
  if (clockSkewMaxMs !== null)
    rows.push([`a row is future when ${formatDuration(clockSkewMaxMs)} ahead of its arrival`])
  if (ageMaxMs !== null) rows.push([`a row is expired when older than ${formatDuration(ageMaxMs)}`])
  if (advanceWhenIdle !== undefined) {
    rows.push([`when all partitions are idle, time ${advanceWhenIdle ? 'goes on with the clock' : 'stands still'}`])
  }
  return branch(
    `watermark on ${node.column}`,
    rows.map(([text = '']) => branch(text)),
  )
}

function aggregateBranches(node: AggregateNode, results: readonly Field[]): Branch[] {
  const fields = rowFields(node)
  const rows = node.aggregates.map(({ name, spec }) => [
    name,
    typeText(results.find((field) => field.name === name) as Field),
    aggregateText(spec),
    stateText(spec, fields),
  ])
  return [
    branch(`window  ${windowText(node.window)}`, windowNotes(node.window)),
    branch(node.keys.length === 0 ? 'one row a window' : `group by  ${node.keys.join(', ')}`),
    branch('aggregates', table('', rows)?.below ?? []),
  ]
}

function windowText(window: WindowSpec): string {
  switch (window.kind) {
    case 'tumbling':
      return `tumbling, ${formatDuration(window.sizeMs)}`
    case 'calendar':
      return `tumbling, each ${window.unit}${window.unit === 'week' ? ' from Monday' : ''} in ${window.timeZone}`
    case 'sliding':
      return `sliding, ${formatDuration(window.sizeMs)} each ${formatDuration(window.slideMs)}`
    case 'session':
      return `session, until ${formatDuration(window.gapMs)} without an event`
    case 'global':
      return 'global, never closes'
    default:
      return unreachable(window)
  }
}

/** When a session closes early. */
function windowNotes(window: WindowSpec): Branch[] {
  if (window.kind !== 'session') return []
  const { durationMaxMs, eventsMax, endWhen } = window
  const notes: string[] = []
  if (durationMaxMs !== null) notes.push(`closes early when it is longer than ${formatDuration(durationMaxMs)}`)
  if (eventsMax !== null) notes.push(`closes early when it has more than ${eventsMax} events`)
  if (endWhen) notes.push(`closes early by an event for which ${expressionText(endWhen)}`)
  return notes.map((note) => branch(note))
}

function aggregateText(spec: AggregateSpec): string {
  const parameters = spec.kind === 'count' ? [] : [spec.column, ...option(spec)]
  return `${spec.kind}(${parameters.join(', ')})${spec.where ? ` where ${expressionText(spec.where)}` : ''}`
}

function option(spec: Exclude<AggregateSpec, { readonly kind: 'count' }>): number[] {
  if (spec.kind === 'approxCountDistinct') return [spec.rsd]
  if (spec.kind === 'quantile') return [spec.q]
  return spec.kind === 'topK' ? [spec.k] : []
}

/** What an aggregate keeps per group while its window is open: what it costs. */
function stateText(spec: AggregateSpec, fields: readonly Field[]): string {
  switch (spec.kind) {
    case 'count':
      return 'a number'
    case 'min':
    case 'max':
      return fieldType(spec.column, fields) === 'string' ? 'a text' : 'a number'
    case 'sum':
    case 'avg':
      return fieldType(spec.column, fields) === 'float64' ? 'an exact accumulator' : 'a number'
    case 'span':
      return 'two times'
    case 'first':
    case 'last':
      return 'a value with its place'
    case 'countDistinct':
      return 'pairs: an entry for each value'
    case 'topK':
      return 'pairs: an entry with a count for each value'
    case 'quantile':
      return 'sketch: bins with a relative error'
    case 'approxCountDistinct':
      return `sketch: ${2 ** hllPrecision(spec.rsd)} bytes at most`
    default:
      return unreachable(spec)
  }
}

/** Index bits of HyperLogLog++ for a relative standard deviation; there are 2^bits registers. */
function hllPrecision(rsd: number): number {
  return Math.ceil(2 * Math.log2(1.106 / rsd))
}

function fieldType(name: string, fields: readonly Field[]): string | undefined {
  return fields.find((field) => field.name === name)?.type
}

function sinkCells(sink: SinkSpec): string[] {
  switch (sink.kind) {
    case 'console':
      return [sink.mode, `to the terminal, ${sink.rowsMax} rows an epoch`]
    case 'memory':
      return [sink.mode, 'kept in memory']
    case 'kafka': {
      const key = sink.key === undefined ? '' : `, key ${sink.key}`
      return ['append', `${sink.format} to topic ${sink.topic} of Kafka${key}, ${sink.delivery}`]
    }
    case 'redis':
      return ['append', `the newest ${sink.value} in the key ${sink.key} of Redis`]
    case 'latest-file':
      return ['append', `the newest ${sink.value} in the file ${sink.file}`]
    case 'postgres':
    case 'duckdb': {
      const where =
        sink.kind === 'postgres'
          ? `${sink.schema ?? 'public'}.${sink.table} of PostgreSQL`
          : `${sink.table} of the result store`
      const key = `key ${sink.key ? `(${sink.key.join(', ')})` : 'of the query'}`
      const view = sink.kind === 'postgres' && sink.latest ? `, last rows in the view ${sink.latest.view}` : ''
      const columns = sink.columns ? `, columns ${sink.columns.map(columnText).join(', ')}` : ''
      return [sink.mode, `${where}${columns}, ${key}${view}`]
    }
    default: {
      const { path, partitionBy, recordsPerFileMax, compression, roll } = sink
      const notes = [`${sink.kind} in ${path}`]
      if (partitionBy) notes.push(`folders ${partitionBy.name}=<${partitionBy.transform} of ${partitionBy.column}>`)
      if (recordsPerFileMax !== undefined) notes.push(`${recordsPerFileMax} rows a file at most`)
      if (roll) notes.push(`a file every ${formatDuration(roll.everyMs)} or ${roll.bytes} bytes`)
      if (compression !== undefined) notes.push(`compressed by ${compression}`)
      return ['append', notes.join(', ')]
    }
  }
}

function columnText({ name, column }: TableColumn): string {
  return name === column ? name : `${name} (${column})`
}
