import fc from 'fast-check'
import type { FieldSpecs } from '../../src/batch/schema.ts'
import {
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
  sum,
  topK,
} from '../../src/plan/aggregate.ts'
import {
  consoleSink,
  csv,
  day,
  hour,
  jsonLines,
  logSource,
  memorySink,
  parquet,
  type SinkSpec,
  value,
} from '../../src/plan/connectors.ts'
import { col, type Expression } from '../../src/plan/expression.ts'
import { concat, rowProperty } from '../../src/plan/functions.ts'
import type { PipelinePlan } from '../../src/plan/node.ts'
import { pipeline } from '../../src/plan/pipeline.ts'
import { oneOf } from '../../src/plan/rule.ts'
import { type Query, type Stream, stream } from '../../src/plan/stream.ts'
import { global, session, sliding, tumbling, type WindowSpec } from '../../src/plan/window.ts'
import { everyType, randomCondition, randomExpression } from './random-expressions.ts'

const texts = fc.constantFrom('page', 'country', 'user', 'id')
const numbers = fc.constantFrom('amount', 'price', 'n', 'x')

const plainAggregate: fc.Arbitrary<Feature> = fc.oneof(
  fc.constant(count()),
  numbers.map(sum),
  numbers.map(avg),
  fc.oneof(texts, numbers).map(min),
  fc.oneof(texts, numbers).map(max),
  fc.oneof(texts, numbers).map(first),
  fc.oneof(texts, numbers).map(last),
  texts.map(countDistinct),
)
type Feature = Aggregate<string, PlainAggregateSpec>

const aggregate: fc.Arbitrary<AggregateSpec> = fc
  .tuple(
    fc.oneof(
      plainAggregate,
      fc.tuple(texts, fc.double({ min: 0.005, max: 0.39, noNaN: true })).map(([c, rsd]) => approxCountDistinct(c, rsd)),
      fc.tuple(numbers, fc.double({ min: 0, max: 1, noNaN: true })).map(([c, q]) => quantile(c, q)),
      fc.tuple(texts, fc.integer({ min: 1, max: 1000 })).map(([c, k]) => topK(c, k)),
    ),
    fc.option(randomCondition),
  )
  .map(([spec, where]) => (where === null ? spec : spec.where(where)))

const lengthMs = fc.integer({ min: 1, max: 1e9 })
const window: fc.Arbitrary<WindowSpec> = fc.oneof(
  lengthMs.map((ms) => tumbling(`${ms}ms`)),
  fc
    .tuple(fc.constantFrom('1 day', '7 days', '1 month'), fc.constantFrom('Europe/Paris', 'UTC'))
    .map(([size, timeZone]) => tumbling(size, { timeZone })),
  fc.tuple(lengthMs, fc.integer({ min: 1, max: 100 })).map(([ms, overlap]) => {
    return sliding(`${ms}ms`, `${Math.ceil(ms / overlap)}ms`)
  }),
  fc
    .tuple(lengthMs, fc.option(lengthMs), fc.option(lengthMs), fc.option(randomCondition))
    .map(([gap, longest, maxEvents, endWhen]) =>
      session(`${gap}ms`, {
        maxDuration: longest === null ? null : `${longest}ms`,
        maxEvents,
        ...(endWhen === null ? {} : { endWhen }),
      }),
    ),
  fc.constant(global()),
)

const viewSinks = [consoleSink({ mode: 'update', rowsMax: 5 }), memorySink({ mode: 'complete' })]
const windowSinks = [
  parquet('out/parquet', { partitionBy: day('window_start').as('dt'), compression: 'gzip' }),
  csv('out/csv', { partitionBy: hour('window_end'), recordsPerFileMax: 1000 }),
  jsonLines('out/json', { partitionBy: value('country'), name: 'lines' }),
  ...viewSinks,
]
const sessionSinks = [parquet('out/sessions', { partitionBy: day('session_start') }), ...viewSinks]
const rowSinks = [csv('out/rows'), memorySink()]

/** Columns whose names do not clash with those of another step. */
const derived = (prefix: string): fc.Arbitrary<Record<string, Expression>> =>
  fc
    .array(randomExpression, { minLength: 1, maxLength: 2 })
    .map((list) => Object.fromEntries(list.map((node, index) => [`${prefix}${index}`, node])))

interface Rows {
  readonly stream: Stream<FieldSpecs>
  readonly added: readonly string[]
}

