// The public API, by name. A pipeline is written with what this file exports and nothing else; what it does not export may
// change at any time.

// Errors and durations
export { type ErrorCode, MillraceError } from './base/error.ts'
export type { Duration } from './base/time.ts'

// Schemas: the columns of a stream
export type { TimeUnit } from './batch/calendar.ts'
export {
  boolean,
  type Cardinality,
  decimal,
  defineSchema,
  type Field,
  type FieldSpec,
  type FieldSpecs,
  type FieldType,
  float64,
  int32,
  int64,
  json,
  type Row,
  type Schema,
  type TimestampFormat,
  type TypedSchema,
  text,
  timestamp,
  uuid,
} from './batch/schema.ts'

// Events: the canonical click, and the dialects of five source systems
export {
  CLICK_EVENT_TYPES,
  type ClickEventFields,
  clickEvent,
  clickEventFields,
  clickEventRules,
  DEVICES,
} from './event/click-event.ts'
export type { Dialect } from './event/dialect.ts'
export { ecommerce } from './event/dialects/ecommerce.ts'
export { dialects } from './event/dialects/index.ts'
export { type OnlineModelFields, onlineModel } from './event/dialects/online-model.ts'
export { pageGeoSessions } from './event/dialects/page-geo-sessions.ts'
export { urlDeviceActivity } from './event/dialects/url-device-activity.ts'
export { userActivity } from './event/dialects/user-activity.ts'

// Models that learn while rows come
export { type FeatureVector, featureVector } from './ml/feature-vector.ts'
export {
  adaGrad,
  adam,
  adwin,
  compatModel,
  ddm,
  eddm,
  ftrl,
  hddmA,
  hddmW,
  inverseScaling,
  kswin,
  type Learning,
  type LogisticRegressionSpec,
  type LogisticSpec,
  logisticRegression,
  type ModelSpec,
  optimalRate,
  pageHinkley,
  rmsProp,
  type SoftmaxSpec,
  sgd,
  softmaxRegression,
  type WatchSpec,
} from './ml/model-spec.ts'
export { type ClassProbability, SoftmaxRegression, type SoftmaxRegressionOptions } from './ml/softmax-regression.ts'
export { StandardScaler } from './ml/standard-scaler.ts'

// Aggregates
export {
  type Aggregate,
  type AggregateSpec,
  approxCountDistinct,
  avg,
  count,
  countDistinct,
  elapsed,
  first,
  last,
  max,
  min,
  type PlainAggregateSpec,
  quantile,
  span,
  sum,
  topK,
} from './plan/aggregate.ts'

// Plans: checking, reading and printing them
export { assertPlan, checkPlan, type PlanProblem } from './plan/check.ts'

// Sources and sinks
export {
  consoleSink,
  csv,
  day,
  duckdb,
  type FileSourceSpec,
  fileSource,
  hour,
  jsonLines,
  kafka,
  type LogSourceSpec,
  latestFile,
  logSource,
  memorySink,
  type OutputMode,
  type Partition,
  type PartitionSpec,
  parquet,
  postgres,
  redis,
  type SinkSpec,
  type SourceSpec,
  value,
} from './plan/connectors.ts'
export { explainPlan } from './plan/explain.ts'

// Expressions
export {
  and,
  type Call,
  type Case,
  type ColumnReference,
  type Comparison,
  col,
  type Expression,
  eq,
  ge,
  gt,
  isIn,
  isNull,
  type Literal,
  type LiteralValue,
  le,
  lit,
  lt,
  ne,
  not,
  type Operand,
  or,
  type RowProperty,
} from './plan/expression.ts'
export {
  add,
  coalesce,
  concat,
  cond,
  contains,
  dateTrunc,
  dayOfMonth,
  dayOfWeek,
  div,
  endsWith,
  hourOf,
  length,
  lower,
  minuteOf,
  mod,
  monthOf,
  mul,
  neg,
  rowProperty,
  splitPart,
  startsWith,
  sub,
  substr,
  toDecimal,
  toInteger,
  toMillis,
  toNumber,
  toText,
  toTime,
  trim,
  upper,
  urlHost,
  urlParam,
  urlPath,
  yearOf,
} from './plan/functions.ts'
export type { FunnelOptions } from './plan/funnel.ts'
export { type FunnelSqlOptions, funnelSql } from './plan/funnel-sql.ts'
export type {
  ContestSpec,
  FeatureSpec,
  FunnelMode,
  LabelSpec,
  ModelFeature,
  NextLabelSpec,
  PipelinePlan,
  QueryPlan,
} from './plan/node.ts'
// Streams and pipelines
export { type Pipeline, pipeline, type QueryOptions } from './plan/pipeline.ts'
export { planFromJson, planToJson } from './plan/plan-codec.ts'
export { eventWithin, hashed, itself, nextWithin, oneHot, type PredictOptions, purchaseWithin } from './plan/predict.ts'
// Rules: what each row of a source must fulfil
export { lengthMax, oneOf, type Rule, type RuleCondition, range, required } from './plan/rule.ts'
export {
  type AddedFields,
  type AttemptFields,
  type ClassFields,
  type ColumnName,
  type DedupeOptions,
  FunnelStream,
  GroupedStream,
  type PredictedFields,
  PredictedStream,
  type Query,
  type ReportFields,
  type SessionFeaturesOptions,
  Stream,
  type StreamOptions,
  stream,
  type WatermarkOptions,
  WindowedStream,
} from './plan/stream.ts'

// Windows
export {
  type AlignedWindow,
  type CalendarWindow,
  type GlobalWindow,
  global,
  type SessionOptions,
  type SessionWindow,
  type SlidingWindow,
  session,
  sliding,
  type TumblingOptions,
  type TumblingWindow,
  tumbling,
  type WindowSpec,
} from './plan/window.ts'
