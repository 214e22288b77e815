import type { Field, Schema } from '../batch/schema.ts'
import type { AggregateSpec } from './aggregate.ts'
import type {
  DuckDbSinkSpec,
  FileSinkSpec,
  LatestViewSpec,
  OutputMode,
  PartitionSpec,
  RollSpec,
  SinkSpec,
  SourceSpec,
  TableColumn,
} from './connectors.ts'
import type { CaseBranch, Expression, FunctionName } from './expression.ts'
import { FUNCTIONS } from './function-table.ts'
import type { StartSpec } from './model-export.ts'
import { contestShape, modelFeatureShape, modelShape } from './model-shape.ts'
import type {
  FeatureSpec,
  FunnelStep,
  LabelSpec,
  NamedAggregate,
  NamedExpression,
  NamedFeature,
  PipelinePlan,
  QueryNode,
  QueryPlan,
} from './node.ts'
import type { Rule, RuleCondition } from './rule.ts'
import {
  kinds,
  lazy,
  list,
  type Members,
  nullable,
  number,
  object,
  optional,
  type Shape,
  scalar,
  text,
  truth,
  word,
} from './shape.ts'
import type { AlignedWindow, WindowSpec } from './window.ts'

const FUNCTION_NAMES = Object.keys(FUNCTIONS) as FunctionName[]

const expression: Shape<Expression> = lazy(() =>
  kinds<Expression>('expression', {
    column: { name: text() },
    literal: { value: scalar() },
    compare: {
      operator: word('comparison', ['eq', 'ne', 'lt', 'le', 'gt', 'ge']),
      left: expression,
      right: expression,
    },
    and: { operands: list(expression) },
    or: { operands: list(expression) },
    not: { operand: expression },
    'is-null': { operand: expression },
    in: { operand: expression, values: list(scalar()) },
    call: { name: word('function', FUNCTION_NAMES), operands: list(expression) },
    case: {
      branches: list(object<CaseBranch>({ when: expression, value: expression })),
      otherwise: optional(expression),
    },
    row: {
      property: word('property of a row', ['late', 'processing_time', 'record_time', 'partition', 'offset']),
    },
  }),
)
const namedExpressions = list(object<NamedExpression>({ name: text(), expression }))

const field = object<Field>({
  name: text(),
  type: word('column type', ['string', 'json', 'uuid', 'timestamp', 'decimal', 'float64', 'int64', 'int32', 'boolean']),
  required: truth(),
  from: optional(text()),
  cardinality: optional(word('cardinality', ['low', 'high', 'unique'])),
  scale: optional(number()),
  format: optional(word('timestamp format', ['iso', 'epoch-ms', 'epoch-s'])),
  timeZone: optional(text()),
  orRecordTime: optional(truth()),
  rest: optional(truth()),
})

const rule = kinds<Rule>('rule', {
  required: {
    name: text(),
    column: text(),
    when: optional(object<RuleCondition>({ column: text(), values: list(scalar()) })),
  },
  'one-of': { name: text(), column: text(), values: list(text()) },
  range: { name: text(), column: text(), min: optional(number()), max: optional(number()) },
  length: { name: text(), column: text(), bytesMax: number() },
})

const source = kinds<SourceSpec>('source', {
  log: { topic: text(), from: word('start', ['earliest', 'latest']), fromTimeMs: optional(number()) },
  file: { paths: list(text()) },
})

const alignedWindows = {
  tumbling: { sizeMs: number() },
  calendar: { unit: word('calendar unit', ['day', 'week', 'month']), timeZone: text() },
} as const
const window = kinds<WindowSpec>('window', {
  ...alignedWindows,
  sliding: { sizeMs: number(), slideMs: number() },
  session: {
    gapMs: number(),
    durationMaxMs: nullable(number()),
    eventsMax: nullable(number()),
    endWhen: optional(expression),
  },
  global: {},
})

const where = optional(expression)
const ofColumn = { column: text(), where }
const plainAggregates = {
  count: { where },
  sum: ofColumn,
  min: ofColumn,
  max: ofColumn,
  avg: ofColumn,
  span: ofColumn,
  countDistinct: ofColumn,
  first: ofColumn,
  last: ofColumn,
}
const aggregate = kinds<AggregateSpec>('aggregate', {
  ...plainAggregates,
  approxCountDistinct: { ...ofColumn, rsd: number() },
  quantile: { ...ofColumn, q: number() },
  topK: { ...ofColumn, k: number() },
})
const feature = kinds<FeatureSpec>('feature', { ...plainAggregates, elapsed: {} })

