import { unreachable } from '../base/assert.ts'
import { formatDuration } from '../base/time.ts'
import type { Field } from '../batch/schema.ts'
import type { AggregateSpec } from './aggregate.ts'
import { sinkName } from './check-sinks.ts'
import type { SinkSpec, SourceSpec } from './connectors.ts'
import { expressionText } from './expression-text.ts'
import type { AggregateNode, PipelinePlan, QueryPlan, SourceNode, WatermarkNode } from './node.ts'
import { type QueryChain, queryChain } from './query-chain.ts'
import { resultFields } from './result-schema.ts'
import type { Rule } from './rule.ts'

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

function sourceBranch({ source, schema, rules }: SourceNode): Branch {
  return branch(`source  ${sourceText(source)}`, [
    table('columns', schema.fields.map(fieldRow)),
    table(
      'rules',
      rules.map((rule) => [rule.name, ruleText(rule)]),
    ),
  ])
}

function sourceText(source: SourceSpec): string {
  if (source.kind === 'log') return `topic ${source.topic}, from ${source.from}`
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
  const { filtersBefore, watermark, filtersAfter, aggregate } = chain
  const sinks = query.sinks.map((sink) => [sinkName(query.name, sink), ...sinkCells(sink)])
  return branch(`query ${query.name}`, [
    ...filtersBefore.map((predicate) => branch(`where  ${expressionText(predicate)}`)),
    watermark && watermarkBranch(watermark),
    ...filtersAfter.map((predicate) => branch(`where  ${expressionText(predicate)}`)),
    ...(aggregate ? aggregateBranches(aggregate, chain, resultFields(query)) : []),
    table('sinks', sinks) ?? branch('no sinks: its rows are only seen with --print and on the page'),
  ])
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

function aggregateBranches(node: AggregateNode, { source }: QueryChain, fields: readonly Field[]): Branch[] {
  const rows = node.aggregates.map(({ name, spec }) => [
    name,
    typeText(fields.find((field) => field.name === name) as Field),
    aggregateText(spec),
    stateText(spec, source.schema.fields),
  ])
  return [
    branch(`window  tumbling, ${formatDuration(node.window.sizeMs)}`),
    branch(node.keys.length === 0 ? 'one row a window' : `group by  ${node.keys.join(', ')}`),
    branch('aggregates', table('', rows)?.below ?? []),
  ]
}

function aggregateText(spec: AggregateSpec): string {
  const column = spec.kind === 'count' ? '' : spec.column
  const accuracy = spec.kind === 'approxCountDistinct' ? `, ${spec.rsd}` : ''
  return `${spec.kind}(${column}${accuracy})${spec.where ? ` where ${expressionText(spec.where)}` : ''}`
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
    case 'countDistinct':
      return 'pairs: an entry for each value'
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
    case 'postgres':
    case 'duckdb': {
      const where =
        sink.kind === 'postgres'
          ? `${sink.schema ?? 'public'}.${sink.table} of PostgreSQL`
          : `${sink.table} of the result store`
      return [sink.mode, `${where}, key ${sink.key ? `(${sink.key.join(', ')})` : 'of the query'}`]
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
