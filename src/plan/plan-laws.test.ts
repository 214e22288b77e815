import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { everyType, randomExpression } from '../../test/support/random-expressions.ts'
import { randomPlan } from '../../test/support/random-plans.ts'
import { MillraceError } from '../base/error.ts'
import { checkPlan } from './check.ts'
import { logSource } from './connectors.ts'
import { explainPlan } from './explain.ts'
import { col, eq } from './expression.ts'
import { expressionText } from './expression-text.ts'
import type { QueryNode } from './node.ts'
import { planFromJson, planToJson, queryIdentity } from './plan-codec.ts'
import { eventWithin, predictNode } from './predict.ts'
import { queryChain } from './query-chain.ts'
import { keyColumns, resultFields } from './result-schema.ts'
import { columnNames } from './row-fields.ts'
import { usedColumns } from './used-columns.ts'
import { tumbling } from './window.ts'

/*
 * Random plans that can run, made with the builder, and the same with something replaced by a random value.
 */

test('a random plan has no problems, and comes back from JSON as it was', () => {
  fc.assert(
    fc.property(randomPlan, (original) => {
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
    fc.property(randomPlan, (original) => {
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
        const columns = new Set<string>()
        for (let node = query.root; ; node = node.input) {
          for (const name of columnNames(node)) columns.add(name)
          if (node.kind === 'source') break
        }
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
    fc.property(randomPlan, fc.nat(), strange, (original, at, replacement) => {
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
    p: (input) => predictNode(input, { label: eventWithin(predicate, '1m'), by: 'user', features: ['country'] }),
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
  const right = /^f*(e|w(?=[^d]*d?[^d]*$)[fd]*(a|e|(sf*)?(pf*)?e))$/
  fc.assert(
    fc.property(fc.oneof(steps, fc.stringMatching(/^f?w?d?f?s?p?f?[ae]$/)), (letters) => {
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
