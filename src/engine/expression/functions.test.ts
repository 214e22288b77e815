import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fromBatches } from '../../../test/support/every-type-batches.ts'
import { everyType } from '../../../test/support/random-expressions.ts'
import { cellText, cellValue } from '../../batch/cell.ts'
import { col, type Expression, eq, gt, isIn, lit, lt } from '../../plan/expression.ts'
import { expressionText } from '../../plan/expression-text.ts'
import { expressionType } from '../../plan/expression-type.ts'
import {
  add,
  coalesce,
  concat,
  cond,
  dateTrunc,
  dayOfWeek,
  div,
  hourOf,
  length,
  mod,
  mul,
  neg,
  splitPart,
  sub,
  substr,
  toDecimal,
  toInteger,
  toNumber,
  toText,
  toTime,
  trim,
  upper,
  urlHost,
  urlParam,
  urlPath,
} from '../../plan/functions.ts'
import { compileExpression } from './compile.ts'

const ROW = {
  t: Date.parse('2026-11-24T07:30:59.250Z'),
  country: 'DE',
  page: 'https://user@Shop.example:8080/cart/a%20b?utm_source=mail&empty=&flag&utm_source=2#top?x=1',
  user: '  𝒳 ÿ  ',
  id: '-12.5e1',
  amount: 12.35,
  price: 0.0049,
  n: -7,
  big: 9_007_199_254_740_991,
  x: 0.125,
  flag: false,
  seen: null,
  u: '123e4567-e89b-12d3-a456-426614174000',
  more: { a: 1 },
}

/** The value of an expression for that row, for people; null is told as such. */
function valueText(node: Expression, row: Readonly<Record<string, unknown>> = ROW): string {
  const type = { ...expressionType(node, everyType.fields), name: 'value' }
  const evaluate = compileExpression(node, everyType.fields, 1)
  const [text = ''] = fromBatches([row], 1, (batch) => {
    const column = evaluate(batch)
    return [cellValue(column, type, 0) === null ? 'null' : cellText(column, type, 0)]
  })
  return text
}

describe('a function gives what its documentation says', () => {
  const cases: readonly (readonly [Expression, string])[] = [
    [add(col('amount'), 1), '13.35'],
    [add(col('amount'), col('price')), '12.3549'],
    [sub(col('n'), 0.5), '-7.5'],
    [add(col('big'), 1), 'null'],
    [mul(col('amount'), 0.19), '2.3465'],
    [mul(col('big'), -2), 'null'],
    [div(col('n'), 2), '-3.5'],
    [div(col('amount'), sub(col('n'), col('n'))), 'null'],
    [mod(col('n'), 4), '-3'],
    [mod(col('amount'), 0.5), '0.35'],
    [mod(col('n'), 0), 'null'],
    [neg(col('amount')), '-12.35'],
    [neg(sub(col('n'), col('n'))), '0'],
    [mul(col('x'), 1e308), '1.25e+307'],
    [mul(mul(col('x'), 1e308), 100), 'null'],
    [upper(col('user')), '  𝒳 Ÿ  '],
    [trim(col('user')), '𝒳 ÿ'],
    [length(col('user')), '7'],
    [substr(col('user'), 3, 1), '𝒳'],
    [substr(col('user'), 5), 'ÿ  '],
    [substr(col('country'), 9), ''],
    [concat(col('country'), '-', 'x'), 'DE-x'],
    [concat(col('country'), toText(col('seen'))), 'null'],
    [splitPart(col('page'), '/', 3), 'user@Shop.example:8080'],
    [splitPart(col('page'), '/', 9), ''],
    [urlHost(col('page')), 'shop.example'],
    [urlHost(col('country')), 'null'],
    [urlPath(col('page')), '/cart/a%20b'],
    [urlParam(col('page'), 'utm_source'), 'mail'],
    [urlParam(col('page'), 'empty'), ''],
    [urlParam(col('page'), 'flag'), ''],
    [urlParam(col('page'), 'x'), 'null'],
    [urlParam(concat('/a#b', col('page')), 'utm_source'), 'null'],
    [dayOfWeek(col('t')), '2'],
    [hourOf(col('t'), 'Asia/Kathmandu'), '13'],
    [dateTrunc('week', col('t')), '2026-11-23T00:00:00.000Z'],
    [dateTrunc('month', col('t'), 'Europe/Paris'), '2026-10-31T23:00:00.000Z'],
    [coalesce(col('seen'), '2026-01-01T00:00:00Z'), '2026-01-01T00:00:00.000Z'],
    [coalesce(col('seen'), col('t')), '2026-11-24T07:30:59.250Z'],
    [toText(col('amount')), '12.35'],
    [toText(col('t')), '2026-11-24T07:30:59.250Z'],
    [toText(col('u')), '123e4567-e89b-12d3-a456-426614174000'],
    [toText(col('more')), '{"a":1}'],
    [toText(col('flag')), 'false'],
    [toNumber(col('id')), '-125'],
    [toNumber(col('country')), 'null'],
    [toInteger(col('amount')), '12'],
    [toInteger(div(col('n'), 2)), '-3'],
    [toDecimal(col('id'), 2), '-125.00'],
    [toDecimal(col('price'), 3), '0.005'],
    [toDecimal(col('price'), 2), '0.00'],
    [toDecimal(neg(col('amount')), 1), '-12.4'],
    [toDecimal(col('x'), 2), '0.13'],
    [toDecimal(col('big'), 2), 'null'],
    [toTime(col('country')), 'null'],
    [toTime(concat('2026-03-29T02:30:00', substr(col('country'), 3)), 'Europe/Paris'), '2026-03-29T01:30:00.000Z'],
    [toTime(col('big')), 'null'],
    [cond([gt(col('amount'), 100), 'large'], [gt(col('amount'), 10), 'medium'], 'small'), 'medium'],
    [cond([eq(col('country'), 'FR'), 1]), 'null'],
    [cond([eq(col('country'), 'DE'), col('n')], col('amount')), '-7.00'],
    [lit('web'), 'web'],
    [isIn(col('amount'), [1e-9, 12.350000001]), 'false'],
    [isIn(col('amount'), [12.35]), 'true'],
  ]
  for (const [node, expected] of cases) {
    test(`${expressionText(node)} is ${expected}`, () => assert.equal(valueText(node), expected))
  }
})

