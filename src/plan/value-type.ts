import type { Field, FieldType } from '../batch/schema.ts'
import type { Expression, LiteralValue, RowProperty } from './expression.ts'
import { timeLiteralMs } from './time-literal.ts'

/** Type of the values that an expression gives: that of a column made of it. `required`: it is never null. */
export interface ValueType {
  readonly type: FieldType
  /** Digits after the point, of a decimal. */
  readonly scale?: number
  readonly required: boolean
}

/** A type, and whether the value is the same for all rows. */
export interface Typed extends ValueType {
  readonly constant: boolean
}

/** What kind of value a type holds: values of one kind can be compared. */
export type ValueKind = 'text' | 'number' | 'time' | 'boolean' | 'uuid' | 'json'

/** The kind of each type. */
export const VALUE_KINDS: Readonly<Record<FieldType, ValueKind>> = {
  string: 'text',
  json: 'json',
  uuid: 'uuid',
  timestamp: 'time',
  decimal: 'number',
  float64: 'number',
  int64: 'number',
  int32: 'number',
  boolean: 'boolean',
}

/** Kinds of some types, each once: `text and number`. */
export function kindList(types: readonly ValueType[]): string {
  return [...new Set(types.map(({ type }) => VALUE_KINDS[type]))].join(' and ')
}

/** Digits after the point that a decimal may have. */
export const DECIMAL_SCALE_MAX = 6

/** Type of a constant that stands alone: a number is a whole one, else a decimal if that is exact, else a double. */
export function literalType(value: LiteralValue): ValueType {
  if (typeof value === 'string') return { type: 'string', required: true }
  if (typeof value === 'boolean') return { type: 'boolean', required: true }
  if (Number.isSafeInteger(value)) return { type: 'int64', required: true }
  for (let scale = 1; scale <= DECIMAL_SCALE_MAX; scale++) {
    const units = Math.round(value * 10 ** scale)
    if (Number.isSafeInteger(units) && units / 10 ** scale === value) return { type: 'decimal', scale, required: true }
  }
  return { type: 'float64', required: true }
}

/** Whether a constant stands for a value of a kind that has no constants of its own: a time, a UUID. */
export function standsFor(kind: ValueKind, node: Expression): boolean {
  if (node.kind !== 'literal') return false
  if (kind === 'time') return timeLiteralMs(node.value) !== undefined
  return kind === 'uuid' && typeof node.value === 'string' && UUID.test(node.value)
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** The type that holds the values of all these numbers: a double if one is, else a decimal of the finest scale, else whole. */
export function numericType(types: readonly ValueType[]): ValueType {
  const required = types.every((one) => one.required)
  if (types.some(({ type }) => type === 'float64')) return { type: 'float64', required }
  if (types.every(({ type }) => type !== 'decimal')) return { type: 'int64', required }
  return { type: 'decimal', scale: Math.max(...types.map(({ scale }) => scale ?? 0)), required }
}

/** The type that alternatives have together, and for each of them whether it is never null as a value of that type. */
export interface CommonType {
  readonly type: Omit<ValueType, 'required'>
  readonly required: readonly boolean[]
}

/**
 * The type that alternatives have together, as in `coalesce`; undefined when there is none. What is not constant decides, so
 * that a text may stand for a time. UUIDs and JSON have none: as text they do.
 */
export function commonType(nodes: readonly Expression[], types: readonly ValueType[]): CommonType | undefined {
  const anchor = types.find((_, index) => nodes[index]?.kind !== 'literal') ?? types[0]
  if (anchor === undefined) return undefined
  const kind = VALUE_KINDS[anchor.type]
  if (kind === 'uuid' || kind === 'json') return undefined
  const stand = types.every(
    ({ type }, index) => VALUE_KINDS[type] === kind || standsFor(kind, nodes[index] as Expression),
  )
  if (!stand) return undefined
  if (kind !== 'number') return { type: { type: anchor.type }, required: types.map(({ required }) => required) }
  const { required: _, ...type } = numericType(types)
  return { type, required: types.map((one, index) => one.required && fits(nodes[index] as Expression, one, type)) }
}

/** Whether every value of a numeric type has its place in another one: a whole number may be too large for a decimal. */
function fits(node: Expression, from: ValueType, to: Omit<ValueType, 'required'>): boolean {
  if (to.type === 'float64' || (from.scale ?? 0) === (to.scale ?? 0)) return true
  if (node.kind !== 'literal' || typeof node.value !== 'number') return false
  return Number.isSafeInteger(Math.round(node.value * 10 ** (to.scale ?? 0)))
}

/**
 * The column in which the engine hands a property of rows to the expressions of a `select`. Its name is none that a schema
 * could have.
 */
export function rowPropertyField(property: RowProperty): Field {
  return ROW_PROPERTY_FIELDS[property]
}

const ROW_PROPERTY_FIELDS: Readonly<Record<RowProperty, Field>> = {
  late: { name: '$late', type: 'boolean', required: true },
  processing_time: { name: '$processing_time', type: 'timestamp', required: true },
  record_time: { name: '$record_time', type: 'timestamp', required: false },
  partition: { name: '$partition', type: 'int64', required: true },
  offset: { name: '$offset', type: 'int64', required: true },
}
