import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { everyType, randomCondition, randomExpression } from '../../test/support/random-expressions.ts'
import { MillraceError } from '../base/error.ts'
import type { FieldSpecs } from '../batch/schema.ts'
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
} from './aggregate.ts'
import { checkPlan } from './check.ts'
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
} from './connectors.ts'
import { explainPlan } from './explain.ts'
import { col, type Expression, eq } from './expression.ts'
import { expressionText } from './expression-text.ts'
import { rowProperty } from './functions.ts'
import type { PipelinePlan, QueryNode } from './node.ts'
import { pipeline } from './pipeline.ts'
import { planFromJson, planToJson, queryIdentity } from './plan-codec.ts'
import { queryChain } from './query-chain.ts'
import { keyColumns, resultFields } from './result-schema.ts'
import { columnNames } from './row-fields.ts'
import { oneOf } from './rule.ts'
import { type Query, type Stream, stream } from './stream.ts'
import { usedColumns } from './used-columns.ts'
import { global, session, sliding, tumbling, type WindowSpec } from './window.ts'

/*
 * Random plans that can run, made with the builder, and the same with something replaced by a random value.
 */

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
      mode: fc.constantFrom('past' as const, 'compat' as const),
      steps: rowSteps('f'),
    })
    .map(({ size, feature, mode, steps }) => (rows: Rows) => {
      const features = { feature, time_on_page: elapsed() }
      const stream = rows.stream.withSessionFeatures({ by: 'user', window: tumbling(`${size}ms`), features, mode })
      return { query: steps({ ...rows, stream }).stream.select(), sinks: rowSinks }
    }),
)

const plan: fc.Arbitrary<PipelinePlan> = fc
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

test('a random plan has no problems, and comes back from JSON as it was', () => {
  fc.assert(
    fc.property(plan, (original) => {
      assert.deepEqual(checkPlan(original), [])
      const json = planToJson(original)
      const back = planFromJson(json)
      assert.deepEqual(back, original)
      assert.equal(planToJson(back), json)
    }),
  )
})

test('what was checked can be laid out, explained and identified', () => {
  fc.assert(
    fc.property(plan, (original) => {
      for (const query of original.queries) {
        const { output } = queryChain(query.root)
        assert.ok(output)
        const fields = resultFields(query)
        const names = fields.map(({ name }) => name)
        assert.equal(new Set(names).size, names.length)
        const computed = output.kind === 'select' ? output.columns : output.aggregates
        assert.deepEqual(names.slice(query.meta ? -2 - computed.length : -computed.length), [
          ...computed.map(({ name }) => name),
          ...(query.meta ? ['final', 'version'] : []),
        ])
        for (const key of keyColumns(query)) assert.ok(names.includes(key))
        for (const { name, type, scale } of fields) assert.equal(scale !== undefined, type === 'decimal', name)
        assert.ok(queryIdentity(query).includes(JSON.stringify(computed[0]?.name)))
        const columns = new Set(columnNames(query.root))
        for (const name of usedColumns(query.root)) assert.ok(columns.has(name), name)
      }
      assert.ok(explainPlan(original).endsWith('\n'))
    }),
  )
})

test('a condition of a plan reads back as it was, and two that read alike are alike', () => {
  fc.assert(
    fc.property(randomExpression, randomExpression, (one, other) => {
      assert.equal(expressionText(one) === expressionText(other), JSON.stringify(one) === JSON.stringify(other))
    }),
  )
})

test('whatever is not a plan is refused with an error of ours, and nothing else is thrown', () => {
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.jsonValue(), fc.json()), (input) => {
      assert.throws(
        () => planFromJson(input),
        (error) => error instanceof MillraceError && error.code === 'invalid-plan' && error.hint !== '',
      )
    }),
    { numRuns: 500 },
  )
})

test('a plan with anything in it replaced is either refused with an error of ours or a plan that can run', () => {
  const strange = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(Number.NaN, -1, 1.5, 1e300, '', '__proto__', 't', 'amount', undefined),
    fc.constantFrom<unknown>({ kind: 'column', name: 'user' }, { kind: 'literal', value: 1 }),
  )
  fc.assert(
    fc.property(plan, fc.nat(), strange, (original, at, replacement) => {
      const data: unknown = replaced(JSON.parse(planToJson(original)), at, replacement)
      try {
        const read = planFromJson(data)
        explainPlan(read)
        for (const query of read.queries) resultFields(query)
      } catch (error) {
        assert.ok(error instanceof MillraceError, String(error))
      }
    }),
    { numRuns: 500 },
  )
})

test('steps in any order are told apart without an exception', () => {
  const predicate = eq(col('country'), 'DE')
  const columns = [{ name: 'n', expression: col('country') }]
  const wraps: Readonly<Record<string, (input: QueryNode) => QueryNode>> = {
    f: (input) => ({ kind: 'filter', input, predicate }),
    w: (input) => ({
      kind: 'watermark',
      input,
      column: 't',
      delayMs: 0,
      policy: 'global-max',
      idleTimeoutMs: 1,
      clockSkewMaxMs: null,
      ageMaxMs: null,
    }),
    d: (input) => ({ kind: 'dedupe', input, column: 'id', withinMs: 1, scope: 'global' }),
    s: (input) => ({
      kind: 'session-features',
      input,
      by: 'user',
      window: { kind: 'tumbling', sizeMs: 1 },
      features: [{ name: 'elapsed', spec: { kind: 'elapsed' } }],
      mode: 'past',
    }),
    a: (input) => ({
      kind: 'aggregate',
      input,
      window: tumbling('1m'),
      keys: [],
      aggregates: [{ name: 'n', spec: { kind: 'count' } }],
    }),
    e: (input) => ({ kind: 'select', input, columns }),
  }
  const steps = fc.array(fc.constantFrom(...Object.keys(wraps)), { maxLength: 7 }).map((letters) => letters.join(''))
  const right = /^f*(e|w(?=[^d]*d?[^d]*$)[fd]*(a|e|sf*e))$/
  fc.assert(
    fc.property(fc.oneof(steps, fc.stringMatching(/^f?w?d?f?s?f?[ae]$/)), (letters) => {
      let root: QueryNode = { kind: 'source', source: logSource('t'), schema: everyType, rules: [] }
      for (const letter of letters) root = wraps[letter]?.(root) ?? root
      const problems = checkPlan({ millracePlan: 1, name: 'p', queries: [{ name: 'q', root, sinks: [] }] })
      assert.equal(problems.length === 0, right.test(letters), `${letters} ${JSON.stringify(problems)}`)
    }),
    { numRuns: 1000 },
  )
})

/** The data with its `at`-th value, in depth-first order and counted around, replaced. */
function replaced(data: unknown, at: number, replacement: unknown): unknown {
  let left = at % size(data)
  const walk = (value: unknown): unknown => {
    if (left-- === 0) return replacement
    if (Array.isArray(value)) return value.map(walk)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, walk(member)]))
  }
  return walk(data)
}

function size(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce((sum: number, member) => sum + size(member), 1)
}
