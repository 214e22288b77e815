import { assert } from '../base/assert.ts'
import { MillraceError } from '../base/error.ts'

/**
 * What a column holds. In memory: `string` and `json` are UTF-8, `timestamp` is milliseconds since 1970 (UTC),
 * `decimal` is a whole number of units of 10^-scale, `int64` a whole number within 2^53, `uuid` 16 bytes.
 */
export type FieldType = 'string' | 'json' | 'uuid' | 'timestamp' | 'decimal' | 'float64' | 'int64' | 'int32' | 'boolean'

/** How many different values a text column is expected to have; decides how the decoder stores it. */
export type Cardinality = 'low' | 'high' | 'unique'

/** How a JSON timestamp is written. Never guessed: a number is refused unless the schema says which unit it has. */
export type TimestampFormat = 'iso' | 'epoch-ms' | 'epoch-s'

/** One column of a schema, as frozen plan data. */
export interface Field {
  readonly name: string
  readonly type: FieldType
  /** A row in which it is null or missing is invalid. */
  readonly required: boolean
  /** The member of the JSON object it is read from; the column's own name when absent. */
  readonly from?: string
  /** `string` only; `low` when absent. */
  readonly cardinality?: Cardinality
  /** `decimal` only: digits after the point, 0 to 6. */
  readonly scale?: number
  /** `timestamp` only; `iso` when absent. */
  readonly format?: TimestampFormat
  /** `timestamp` only: IANA zone of texts without an offset; UTC when absent. */
  readonly timeZone?: string
  /** `timestamp` only: a missing value is taken from the record's own timestamp. */
  readonly orRecordTime?: boolean
  /** `json` only: collects every member that no other field reads, verbatim, as one object. */
  readonly rest?: boolean
}

/** The columns of a stream, in order, as frozen plan data. */
export interface Schema {
  readonly fields: readonly Field[]
}

/** A field before it has a name; `T` is the type of its values in rows. Made by `text()`, `timestamp()`, ... */
export interface FieldSpec<T> extends Omit<Field, 'name'> {
  /** Carries the value type for the compiler only; never set. */
  readonly valueType?: T
}

/** A schema whose column names and value types the compiler knows. */
export interface TypedSchema<F extends FieldSpecs> extends Schema {
  readonly fieldTypes?: F
}

/** Named fields, in the order of their columns. */
export type FieldSpecs = Readonly<Record<string, FieldSpec<unknown>>>

/** A row as an object: the value of each column of a schema, by its name. */
export type Row<F extends FieldSpecs> = {
  readonly [K in keyof F]: F[K] extends FieldSpec<infer T> ? T : never
}

/** Makes a schema from named fields. Throws `invalid-plan` on a bad name or two fields that read the same member. */
export function defineSchema<F extends FieldSpecs>(fields: F): TypedSchema<F> {
  const list: Field[] = []
  const origins = new Map<string, string>()
  for (const [name, spec] of Object.entries(fields)) {
    if (!FIELD_NAME.test(name)) {
      throw new MillraceError('invalid-plan', `"${name}" is not a column name`, {
        hint: 'use a letter or underscore first, then letters, digits and underscores, 63 characters at most',
      })
    }
    const origin = spec.from ?? name
    const other = origins.get(origin)
    if (other !== undefined && !spec.rest) {
      throw new MillraceError('invalid-plan', `columns "${other}" and "${name}" both read the member "${origin}"`, {
        hint: 'read each member of the JSON object into one column',
      })
    }
    origins.set(origin, name)
    list.push(Object.freeze({ ...spec, name }))
  }
  return Object.freeze({ fields: Object.freeze(list) })
}

/** What a column may be called; also what every sink can store unquoted. */
export const FIELD_NAME: RegExp = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/

interface Common {
  /** A row in which the value is null or missing is invalid. */
  required?: boolean
  /** The member of the JSON object to read; the column's own name by default. */
  from?: string
}

/** Text. `cardinality` says how many different values to expect: `low` (default), `high`, or `unique` (ids: not kept in a dictionary). */
export function text<const O extends Common & { cardinality?: Cardinality }>(
  options?: O,
): FieldSpec<Nullable<string, O>> {
  return spec({ type: 'string', cardinality: options?.cardinality ?? 'low', ...common(options) })
}

/** A UUID in its text form of 36 characters, kept as 16 bytes. */
export function uuid<const O extends Common>(options?: O): FieldSpec<Nullable<string, O>> {
  return spec({ type: 'uuid', ...common(options) })
}

/**
 * A point in time, kept as milliseconds since 1970 UTC. `iso` takes text such as `2026-11-24T10:00:00.123Z`; local times in `timeZone`
 * that exist twice are the earlier one, those that are skipped are read with the offset from before the change.
 * `epoch-ms` takes whole numbers, `epoch-s` also fractions; what is finer than a millisecond is cut off.
 */
export function timestamp<
  const O extends Common & { format?: TimestampFormat; timeZone?: string; orRecordTime?: boolean },
>(options?: O): FieldSpec<Nullable<number, O>> {
  return spec({
    type: 'timestamp',
    format: options?.format ?? 'iso',
    ...(options?.timeZone === undefined ? {} : { timeZone: options.timeZone }),
    ...(options?.orRecordTime ? { orRecordTime: true } : {}),
    ...common(options),
  })
}

/** An exact decimal number with `scale` digits after the point, up to 2^53 units; more digits are rounded half up. Takes JSON numbers only, not text. */
export function decimal<const O extends Common>(scale: number, options?: O): FieldSpec<Nullable<number, O>> {
  assert(Number.isInteger(scale) && scale >= 0 && scale <= 6, `decimal scale is 0 to 6, not ${scale}`)
  return spec({ type: 'decimal', scale, ...common(options) })
}

/** A double. NaN and infinities are not JSON, so a value is always finite. */
export function float64<const O extends Common>(options?: O): FieldSpec<Nullable<number, O>> {
  return spec({ type: 'float64', ...common(options) })
}

/** A whole number within ±2^53, however it is written: `1.0` and `1e3` are whole. */
export function int64<const O extends Common>(options?: O): FieldSpec<Nullable<number, O>> {
  return spec({ type: 'int64', ...common(options) })
}

/** A whole number of 32 bits, -2^31 to 2^31 - 1, however it is written. */
export function int32<const O extends Common>(options?: O): FieldSpec<Nullable<number, O>> {
  return spec({ type: 'int32', ...common(options) })
}

/** true or false. */
export function boolean<const O extends Common>(options?: O): FieldSpec<Nullable<boolean, O>> {
  return spec({ type: 'boolean', ...common(options) })
}

/** A JSON value kept verbatim; with `rest`, an object of all members that no other field reads. */
export function json<const O extends Common & { rest?: boolean }>(options?: O): FieldSpec<Nullable<string, O>> {
  return spec({ type: 'json', ...(options?.rest ? { rest: true } : {}), ...common(options) })
}

type Nullable<T, O> = O extends { required: true } ? T : T | null

function common(options: Common | undefined): { required: boolean; from?: string } {
  return { required: options?.required ?? false, ...(options?.from === undefined ? {} : { from: options.from }) }
}

function spec<T>(field: Omit<Field, 'name'>): FieldSpec<T> {
  return Object.freeze(field)
}

/** Position of a column in a schema, or -1. */
export function fieldIndex(schema: Schema, name: string): number {
  return schema.fields.findIndex((field) => field.name === name)
}
