import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { boolean, defineSchema, json, type Schema, uuid } from '../batch/schema.ts'
import { clickEvent } from '../event/click-event.ts'
import { checkPredicate } from './check-expression.ts'
import { and, col, type Expression, eq, gt, isIn, isNull, lt, ne, not, or } from './expression.ts'
import { KnownColumns } from './known-columns.ts'

/** What is wrong with a predicate over a click event. */
function problemsOf(predicate: Expression, schema: Schema = clickEvent): string[] {
  return checkPredicate(predicate, new KnownColumns(schema.fields), 'where').map(({ message }) => message)
}

describe('filters', () => {
  test('compare values of one kind', () => {
    assert.deepEqual(problemsOf(eq(col('event_type'), 1)), [
      'column "event_type" (text) = 1 (number) cannot be compared',
    ])
    assert.deepEqual(problemsOf(lt('a', col('amount'))), ['"a" (text) < column "amount" (number) cannot be compared'])
    assert.deepEqual(problemsOf(isIn(col('country'), ['DE', true, 3])), [
      'column "country" (text) in true (boolean) cannot be compared',
    ])
    assert.deepEqual(problemsOf(eq(col('amount'), col('price'))), [])
  })

  test('take a time as ISO text or milliseconds, and nothing else', () => {
    for (const fine of [
      '2026-11-24T07:30:00Z',
      '2026-11-24 07:30:00.5+01:00',
      '2026-11-24T07:30:00',
      1_764_000_000_000,
    ]) {
      assert.deepEqual(problemsOf(gt(col('event_time'), fine)), [], String(fine))
    }
    for (const wrong of ['yesterday', '2026-02-30T00:00:00Z', '2026-11-24', -1, 1.5, 1e15, true, col('page_url')]) {
      assert.equal(problemsOf(gt(col('event_time'), wrong)).length, 1, JSON.stringify(wrong))
    }
  })

  test('ask for an order only where there is one', () => {
    const schema = defineSchema({ id: uuid(), bot: boolean(), more: json() })
    const of = (predicate: Expression) => problemsOf(predicate, schema)
    const id = '123e4567-e89b-12d3-a456-426614174000'
    assert.deepEqual(of(and(eq(col('id'), id), ne(col('bot'), true), col('bot'), not(isNull(col('more'))))), [])
    assert.deepEqual(of(lt(col('id'), id)), ['uuid values have no order, so "<" says nothing'])
    assert.deepEqual(of(gt(col('bot'), false)), ['boolean values have no order, so ">" says nothing'])
    assert.deepEqual(of(eq(col('id'), 'x')), ['column "id" (uuid) = "x" (text) cannot be compared'])
    assert.deepEqual(of(eq(col('more'), col('more'))), [
      'column "more" (json) = column "more" (json) cannot be compared',
    ])
  })

  test('are true or false', () => {
    assert.deepEqual(problemsOf(col('country')), ['a condition is true or false, this is a text value'])
    assert.deepEqual(problemsOf(or(not(col('amount')), eq(col('country'), 'DE'))), [
      'a condition is true or false, this is a number value',
    ])
  })

  test('compare columns, conditions and constants, numbers of any type', () => {
    const condition = eq(col('country'), 'DE')
    assert.deepEqual(problemsOf(eq(isNull(col('country')), true)), [])
    assert.deepEqual(problemsOf(isNull(condition)), [])
    assert.deepEqual(problemsOf(lt(condition, true)), ['boolean values have no order, so "<" says nothing'])
    assert.deepEqual(problemsOf(eq(1, 2)), ['1 = 2 compares two constants'])
    assert.deepEqual(problemsOf(isIn('DE', ['DE'])), ['isIn() of a constant'])
    assert.deepEqual(problemsOf(gt(col('amount'), col('quantity'))), [])
    assert.deepEqual(problemsOf(gt(col('duration_seconds'), col('quantity'))), [])
  })

  test('say something', () => {
    assert.deepEqual(problemsOf(and()), ['and() of nothing'])
    assert.deepEqual(problemsOf(isIn(col('country'), [])), ['isIn() with an empty list is never true'])
    assert.deepEqual(problemsOf(gt(col('amount'), Number.NaN)), ['NaN is no value of any column'])
  })

  test('nest to a limit, and deeper ones do not exhaust the stack', () => {
    let predicate: Expression = eq(col('country'), 'DE')
    for (let depth = 0; depth < 100_000; depth++) predicate = { kind: 'not', operand: predicate }
    assert.deepEqual(problemsOf(predicate), ['the expression nests deeper than 24 levels'])
  })
})