/** Filters, then columns, or the other way round. */
const rowSteps = (prefix: string): fc.Arbitrary<(rows: Rows) => Rows> =>
  fc
    .record({
      filters: fc.array(randomCondition, { maxLength: 2 }),
      columns: fc.option(derived(prefix)),
      early: fc.boolean(),
    })
    .map(({ filters, columns, early }) => ({ stream, added }) => {
      const derive = (rows: Stream<FieldSpecs>): Stream<FieldSpecs> => (columns === null ? rows : rows.derive(columns))
      const filtered = filters.reduce((rows, one) => rows.where(one), early ? derive(stream) : stream)
      return { stream: early ? filtered : derive(filtered), added: [...added, ...Object.keys(columns ?? {})] }
    })

/** Ends a query; with the sinks that its rows can go to. */
const ending: fc.Arbitrary<(rows: Rows) => { query: Query; sinks: readonly SinkSpec[] }> = fc.oneof(
  fc
    .record({
      window,
      keys: fc.subarray(['flag', 'page', 'amount', 'u']),
      aggregates: fc.dictionary(fc.stringMatching(/^[a-m][a-z0-9_]{0,9}x$/), aggregate, { minKeys: 1, maxKeys: 4 }),
    })
    .map(({ window: cut, keys, aggregates }) => ({ stream, added }: Rows) => {
      const query = stream
        .groupBy('country', ...keys, ...added)
        .window(cut)
        .aggregate(aggregates)
      if (cut.kind === 'global') return { query, sinks: viewSinks }
      return { query, sinks: cut.kind === 'session' ? sessionSinks : windowSinks }
    }),
  fc.option(derived('out')).map((columns) => ({ stream, added }: Rows) => {
    const chosen = columns && {
      ...columns,
      page: 'page',
      late: rowProperty('late'),
      ...Object.fromEntries(added.map((name) => [name, name])),
    }
    return { query: stream.select(chosen ?? undefined), sinks: rowSinks }
  }),
  fc
    .record({
      size: lengthMs,
      feature: plainAggregate,
      mode: fc.constantFrom('past' as const, 'compat' as const, 'batch' as const),
      steps: rowSteps('f'),
    })
    .map(({ size, feature, mode, steps }) => (rows: Rows) => {
      const features = { feature, time_on_page: elapsed() }
      const stream = rows.stream.withSessionFeatures({ by: 'user', window: tumbling(`${size}ms`), features, mode })
      return { query: steps({ ...rows, stream }).stream.select(), sinks: rowSinks }
    }),
  fc
    .record({
      within: lengthMs,
      conditions: fc.array(randomCondition, { minLength: 2, maxLength: 4 }),
      mode: fc.constantFrom('ordered' as const, 'strict' as const, 'any' as const),
      conversions: fc.boolean(),
    })
    .map(({ within, conditions, mode, conversions }) => ({ stream }: Rows) => {
      const steps = Object.fromEntries(conditions.map((condition, index) => [`s${index}`, condition]))
      const funnel = stream.funnel({ by: 'user', steps, within: `${within}ms`, mode })
      if (conversions) return { query: funnel.conversions(tumbling('1 hour')), sinks: viewSinks }
      return { query: funnel.derive({ page: concat(col('step_name'), '!') }).select(), sinks: rowSinks }
    }),
)

/** Plans over `everyType` that pass their checks: every kind of step, window and aggregate. */
export const randomPlan: fc.Arbitrary<PipelinePlan> = fc
  .record({
    keyed: fc.boolean(),
    before: rowSteps('b'),
    after: rowSteps('a'),
    delay: fc.integer({ min: 0, max: 1e9 }),
    dedupe: fc.option(lengthMs),
    end: ending,
    sinkChoice: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
    meta: fc.boolean(),
  })
  .map(({ keyed, before, after, delay, dedupe, end, sinkChoice, meta }) => {
    const source = stream(logSource('events'), everyType, { rules: [oneOf('country', ['DE'])], keyed })
    const early = before({ stream: source, added: [] })
    let timed = early.stream.withWatermark('t', `${delay}ms`)
    if (dedupe !== null) timed = timed.dedupe('id', { within: `${dedupe}ms`, scope: keyed ? 'partition' : 'global' })
    const { query, sinks } = end(after({ ...early, stream: timed }))
    return pipeline('p').query(
      'q',
      query,
      sinks.filter((_, index) => sinkChoice[index]),
      { meta },
    )
  })
