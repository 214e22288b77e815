import type { TimeUnit } from '../batch/calendar.ts'
import type {
  Call,
  Case,
  CaseBranch,
  Expression,
  FunctionName,
  Operand,
  RowProperty,
  RowPropertyReference,
} from './expression.ts'
import { expression } from './expression.ts'

/*
 * The functions of expressions, for whoever writes a pipeline. A null operand gives null, unless it says otherwise.
 */

/** Sum of two numbers: whole, exact decimal of the finer scale, or double; null beyond 2^53 units. */
export function add(left: Operand, right: Operand): Call {
  return call('add', left, right)
}

/** Difference of two numbers; types as in `add`. */
export function sub(left: Operand, right: Operand): Call {
  return call('sub', left, right)
}

/** Product of two numbers: whole, exact decimal with the digits of both, or double; null beyond 2^53 units. */
export function mul(left: Operand, right: Operand): Call {
  return call('mul', left, right)
}

/** Quotient of two numbers as a double; null when the divisor is 0. */
export function div(left: Operand, right: Operand): Call {
  return call('div', left, right)
}

/** What a division leaves, with the sign of the dividend; null when the divisor is 0. */
export function mod(left: Operand, right: Operand): Call {
  return call('mod', left, right)
}

/** The number with its sign changed. */
export function neg(operand: Operand): Call {
  return call('neg', operand)
}

/** The text in lower case, by Unicode's rules for any language. */
export function lower(text: Operand): Call {
  return call('lower', text)
}

/** The text in upper case, by Unicode's rules for any language. */
export function upper(text: Operand): Call {
  return call('upper', text)
}

/** The text without spaces at its ends. */
export function trim(text: Operand): Call {
  return call('trim', text)
}

/** Number of characters (code points). */
export function length(text: Operand): Call {
  return call('length', text)
}

/** The characters from `start` on (the first is 1), `count` of them at most. */
export function substr(text: Operand, start: number, count?: number): Call {
  return count === undefined ? call('substr', text, start) : call('substr', text, start, count)
}

/** The texts one behind the other; null when one of them is. */
export function concat(...texts: readonly Operand[]): Call {
  return call('concat', ...texts)
}

/** Whether the text begins with another one. */
export function startsWith(text: Operand, beginning: Operand): Call {
  return call('startsWith', text, beginning)
}

/** Whether the text ends with another one. */
export function endsWith(text: Operand, ending: Operand): Call {
  return call('endsWith', text, ending)
}

/** Whether the text holds another one. */
export function contains(text: Operand, part: Operand): Call {
  return call('contains', text, part)
}

/** The `n`-th part (the first is 1) of a text between delimiters; empty when there are fewer. */
export function splitPart(text: Operand, delimiter: string, n: number): Call {
  return call('splitPart', text, delimiter, n)
}

/** Host of a URL, in lower case, without port and user; null when it has none, such as `/home`. */
export function urlHost(url: Operand): Call {
  return call('urlHost', url)
}

/** Path of a URL as it is written, without query and fragment; `/` when a host stands alone. */
export function urlPath(url: Operand): Call {
  return call('urlPath', url)
}

/** Value of a parameter in a URL's query, as it is written (`%20` stays); the first one counts, null when there is none. */
export function urlParam(url: Operand, name: string): Call {
  return call('urlParam', url, name)
}

/** Year in a time zone (IANA name, UTC by default). */
export function yearOf(time: Operand, timeZone?: string): Call {
  return inZone('year', time, timeZone)
}

/** Month, 1 to 12, in a time zone. */
export function monthOf(time: Operand, timeZone?: string): Call {
  return inZone('month', time, timeZone)
}

/** Day of the month, 1 to 31, in a time zone. */
export function dayOfMonth(time: Operand, timeZone?: string): Call {
  return inZone('dayOfMonth', time, timeZone)
}

/** Day of the week, 1 (Monday) to 7 (Sunday), in a time zone. */
export function dayOfWeek(time: Operand, timeZone?: string): Call {
  return inZone('dayOfWeek', time, timeZone)
}

/** Hour, 0 to 23, in a time zone. */
export function hourOf(time: Operand, timeZone?: string): Call {
  return inZone('hour', time, timeZone)
}

/** Minute, 0 to 59, in a time zone. */
export function minuteOf(time: Operand, timeZone?: string): Call {
  return inZone('minute', time, timeZone)
}

/** The time at which the minute, hour, day, week (from Monday), month or year began in a time zone. */
export function dateTrunc(unit: TimeUnit, time: Operand, timeZone?: string): Call {
  return timeZone === undefined ? call('dateTrunc', unit, time) : call('dateTrunc', unit, time, timeZone)
}

/** The first operand that is not null. */
export function coalesce(...operands: readonly Operand[]): Call {
  return call('coalesce', ...operands)
}

/** As text: decimals with all their digits, times as ISO-8601 in UTC with milliseconds, UUIDs in lower case. Takes no doubles. */
export function toText(operand: Operand): Call {
  return call('toText', operand)
}

/** As a double; null for a text that is no number. */
export function toNumber(operand: Operand): Call {
  return call('toNumber', operand)
}

/** As a whole number, digits behind the point cut off; null for a text that is no number, and beyond 2^53. */
export function toInteger(operand: Operand): Call {
  return call('toInteger', operand)
}

/** As a decimal with `scale` digits behind the point (0 to 6), rounded half up; null for a text that is no number. */
export function toDecimal(operand: Operand, scale: number): Call {
  return call('toDecimal', operand, scale)
}

/** Text of ISO-8601, or ms since 1970, as a time; null when it is none, or before 1970. `timeZone` is for texts without an offset. */
export function toTime(operand: Operand, timeZone?: string): Call {
  return inZone('toTime', operand, timeZone)
}

/** Ms since 1970. */
export function toMillis(time: Operand): Call {
  return call('toMillis', time)
}

/**
 * The value of the first condition that is true: `cond([lt(col('amount'), 10), 'small'], [lt(col('amount'), 100), 'medium'], 'large')`.
 * The last operand, which may be left out, is for rows for which none is; without it they get null.
 */
export function cond(
  ...operands: readonly [
    ...branches: (readonly [Expression, Operand])[],
    otherwise: Operand | readonly [Expression, Operand],
  ]
): Case {
  const branches: CaseBranch[] = []
  let otherwise: Expression | undefined
  for (const operand of operands) {
    if (isBranch(operand)) branches.push(Object.freeze({ when: operand[0], value: expression(operand[1]) }))
    else otherwise = expression(operand)
  }
  return Object.freeze({
    kind: 'case',
    branches: Object.freeze(branches),
    ...(otherwise === undefined ? {} : { otherwise }),
  })
}

function isBranch(operand: Operand | readonly [Expression, Operand]): operand is readonly [Expression, Operand] {
  return Array.isArray(operand)
}

/** Something that is known of a row besides its columns, for `select`: whether it is late, when and where it was read. */
export function rowProperty(property: RowProperty): RowPropertyReference {
  return Object.freeze({ kind: 'row', property })
}

function call(name: FunctionName, ...operands: readonly Operand[]): Call {
  return Object.freeze({ kind: 'call', name, operands: Object.freeze(operands.map(expression)) })
}

function inZone(name: FunctionName, operand: Operand, timeZone: string | undefined): Call {
  return timeZone === undefined ? call(name, operand) : call(name, operand, timeZone)
}
