import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { everyType } from '../../test/support/random-expressions.ts'
import { checkColumn } from './check-expression.ts'
import { col, type Expression, eq, gt, isNull, lit } from './expression.ts'
import { expressionText } from './expression-text.ts'
import {
  coalesce,
  concat,
  cond,
  dateTrunc,
  div,
  length,
  lower,
  mod,
  mul,
  neg,
  add as plus,
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
  urlHost,
  yearOf,
} from './functions.ts'
import { KnownColumns } from './known-columns.ts'

/** The type of an expression, such as `decimal(2) required`, or what is wrong with it. */
function typed(node: Expression): string {
  const { type, problems } = checkColumn(node, new KnownColumns(everyType.fields), 'x', false)
  if (problems.length > 0) return problems.map(({ message }) => message).join('; ')
  assert.ok(type)
  return `${type.type}${type.scale === undefined ? '' : `(${type.scale})`}${type.required ? ' required' : ''}`
}

describe('the type of an expression follows from its parts', () => {
  const cases: readonly (readonly [Expression, string])[] = [
    [col('price'), 'decimal(4) required'],
    [lit(12.5), 'decimal(1) required'],
    [lit(1e-9), 'float64 required'],
    [plus(col('n'), 1), 'int64'],
    [plus(col('amount'), col('price')), 'decimal(4)'],
    [sub(col('amount'), 0.125), 'decimal(3)'],
    [mod(col('n'), col('x')), 'float64'],
    [mul(col('amount'), col('price')), 'decimal(6)'],
    [mul(col('price'), 0.125), 'a product with 7 digits after the point'],
    [mul(toDecimal(col('price'), 2), 0.125), 'decimal(5)'],
    [div(col('price'), 2), 'float64'],
    [neg(col('price')), 'decimal(4) required'],
    [lower(col('page')), 'string required'],
    [urlHost(col('page')), 'string'],
    [length(col('country')), 'int64'],
    [startsWith(col('page'), '/'), 'boolean required'],
    [yearOf(col('t'), 'Europe/Paris'), 'int64 required'],
    [dateTrunc('week', col('seen')), 'timestamp'],
    [toNumber(col('price')), 'float64 required'],
    [toNumber(col('page')), 'float64'],
    [toInteger(col('page')), 'int64'],
    [toTime(col('big')), 'timestamp'],
    [toMillis(col('t')), 'int64 required'],
    [toText(col('u')), 'string'],
    [isNull(col('more')), 'boolean required'],
    [coalesce(col('country'), 'none'), 'string required'],
    [coalesce(col('country'), col('user')), 'string'],
    [coalesce(col('amount'), 0), 'decimal(2) required'],
    [coalesce(col('amount'), 9_007_199_254_740_991), 'decimal(2)'],
    [coalesce(col('seen'), '2026-11-24T07:30:00Z'), 'timestamp required'],
    [cond([col('flag'), 1], 0.5), 'decimal(1) required'],
    [cond([col('flag'), 1]), 'int64'],
    [cond([col('flag'), col('x')], 0), 'float64'],
    [eq(isNull(col('n')), col('flag')), 'boolean'],
  ]
  for (const [node, type] of cases) test(`${expressionText(node)} is ${type}`, () => assert.equal(typed(node), type))
})

describe('what a function cannot take is said with what it could', () => {
  const hintOf = (node: Expression): string[] =>
    checkColumn(node, new KnownColumns(everyType.fields), 'x', false).problems.map(
      ({ message, hint }) => `${message} (${hint})`,
    )
  const cases: readonly (readonly [Expression, string])[] = [
    [lower('page'), "lower() of constants is the same for every row (name a column: lower(col('...')))"],
    [lower(col('n')), 'lower() of column "n" (number) (it takes text; toText() makes text of other values)'],
    [concat(col('page')), 'concat() of 1 operands (it takes 2 or more)'],
    [
      plus(col('t'), 1),
      'add() of column "t" (time) (it takes numbers; toNumber(), toDecimal() and toInteger() make numbers of text)',
    ],
    [
      yearOf(col('page')),
      'year() of column "page" (text) (it takes a time; toTime() makes a time of text or of milliseconds since 1970)',
    ],
    [
      yearOf(col('t'), 'Europe/Pari'),
      'year() of "Europe/Pari" (text) (use an IANA name such as "Europe/Paris" or "UTC")',
    ],
    [dateTrunc('weak' as 'week', col('t')), 'dateTrunc() of "weak" (text) (did you mean "week"?)'],
    [substr(col('page'), 0), 'substr() of 0 (number) (it takes a constant whole number from 1 to 1000000)'],
    [splitPart(col('page'), '', 1), 'splitPart() of "" (text) (it takes a constant text that is not empty)'],
    [toTime(col('x')), 'toTime() of column "x" (number) (it takes text or a whole number)'],
    [toText(col('x')), 'toText() of column "x" (double) (say how many digits: toText(toDecimal(x, 2)))'],
    [toDecimal(col('x'), 7), 'toDecimal() of 7 (number) (it takes a constant whole number from 0 to 6)'],
    [
      coalesce(col('page'), 1),
      'coalesce() of text and number (give it texts, numbers, times or conditions, all of one kind)',
    ],
    [coalesce(col('u'), col('u')), 'coalesce() of uuid (give it texts, numbers, times or conditions, all of one kind)'],
    [cond([col('flag'), 'x'], 1), 'the values of cond() are text and number (give it values of one kind)'],
    [
      cond([col('page'), 'x']),
      'a condition is true or false, this is a text value (compare it: eq, lt, isIn, isNull, ...)',
    ],
    [gt(lower(col('page')), 1), '"lower(page)" (text) > 1 (number) cannot be compared (compare values of one kind)'],
    [{ kind: 'call', name: 'toMillis', operands: [] }, 'toMillis() of 0 operands (it takes 1)'],
  ]
  for (const [node, expected] of cases) {
    test(expressionText(node), () => assert.deepEqual(hintOf(node), [expected.replace('"lower(page)"', 'lower(page)')]))
  }
})

test('an expression has 2000 parts at most', () => {
  const wide = concat(...Array.from({ length: 1999 }, () => col('page')))
  assert.equal(typed(wide), 'string required')
  assert.match(typed(concat(wide, col('page'))), /^the expression has more than 2000 parts/)
})
