import fc from 'fast-check'
import { TIME_UNITS } from '../../src/batch/calendar.ts'
import {
  boolean,
  decimal,
  defineSchema,
  type Field,
  float64,
  int32,
  int64,
  json,
  type Schema,
  text,
  timestamp,
  uuid,
} from '../../src/batch/schema.ts'
import {
  and,
  col,
  type Expression,
  eq,
  ge,
  gt,
  isIn,
  isNull,
  le,
  lit,
  lt,
  ne,
  not,
  or,
} from '../../src/plan/expression.ts'
import { typeExpression } from '../../src/plan/expression-type.ts'
import {
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
} from '../../src/plan/functions.ts'

/** A schema with a column of every type, and of every way in which texts are kept. */
export const everyType: Schema = defineSchema({
  t: timestamp({ format: 'epoch-ms', required: true }),
  country: text(),
  page: text({ required: true }),
  user: text({ cardinality: 'high' }),
  id: text({ cardinality: 'unique' }),
  amount: decimal(2),
  price: decimal(4, { required: true }),
  n: int32(),
  big: int64(),
  x: float64(),
  flag: boolean(),
  seen: timestamp({ format: 'epoch-ms' }),
  u: uuid(),
  more: json(),
})

/** Values of a row of that schema, as JSON has them. */
export type EveryTypeRow = Readonly<Record<string, unknown>>

const TEXTS = [
  '',
  ' ',
  'DE',
  'de',
  '/home',
  'https://Shop.example:8080/cart?a=1&utm_source=mail#x',
  '12.5',
  ' 7',
  '2026-11-24T07:30:00Z',
  'ß',
  '𝒳y',
  'é/ü',
  'true',
]
const UUIDS = ['123e4567-e89b-12d3-a456-426614174000', '00000000-0000-0000-0000-00000000000a']

/** Times around changes of the clocks, month ends and 1970. */
const times = fc.oneof(
  fc.integer({ min: 0, max: 4_102_444_800_000 }),
  fc.constantFrom(0, Date.UTC(2026, 2, 29, 1), Date.UTC(2026, 9, 25, 0, 59, 59, 999), Date.UTC(2028, 1, 29, 23, 30)),
)
const texts = fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: 'grapheme', maxLength: 6 }))
/** Rows in which every value but the required ones may be null. */
export const everyTypeRow: fc.Arbitrary<EveryTypeRow> = fc.record({
  t: times,
  country: fc.option(fc.constantFrom(...TEXTS)),
  page: texts,
  user: fc.option(texts),
  id: fc.option(texts),
  amount: fc.option(fc.integer({ min: -10_000_000, max: 10_000_000 }).map((units) => units / 100)),
  price: fc.integer({ min: -10_000_000, max: 10_000_000 }).map((units) => units / 10_000),
  n: fc.option(fc.oneof(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))),
  big: fc.option(fc.oneof(fc.integer({ min: -5, max: 5 }), fc.maxSafeInteger())),
  x: fc.option(fc.oneof(fc.constantFrom(0, 0.5, -1.25), fc.double({ noNaN: true, noDefaultInfinity: true }))),
  flag: fc.option(fc.boolean()),
  seen: fc.option(times),
  u: fc.option(fc.constantFrom(...UUIDS)),
  more: fc.option(fc.constantFrom('a', 1, true)),
})