test('only what stands behind a question mark is a parameter', () => {
  assert.equal(valueText(urlParam(col('page'), 'a'), { ...ROW, page: 'a=1&b=2' }), 'null')
})

test('a week ends on Sunday', () => {
  assert.equal(valueText(dayOfWeek(col('t')), { ...ROW, t: Date.parse('2026-11-29T23:59:59Z') }), '7')
  assert.equal(
    valueText(dateTrunc('week', col('t')), { ...ROW, t: Date.parse('2026-11-29T23:59:59Z') }),
    '2026-11-23T00:00:00.000Z',
  )
})

test('texts are in the order of their code points, as their UTF-8 bytes are', () => {
  const row = { ...ROW, page: '\uff5e', user: '𝒳' }
  assert.equal(valueText(lt(col('page'), col('user')), row), 'true')
  assert.equal(valueText(lt(col('user'), col('page')), row), 'false')
  assert.equal(valueText(lt(col('page'), 'z'), row), 'false')
})

describe('a URL is taken apart without being refused', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['/home?a=1', 'null', '/home'],
    ['', 'null', ''],
    ['?a=1', 'null', ''],
    ['//cdn.example/lib.js', 'cdn.example', '/lib.js'],
    ['http://EXAMPLE.com', 'example.com', '/'],
    ['http://example.com?x', 'example.com', '/'],
    ['http://[2001:DB8::1]:80/x', '[2001:db8::1]', '/x'],
    ['http://a@b@c.example/', 'c.example', '/'],
    ['http:///path', 'null', '/path'],
    ['mailto:someone@example.com', 'null', 'mailto:someone@example.com'],
    ['1http://example.com/x', 'null', '1http://example.com/x'],
    ['/redirect?to=http://other.example/', 'null', '/redirect'],
  ]
  for (const [url, host, path] of cases) {
    test(`"${url}" has the host ${host} and the path "${path}"`, () => {
      const row = { ...ROW, page: url }
      assert.equal(valueText(urlHost(col('page')), row), host)
      assert.equal(valueText(urlPath(col('page')), row), path)
    })
  }
})

test('a text that would be longer than a dictionary takes is cut, not refused', () => {
  const long = 'ß'.repeat(300_000)
  const text = valueText(concat(col('page'), col('page'), col('page'), col('page')), { ...ROW, page: long })
  assert.equal(text, 'ß'.repeat(524_287))
})
