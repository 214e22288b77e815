import { formatTime } from '../../src/base/time.ts'
import { TIME_END_MS, TIME_MIN_MS } from '../../src/batch/iso-timestamp.ts'
import type { Field } from '../../src/batch/schema.ts'
import type { Call, Comparison, Expression, LiteralValue } from '../../src/plan/expression.ts'
import { expressionType } from '../../src/plan/expression-type.ts'
import { numericType, type ValueType } from '../../src/plan/value-type.ts'

/*
 * What an expression gives for one row, by the words of its documentation: numbers with big integers, dates by Intl, URLs by
 * the regular expression of RFC 3986. Shares nothing with the engine but the types.
 */

/** A value that is not null. Whole numbers and decimals are exact. */
type Value = string | boolean | number | Exact | Time
interface Exact {
  readonly units: bigint
  readonly scale: number
}
interface Time {
  readonly ms: number
}

/** The value of an expression as rows have it: decimals as the nearest double, times in ms. */
export function naiveValue(
  node: Expression,
  row: Readonly<Record<string, unknown>>,
  fields: readonly Field[],
): string | number | boolean | null {
  const type = expressionType(node, fields)
  const value = new Naive(row, fields).of(node)
  const converted = value === null ? null : cast(value, type)
  if (typeof converted !== 'object' || converted === null) return converted
  return 'ms' in converted ? converted.ms : toDouble(converted)
}

const SAFE = BigInt(Number.MAX_SAFE_INTEGER)

class Naive {
  readonly #row: Readonly<Record<string, unknown>>
  readonly #fields: readonly Field[]

  constructor(row: Readonly<Record<string, unknown>>, fields: readonly Field[]) {
    this.#row = row
    this.#fields = fields
  }

  of(node: Expression): Value | null {
    switch (node.kind) {
      case 'column':
        return this.#column(node.name)
      case 'literal':
        return literal(node.value, expressionType(node, this.#fields))
      case 'compare':
        return this.#compare(node)
      case 'and':
      case 'or': {
        const decisive = node.kind === 'or'
        const truths = node.operands.map((operand) => this.of(operand))
        if (truths.includes(decisive)) return decisive
        return truths.includes(null) ? null : !decisive
      }
      case 'not': {
        const truth = this.of(node.operand)
        return truth === null ? null : !truth
      }
      case 'is-null':
        return this.of(node.operand) === null
      case 'in': {
        const truths = node.values.map((value) =>
          this.of({ kind: 'compare', operator: 'eq', left: node.operand, right: { kind: 'literal', value } }),
        )
        return truths.includes(null) ? null : truths.includes(true)
      }
      case 'call':
        return this.#call(node)
      case 'case': {
        const branch = node.branches.find(({ when }) => this.of(when) === true)
        const value = branch ? branch.value : node.otherwise
        return value ? this.#castTo(value, expressionType(node, this.#fields)) : null
      }
      case 'row':
        return null
    }
  }

  #castTo(node: Expression, type: ValueType): Value | null {
    const value = this.of(node)
    return value === null ? null : cast(value, type)
  }

  #column(name: string): Value | null {
    const { type, scale = 0 } = this.#fields.find((field) => field.name === name) as Field
    const value = this.#row[name] as LiteralValue | null
    if (value === null) return null
    if (type === 'json') return JSON.stringify(value)
    if (typeof value !== 'number' || type === 'float64') return value === 0 ? 0 : value
    if (type === 'timestamp') return { ms: value }
    return { units: BigInt(Math.round(value * 10 ** scale)), scale }
  }