/** Of a model with the most weights that a plan may have. */
const STATE_LENGTH_MAX = 2 ** 28

const predictMembers = {
  name: text(),
  by: text(),
  label: kinds<LabelSpec>('label', {
    within: { when: expression, withinMs: number() },
    itself: { when: expression },
    next: { column: text(), classes: list(text()), withinMs: number() },
  }),
  rows: nullable(expression),
  features: list(modelFeatureShape),
  model: modelShape,
  contest: optional(contestShape),
  startFrom: optional(object<StartSpec>({ version: number(), signature: text(), state: text(STATE_LENGTH_MAX) })),
  waitingMax: number(),
} as const

const node: Shape<QueryNode> = lazy(() =>
  kinds<QueryNode>('step', {
    source: {
      source,
      schema: object<Schema>({ fields: list(field) }),
      rules: list(rule),
      keyed: optional(truth()),
    },
    filter: { input: node, predicate: expression },
    derive: { input: node, columns: namedExpressions },
    watermark: {
      input: node,
      column: text(),
      delayMs: number(),
      policy: word('watermark policy', ['per-partition', 'global-max']),
      idleTimeoutMs: number(),
      clockSkewMaxMs: nullable(number()),
      ageMaxMs: nullable(number()),
      advanceWhenIdle: optional(truth()),
    },
    dedupe: {
      input: node,
      column: text(),
      withinMs: number(),
      scope: word('dedupe scope', ['global', 'partition']),
    },
    'session-features': {
      input: node,
      by: text(),
      window: kinds<AlignedWindow>('window of session features', alignedWindows),
      features: list(object<NamedFeature>({ name: text(), spec: feature })),
      mode: word('mode of session features', ['past', 'compat', 'batch']),
    },
    predict: { input: node, ...predictMembers },
    funnel: {
      input: node,
      by: text(),
      steps: list(object<FunnelStep>({ name: text(), when: expression })),
      withinMs: number(),
      mode: word('mode of a funnel', ['ordered', 'strict', 'any']),
    },
    'model-report': { input: node, what: word('report on a model', ['metrics', 'weights', 'events', 'export']) },
    aggregate: {
      input: node,
      window,
      keys: list(text()),
      aggregates: list(object<NamedAggregate>({ name: text(), spec: aggregate })),
    },
    select: { input: node, columns: namedExpressions },
  }),
)

const mode: Shape<OutputMode> = word('output mode', ['append', 'update', 'complete'])
const files: Members<Omit<FileSinkSpec, 'kind'>> = {
  name: optional(text()),
  path: text(),
  partitionBy: optional(
    object<PartitionSpec>({
      name: text(),
      column: text(),
      transform: word('partition transform', ['day', 'hour', 'value']),
    }),
  ),
  compression: optional(word('compression', ['snappy', 'gzip', 'zstd', 'none'])),
  recordsPerFileMax: optional(number()),
  roll: optional(object<RollSpec>({ everyMs: number(), bytes: number() })),
}
const table: Members<Omit<DuckDbSinkSpec, 'kind' | 'file'>> = {
  name: optional(text()),
  table: text(),
  columns: optional(list(object<TableColumn>({ name: text(), column: text() }))),
  key: optional(list(text())),
  mode: word('output mode', ['append', 'update']),
}
const sink = kinds<SinkSpec>('sink', {
  parquet: files,
  csv: files,
  json: files,
  kafka: {
    name: optional(text()),
    topic: text(),
    key: optional(text()),
    format: word('format', ['json']),
    delivery: word('delivery', ['exactly-once', 'at-least-once']),
  },
  postgres: {
    ...table,
    url: optional(text()),
    schema: optional(text()),
    latest: optional(object<LatestViewSpec>({ view: text(), per: list(text()) })),
  },
  duckdb: { ...table, file: optional(text()) },
  redis: { name: optional(text()), url: optional(text()), key: text(), value: text() },
  'latest-file': { name: optional(text()), file: text(), value: text() },
  console: { name: optional(text()), mode, rowsMax: number() },
  memory: { name: optional(text()), mode },
})

/** The shape of a plan that comes as JSON. What has it can be given to `checkPlan`, which judges what the plan says. */
export const planShape: Shape<PipelinePlan> = object<PipelinePlan>({
  millracePlan: word('plan version', [1]),
  name: text(),
  queries: list(object<QueryPlan>({ name: text(), root: node, sinks: list(sink), meta: optional(truth()) })),
})
