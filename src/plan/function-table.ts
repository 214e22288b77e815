import type { FunctionName } from './expression.ts'

/** What an operand of a function has to be. The last four are constants, which the plan must spell out. */
export type Parameter =
  | 'text'
  | 'number'
  | 'time'
  | 'text or number'
  | 'text or whole number'
  | 'anything'
  | 'time zone'
  | 'time unit'
  | 'constant text'
  | PositionParameter

/** A constant whole number within limits. */
export interface PositionParameter {
  readonly min: number
  readonly max: number
}

/** What a function gives: a type, or a rule that finds it from the types of the operands. */
export type FunctionResult =
  | 'text'
  | 'integer'
  | 'double'
  | 'boolean'
  | 'time'
  | 'sum'
  | 'product'
  | 'negative'
  | 'common'
  | 'decimal'

/** What a function takes and gives, and how people read it. */
export interface FunctionSignature {
  readonly parameters: readonly Parameter[]
  /** Parameters from here on may be left out; all are needed when absent. */
  readonly optionalFrom?: number
  /** The last parameter may come any number of times. */
  readonly variadic?: boolean
  readonly result: FunctionResult
  /** Null may come out although no operand is null. */
  readonly mayFail?: boolean
  /** How it is written: a sign between two operands, or a name in front of them. */
  readonly text: { readonly infix: string } | { readonly name: string }
}

const POSITION: PositionParameter = { min: 1, max: 1_000_000 }
const text = (
  parameters: readonly Parameter[],
  name: string,
  more: Partial<FunctionSignature> = {},
): FunctionSignature => ({
  parameters,
  result: 'text',
  text: { name },
  ...more,
})
const datePart = (name: string): FunctionSignature => ({
  parameters: ['time', 'time zone'],
  optionalFrom: 1,
  result: 'integer',
  text: { name },
})
const test = (name: string): FunctionSignature => ({ parameters: ['text', 'text'], result: 'boolean', text: { name } })

/** Every function, by name. Adding one: a line here, its builder in `functions.ts`, its loop in `engine/expression`. */
export const FUNCTIONS: Readonly<Record<FunctionName, FunctionSignature>> = {
  add: { parameters: ['number', 'number'], result: 'sum', mayFail: true, text: { infix: '+' } },
  sub: { parameters: ['number', 'number'], result: 'sum', mayFail: true, text: { infix: '-' } },
  mul: { parameters: ['number', 'number'], result: 'product', mayFail: true, text: { infix: '*' } },
  div: { parameters: ['number', 'number'], result: 'double', mayFail: true, text: { infix: '/' } },
  mod: { parameters: ['number', 'number'], result: 'sum', mayFail: true, text: { infix: '%' } },
  neg: { parameters: ['number'], result: 'negative', text: { name: '-' } },
  lower: text(['text'], 'lower'),
  upper: text(['text'], 'upper'),
  trim: text(['text'], 'trim'),
  length: { parameters: ['text'], result: 'integer', text: { name: 'length' } },
  substr: text(['text', POSITION, { min: 0, max: POSITION.max }], 'substr', { optionalFrom: 2 }),
  concat: text(['text', 'text'], 'concat', { variadic: true }),
  startsWith: test('starts_with'),
  endsWith: test('ends_with'),
  contains: test('contains'),
  splitPart: text(['text', 'constant text', POSITION], 'split_part'),
  urlHost: text(['text'], 'url_host', { mayFail: true }),
  urlPath: text(['text'], 'url_path'),
  urlParam: text(['text', 'constant text'], 'url_param', { mayFail: true }),
  year: datePart('year'),
  month: datePart('month'),
  dayOfMonth: datePart('day_of_month'),
  dayOfWeek: datePart('day_of_week'),
  hour: datePart('hour'),
  minute: datePart('minute'),
  dateTrunc: {
    parameters: ['time unit', 'time', 'time zone'],
    optionalFrom: 2,
    result: 'time',
    text: { name: 'date_trunc' },
  },
  coalesce: { parameters: ['anything', 'anything'], variadic: true, result: 'common', text: { name: 'coalesce' } },
  toText: text(['anything'], 'to_text'),
  toNumber: { parameters: ['text or number'], result: 'double', mayFail: true, text: { name: 'to_number' } },
  toInteger: { parameters: ['text or number'], result: 'integer', mayFail: true, text: { name: 'to_integer' } },
  toDecimal: {
    parameters: ['text or number', { min: 0, max: 6 }],
    result: 'decimal',
    mayFail: true,
    text: { name: 'to_decimal' },
  },
  toTime: {
    parameters: ['text or whole number', 'time zone'],
    optionalFrom: 1,
    result: 'time',
    mayFail: true,
    text: { name: 'to_time' },
  },
  toMillis: { parameters: ['time'], result: 'integer', text: { name: 'to_millis' } },
}