  #compare({ operator, left, right }: Comparison): boolean | null {
    const [leftType, rightType] = [expressionType(left, this.#fields), expressionType(right, this.#fields)]
    const special = [leftType, rightType].find(({ type }) => type === 'timestamp' || type === 'uuid')
    const [one, other] = [left, right].map((node) => (special ? this.#castTo(node, special) : this.of(node)))
    if (one === null || other === null || one === undefined || other === undefined) return null
    const order = orderOf(one, other)
    return { eq: order === 0, ne: order !== 0, lt: order < 0, le: order <= 0, gt: order > 0, ge: order >= 0 }[operator]
  }

  #call(node: Call): Value | null {
    const type = expressionType(node, this.#fields)
    if (node.name === 'coalesce') {
      for (const operand of node.operands) {
        const value = this.#castTo(operand, type)
        if (value !== null) return value
      }
      return null
    }
    const values = node.operands.map((operand) => this.of(operand))
    if (values.includes(null)) return null
    const types = node.operands.map((operand) => expressionType(operand, this.#fields))
    return call(node.name, values as Value[], types, type)
  }
}

function call(
  name: Call['name'],
  values: readonly Value[],
  types: readonly ValueType[],
  type: ValueType,
): Value | null {
  const [first, second, third] = values as [Value, Value, Value]
  const text = String(first)
  switch (name) {
    case 'add':
    case 'sub':
    case 'mul':
    case 'mod':
      return arithmetic(name, first, second, types)
    case 'div':
      return double(toDouble(first) / toDouble(second))
    case 'neg':
      return arithmetic('sub', numericType(types).type === 'float64' ? 0 : { units: 0n, scale: 0 }, first, types)
    case 'toText':
      return toText(first)
    case 'toNumber':
    case 'toInteger':
    case 'toDecimal':
      return toNumeric(first, type)
    case 'toTime':
      return toTime(first, second)
    case 'toMillis':
      return whole((first as Time).ms)
    case 'dateTrunc':
      return truncated(text, (second as Time).ms, third)
    case 'year':
    case 'month':
    case 'dayOfMonth':
    case 'dayOfWeek':
    case 'hour':
    case 'minute':
      return whole(datePart(name, (first as Time).ms, second))
    default:
      return textCall(name, text, values)
  }
}

function textCall(name: Call['name'], text: string, values: readonly Value[]): Value | null {
  const [, second, third] = values as [Value, Value, Value]
  switch (name) {
    case 'lower':
      return text.toLowerCase()
    case 'upper':
      return text.toUpperCase()
    case 'trim':
      return text.replace(/^ +/, '').replace(/ +$/, '')
    case 'length':
      return whole([...text].length)
    case 'substr': {
      const from = toDouble(second) - 1
      return [...text].slice(from, third === undefined ? undefined : from + toDouble(third)).join('')
    }
    case 'concat':
      return values.join('')
    case 'startsWith':
      return text.slice(0, String(second).length) === second
    case 'endsWith':
      return String(second) === '' || text.slice(-String(second).length) === second
    case 'contains':
      return text.split(String(second)).length > 1 || second === ''
    case 'splitPart':
      return text.split(String(second))[toDouble(third) - 1] ?? ''
    case 'urlHost':
      return host(text)
    case 'urlPath':
      return urlParts(text).authority !== undefined && urlParts(text).path === '' ? '/' : urlParts(text).path
    case 'urlParam': {
      const pair = urlParts(text)
        .query?.split('&')
        .find((one) => one === second || one.startsWith(`${second}=`))
      return pair === undefined ? null : pair.slice(String(second).length + 1)
    }
    default:
      throw new Error(`${name} is no function of texts`)
  }
}

function arithmetic(name: string, left: Value, right: Value, types: readonly ValueType[]): Value | null {
  if (numericType(types).type === 'float64') {
    const [one, other] = [toDouble(left), toDouble(right)]
    const results: Record<string, number> = { add: one + other, sub: one - other, mul: one * other, mod: one % other }
    return double(results[name] ?? Number.NaN)
  }
  const [one, other] = [left as Exact, right as Exact]
  if (name === 'mul') return exact(one.units * other.units, one.scale + other.scale)
  const scale = Math.max(...types.map((type) => type.scale ?? 0))
  const [a, b] = [rescaled(one, scale), rescaled(other, scale)]
  if (a === null || b === null || (name === 'mod' && b.units === 0n)) return null
  return exact(name === 'add' ? a.units + b.units : name === 'sub' ? a.units - b.units : a.units % b.units, scale)
}

/** A value in a type that can hold it; null when it is too large. */
function cast(value: Value, type: ValueType): Value | null {
  switch (type.type) {
    case 'float64':
      return toDouble(value)
    case 'decimal':
    case 'int64':
    case 'int32':
      return rescaled(value as Exact, type.scale ?? 0)
    case 'timestamp':
      return typeof value === 'string' ? { ms: Date.parse(value) } : isExact(value) ? { ms: toDouble(value) } : value
    case 'uuid':
      return String(value).toLowerCase()
    default:
      return value
  }
}

function isExact(value: Value): value is Exact {
  return typeof value === 'object' && 'units' in value
}

function rescaled({ units, scale }: Exact, to: number): Exact | null {
  return exact(units * 10n ** BigInt(to - scale), to)
}

function exact(units: bigint, scale: number): Exact | null {
  return units > SAFE || units < -SAFE ? null : { units, scale }
}

function whole(value: number): Exact {
  return { units: BigInt(value), scale: 0 }
}

function double(value: number): number | null {
  return Number.isFinite(value) ? value + 0 : null
}

function toDouble(value: Value): number {
  return isExact(value) ? Number(value.units) / 10 ** value.scale : Number(value)
}

function literal(value: LiteralValue, { type, scale = 0 }: ValueType): Value {
  if (typeof value !== 'number' || type === 'float64') return value
  return { units: BigInt(Math.round(value * 10 ** scale)), scale }
}

function orderOf(left: Value, right: Value): number {
  if (typeof left === 'object' && 'ms' in left) return left.ms - (right as Time).ms
  if (typeof left === 'string') return Buffer.compare(Buffer.from(left), Buffer.from(String(right)))
  if (!isExact(left) || !isExact(right))
    return Math.sign(toDouble(left) - toDouble(right)) || Number(toDouble(left) !== toDouble(right))
  const difference = left.units * 10n ** BigInt(right.scale) - right.units * 10n ** BigInt(left.scale)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

function toText(value: Value): string {
  if (typeof value !== 'object') return String(value)
  if ('ms' in value) return formatTime(value.ms)
  const digits = String(value.units < 0n ? -value.units : value.units).padStart(value.scale + 1, '0')
  const point = digits.length - value.scale
  const fraction = value.scale === 0 ? '' : `.${digits.slice(point)}`
  return `${value.units < 0n ? '-' : ''}${digits.slice(0, point)}${fraction}`
}

function toNumeric(value: Value, { type, scale = 0 }: ValueType): Value | null {
  if (type === 'float64') return typeof value === 'string' ? parsedDouble(value) : toDouble(value)
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : toText(value)
  if (type === 'int64' && typeof value === 'string') {
    const parsed = parsedDouble(text)
    return parsed === null || !Number.isSafeInteger(Math.trunc(parsed)) ? null : whole(Math.trunc(parsed))
  }
  const match = /^([+-]?)([0-9]+)(?:[.]([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(text)
  if (!match) return null
  const [, sign, int = '', fraction = '', exponent = '0'] = match
  // As a fraction of big integers: mantissa / divisor * 10^scale.
  const power = Number(exponent) - fraction.length + scale
  const mantissa = BigInt(int + fraction)
  const divisor = power < 0 ? 10n ** BigInt(-power) : 1n
  const dividend = mantissa * (power > 0 ? 10n ** BigInt(power) : 1n)
  const rounded = type === 'int64' ? dividend / divisor : (2n * dividend + divisor) / (2n * divisor)
  return exact(sign === '-' ? -rounded : rounded, scale)
}

function parsedDouble(text: string): number | null {
  return /^[+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?$/.test(text) ? double(Number(text)) : null
}

function toTime(value: Value, zone: Value | undefined): Time | null {
  if (typeof value !== 'string') return inRange(toDouble(value))
  const match = /^([0-9-]{10})[T ]([0-9:]{8}(?:[.][0-9]{1,9})?)(Z|[+-][0-9]{2}:[0-9]{2})?$/.exec(value)
  if (!match) return null
  const [, day, clock, offset] = match
  const ms = Date.parse(`${day}T${clock}${offset ?? 'Z'}`)
  if (Number.isNaN(ms)) return null
  return inRange(offset === undefined ? utcOf(ms, String(zone ?? 'UTC')) : ms)
}

function inRange(ms: number): Time | null {
  return ms >= TIME_MIN_MS && ms < TIME_END_MS ? { ms } : null
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** What clocks in a zone show, as if it were UTC. */
function local(ms: number, zone: Value | undefined): number {
  const name = String(zone ?? 'UTC')
  const format =
    formats.get(name) ?? new Intl.DateTimeFormat('sv-SE', { timeZone: name, dateStyle: 'short', timeStyle: 'medium' })
  formats.set(name, format)
  const seconds = Math.floor(ms / 1000) * 1000
  return Date.parse(`${format.format(seconds).replace(' ', 'T')}Z`) + (ms - seconds)
}

/** The earlier time at which clocks show this; when they never do, by the offset from before. */
function utcOf(localMs: number, zone: string): number {
  const before = local(localMs - 86_400_000, zone) - (localMs - 86_400_000)
  const after = local(localMs + 86_400_000, zone) - (localMs + 86_400_000)
  const candidates = [localMs - before, localMs - after].filter((ms) => local(ms, zone) === localMs)
  return candidates.length > 0 ? Math.min(...candidates) : localMs - before
}

function datePart(name: Call['name'], ms: number, zone: Value | undefined): number {
  const date = new Date(local(ms, zone))
  switch (name) {
    case 'year':
      return date.getUTCFullYear()
    case 'month':
      return date.getUTCMonth() + 1
    case 'dayOfMonth':
      return date.getUTCDate()
    case 'dayOfWeek':
      return date.getUTCDay() || 7
    case 'hour':
      return date.getUTCHours()
    default:
      return date.getUTCMinutes()
  }
}

function truncated(unit: string, ms: number, zone: Value | undefined): Time {
  const localMs = local(ms, zone)
  const date = new Date(localMs)
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
  if (unit === 'minute') return { ms: ms - date.getUTCSeconds() * 1000 - date.getUTCMilliseconds() }
  if (unit === 'hour') {
    return { ms: ms - date.getUTCMinutes() * 60_000 - date.getUTCSeconds() * 1000 - date.getUTCMilliseconds() }
  }
  const starts: Record<string, number> = {
    day: Date.UTC(year, month, day),
    week: Date.UTC(year, month, day - ((date.getUTCDay() || 7) - 1)),
    month: Date.UTC(year, month, 1),
    year: Date.UTC(year, 0, 1),
  }
  return { ms: utcOf(starts[unit] ?? Number.NaN, String(zone ?? 'UTC')) }
}

/** RFC 3986, appendix B; a scheme counts only in front of an authority. */
function urlParts(url: string): { authority?: string; path: string; query?: string } {
  const withAuthority = /^(?:[A-Za-z][A-Za-z0-9+.-]*:)?[/][/]([^/?#]*)([^?#]*)(?:[?]([^#]*))?(?:#.*)?$/s.exec(url)
  const match = withAuthority ?? /^()([^?#]*)(?:[?]([^#]*))?(?:#.*)?$/s.exec(url)
  const [, authority, path = '', query] = match ?? []
  return {
    path,
    ...(withAuthority && authority !== undefined ? { authority } : {}),
    ...(query === undefined ? {} : { query }),
  }
}

function host(url: string): string | null {
  const authority = urlParts(url).authority?.replace(/^.*@/s, '')
  const found = authority === undefined ? undefined : (/^\[[^\]]*\]/.exec(authority)?.[0] ?? authority.split(':')[0])
  return found ? found.toLowerCase() : null
}
