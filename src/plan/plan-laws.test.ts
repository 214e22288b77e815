import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MillraceError } from '../base/error.ts'
import { type ClickEventFields, clickEvent, clickEventRules } from '../event/click-event.ts'
import { type AggregateSpec, approxCountDistinct, avg, count, countDistinct, max, min, sum } from './aggregate.ts'
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
import { and, col, type Expression, eq, gt, isIn, isNull, le, not, or } from './expression.ts'
import type { PipelinePlan, QueryNode } from './node.ts'
import { pipeline } from './pipeline.ts'
import { planFromJson, planToJson, queryIdentity } from './plan-codec.ts'
import { queryChain } from './query-chain.ts'
import { resultFields } from './result-schema.ts'
import { stream } from './stream.ts'
import { tumbling } from './window.ts'

/*
 * Random plans that can run, made with the builder, and the same with something replaced by a random value.
 */

const texts = fc.constantFrom('page_url', 'country', 'device', 'user_id')
const numbers = fc.constantFrom('amount', 'quantity', 'duration_seconds')

const predicate: fc.Arbitrary<Expression> = fc.letrec<{ node: Expression }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'predicate' },
    fc.tuple(texts, fc.string()).map(([column, text]) => eq(col(column), text)),
    fc
      .tuple(numbers, fc.oneof(fc.constant(-0), fc.double({ noNaN: true, noDefaultInfinity: true })))
      .map(([column, n]) => gt(col(column), n)),
    texts.map((column) => isNull(col(column))),
    fc.tuple(texts, fc.array(fc.string(), { minLength: 1 })).map(([column, list]) => isIn(col(column), list)),
    fc.constant(le('2026-11-24T07:30:00Z', col('event_time'))),
    fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map((operands) => and(...operands)),
    fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map((operands) => or(...operands)),
    tie('node').map(not),
  ),
})).node

const aggregate: fc.Arbitrary<AggregateSpec<keyof ClickEventFields>> = fc
  .tuple(
    fc.oneof(
      fc.constant(count()),
      numbers.map(sum),
      numbers.map(avg),
      fc.oneof(texts, numbers).map(min),
      fc.oneof(texts, numbers).map(max),
      texts.map(countDistinct),
      fc.tuple(texts, fc.double({ min: 0.005, max: 0.39, noNaN: true })).map(([c, rsd]) => approxCountDistinct(c, rsd)),
    ),
    fc.option(predicate),
  )
  .map(([spec, where]) => (where === null ? spec : spec.where(where)))

const sinks: fc.Arbitrary<readonly SinkSpec[]> = fc.subarray([
  parquet('out/parquet', { partitionBy: day('window_start').as('dt'), compression: 'gzip' }),
  csv('out/csv', { partitionBy: hour('window_end'), recordsPerFileMax: 1000 }),
  jsonLines('out/json', { partitionBy: value('country'), name: 'lines' }),
  consoleSink({ mode: 'update', rowsMax: 5 }),
  memorySink({ mode: 'complete' }),
])

const plan: fc.Arbitrary<PipelinePlan> = fc
  .record({
    before: fc.array(predicate, { maxLength: 2 }),
    after: fc.array(predicate, { maxLength: 2 }),
    delay: fc.integer({ min: 0, max: 1e9 }),
    keys: fc.subarray(['device', 'page_url', 'amount'] as const),
    size: fc.integer({ min: 1, max: 1e9 }),
    aggregates: fc.dictionary(fc.stringMatching(/^[a-m][a-z0-9_]{0,9}x$/), aggregate, { minKeys: 1, maxKeys: 4 }),
    sinks,
  })
  .map(({ before, after, delay, keys, size, aggregates, sinks }) => {
    let rows = stream(logSource('events'), clickEvent, { rules: clickEventRules })
    for (const one of before) rows = rows.where(one)
    rows = rows.withWatermark('event_time', `${delay}ms`)
    for (const one of after) rows = rows.where(one)
    const query = rows.groupBy('country', ...keys)
    return pipeline('p').query('q', query.window(tumbling(`${size}ms`)).aggregate(aggregates), sinks)
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
        const chain = queryChain(query.root)
        const names = resultFields(query).map(({ name }) => name)
        assert.equal(new Set(names).size, names.length)
        assert.equal(names.length, 2 + (chain.aggregate?.keys.length ?? 0) + (chain.aggregate?.aggregates.length ?? 0))
        assert.ok(queryIdentity(query).includes(JSON.stringify(chain.aggregate?.aggregates[0]?.name)))
      }
      assert.ok(explainPlan(original).endsWith('\n'))
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
    fc.constantFrom(Number.NaN, -1, 1.5, 1e300, '', '__proto__', 'event_time', 'amount', undefined),
    fc.constantFrom<unknown>({ kind: 'column', name: 'user_id' }, { kind: 'literal', value: 1 }),
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
    { numRuns: 2000 },
  )
})

test('steps in any order are told apart without an exception', () => {
  const predicateOf = eq(col('country'), 'DE')
  const wraps: ((input: QueryNode) => QueryNode)[] = [
    (input) => ({ kind: 'filter', input, predicate: predicateOf }),
    (input) => ({
      kind: 'watermark',
      input,
      column: 'event_time',
      delayMs: 0,
      policy: 'global-max',
      idleTimeoutMs: 1,
      clockSkewMaxMs: null,
      ageMaxMs: null,
    }),
    (input) => ({
      kind: 'aggregate',
      input,
      window: tumbling('1m'),
      keys: [],
      aggregates: [{ name: 'n', spec: { kind: 'count' } }],
    }),
  ]
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 2 }), { maxLength: 6 }), (steps) => {
      let root: QueryNode = { kind: 'source', source: logSource('t'), schema: clickEvent, rules: [] }
      for (const step of steps) root = wraps[step]?.(root) ?? root
      const right =
        steps.at(-1) === 2 && steps.filter((s) => s === 1).length === 1 && steps.filter((s) => s === 2).length === 1
      const problems = checkPlan({ millracePlan: 1, name: 'p', queries: [{ name: 'q', root, sinks: [] }] })
      assert.equal(problems.length === 0, right, JSON.stringify(problems))
    }),
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