const ZONES = ['UTC', 'Europe/Paris', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia']

type ByKind = {
  text: Expression
  number: Expression
  time: Expression
  truth: Expression
}

const depth = { maxDepth: 4, depthIdentifier: 'expression' }
const zone = fc.option(fc.constantFrom(...ZONES), { nil: undefined })

type Tie = fc.LetrecTypedTie<ByKind>

const pair = (tie: Tie, kind: keyof ByKind): fc.Arbitrary<[Expression, Expression]> => fc.tuple(tie(kind), tie(kind))

/** A choice between expressions of a kind. */
const branches = (tie: Tie, kind: keyof ByKind): fc.Arbitrary<Expression> =>
  fc
    .tuple(fc.array(fc.tuple(tie('truth'), tie(kind)), { minLength: 1, maxLength: 2 }), fc.option(tie(kind)))
    .map(([pairs, otherwise]) => {
      const [first, ...others] = pairs
      return otherwise === null ? cond(...others, first as [Expression, Expression]) : cond(...pairs, otherwise)
    })

const first = (tie: Tie, kind: keyof ByKind): fc.Arbitrary<Expression> =>
  fc.array(tie(kind), { minLength: 2, maxLength: 3 }).map((operands) => coalesce(...operands))

function textsOf(tie: Tie): fc.Arbitrary<Expression> {
  return fc.oneof(
    depth,
    fc.constantFrom('country', 'page', 'user', 'id').map(col),
    fc.constantFrom('country', 'page').map(col),
    fc.constantFrom(...TEXTS).map(lit),
    fc.tuple(fc.constantFrom(lower, upper, trim, urlHost, urlPath), tie('text')).map(([make, one]) => make(one)),
    fc
      .tuple(tie('text'), fc.nat(4), fc.option(fc.nat(4)))
      .map(([one, start, count]) => (count === null ? substr(one, start + 1) : substr(one, start + 1, count))),
    pair(tie, 'text').map(([one, other]) => concat(one, other, '-')),
    fc
      .tuple(tie('text'), fc.constantFrom('/', '-', 'ab'), fc.integer({ min: 1, max: 4 }))
      .map(([one, delimiter, n]) => splitPart(one, delimiter, n)),
    tie('text').map((one) => urlParam(one, 'a')),
    fc.oneof(tie('number'), tie('time'), tie('truth'), fc.constantFrom('u', 'more').map(col)).map(toText),
    branches(tie, 'text'),
    first(tie, 'text'),
  )
}

function numbersOf(tie: Tie): fc.Arbitrary<Expression> {
  return fc.oneof(
    depth,
    fc.constantFrom('amount', 'price', 'n', 'big', 'x').map(col),
    fc.constantFrom(0, 1, -3, 0.5, 1.25, 1e-9, 1e300, 9_007_199_254_740_991).map(lit),
    fc
      .tuple(fc.constantFrom(add, sub, mul, div, mod), pair(tie, 'number'))
      .map(([make, [one, other]]) => make(one, other)),
    tie('number').map(neg),
    tie('text').map(length),
    fc
      .tuple(fc.constantFrom(yearOf, monthOf, dayOfMonth, dayOfWeek, hourOf, minuteOf), tie('time'), zone)
      .map(([make, one, name]) => make(one, name)),
    fc
      .tuple(fc.constantFrom(toNumber, toInteger), fc.oneof(tie('text'), tie('number')))
      .map(([make, one]) => make(one)),
    fc.tuple(fc.oneof(tie('text'), tie('number')), fc.nat(6)).map(([one, scale]) => toDecimal(one, scale)),
    tie('time').map(toMillis),
    branches(tie, 'number'),
    first(tie, 'number'),
  )
}

function momentsOf(tie: Tie): fc.Arbitrary<Expression> {
  return fc.oneof(
    depth,
    fc.constantFrom('t', 'seen').map(col),
    fc.tuple(fc.constantFrom(...TIME_UNITS), tie('time'), zone).map(([unit, one, name]) => dateTrunc(unit, one, name)),
    fc.tuple(fc.oneof(tie('text'), fc.constantFrom('n', 'big').map(col)), zone).map(([one, name]) => toTime(one, name)),
    branches(tie, 'time'),
    first(tie, 'time'),
  )
}

function truthsOf(tie: Tie): fc.Arbitrary<Expression> {
  return fc.oneof(
    depth,
    fc.constant(col('flag')),
    fc
      .tuple(
        fc.constantFrom(eq, ne, lt, le, gt, ge),
        fc.oneof(pair(tie, 'text'), pair(tie, 'number'), pair(tie, 'time')),
      )
      .map(([make, [one, other]]) => make(one, other)),
    fc.tuple(fc.constantFrom(eq, ne), tie('truth'), tie('truth')).map(([make, one, other]) => make(one, other)),
    fc
      .tuple(fc.constantFrom(eq, ne), fc.constantFrom(...UUIDS))
      .map(([make, one]) => make(col('u'), one.toUpperCase())),
    fc.tuple(fc.constantFrom(gt, le), tie('time')).map(([make, one]) => make(one, '2026-11-24T07:30:00+01:00')),
    fc
      .tuple(tie('text'), fc.array(fc.constantFrom(...TEXTS), { minLength: 1, maxLength: 3 }))
      .map(([one, list]) => isIn(one, list)),
    fc
      .tuple(tie('number'), fc.array(fc.constantFrom(0, 1, 0.5, -3, 1e-9, 1e300), { minLength: 1, maxLength: 3 }))
      .map(([one, list]) => isIn(one, list)),
    fc.constantFrom(isIn(col('flag'), [true]), isIn(col('u'), UUIDS), isIn(col('t'), [0, '2028-02-29T23:30:00Z'])),
    fc.oneof(tie('text'), tie('number'), tie('time'), tie('truth'), fc.constantFrom('u', 'more').map(col)).map(isNull),
    fc
      .tuple(fc.constantFrom(startsWith, endsWith, contains), pair(tie, 'text'))
      .map(([make, [one, other]]) => make(one, other)),
    fc.array(tie('truth'), { minLength: 1, maxLength: 3 }).map((operands) => and(...operands)),
    fc.array(tie('truth'), { minLength: 1, maxLength: 3 }).map((operands) => or(...operands)),
    tie('truth').map(not),
    branches(tie, 'truth'),
    first(tie, 'truth'),
  )
}

const {
  text: textOf,
  number: numberOf,
  time: timeOf,
  truth: truthOf,
} = fc.letrec<ByKind>((tie) => ({
  text: textsOf(tie),
  number: numbersOf(tie),
  time: momentsOf(tie),
  truth: truthsOf(tie),
}))

/** Whether an expression over these fields passes its checks. */
export function wellTyped(node: Expression, fields: readonly Field[] = everyType.fields): boolean {
  let fine = true
  const report = (): void => {
    fine = false
  }
  return typeExpression(node, { fields, untold: new Set(), rowProperties: false, report }) !== undefined && fine
}

/** Conditions over `everyType` that pass their checks. */
export const randomCondition: fc.Arbitrary<Expression> = truthOf.filter((node) => wellTyped(node))

/** Expressions of any type over `everyType` that pass their checks. */
export const randomExpression: fc.Arbitrary<Expression> = fc
  .oneof(textOf, numberOf, timeOf, truthOf)
  .filter((node) => wellTyped(node))
