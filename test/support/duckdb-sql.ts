import type { Field, FieldType } from '../../src/batch/schema.ts'
import type { Call, Expression, LiteralValue } from '../../src/plan/expression.ts'
import { expressionType } from '../../src/plan/expression-type.ts'
import { numericType, type ValueType } from '../../src/plan/value-type.ts'

/*
 * Expressions as SQL of DuckDB: shows that each can be said in SQL, and what another engine makes of it. Exact numbers are
 * DECIMAL(38, scale), cut to null beyond 2^53 units after each step, as here.
 */

/** Columns of `everyType` as DuckDB has them. Times are without a zone, in UTC. */
export const SQL_TYPES: Readonly<Record<FieldType, string>> = {
  string: 'VARCHAR',
  json: 'VARCHAR',
  uuid: 'UUID',
  timestamp: 'TIMESTAMP',
  decimal: 'DECIMAL(38, 4)',
  float64: 'DOUBLE',
  int64: 'DECIMAL(38, 0)',
  int32: 'DECIMAL(38, 0)',
  boolean: 'BOOLEAN',
}

/** The expression in SQL, of the type that `sqlType` gives. */
export function duckdbSql(node: Expression, fields: readonly Field[]): string {
  return new Translation(fields).of(node)
}

/** The type of a column of these values. */
export function sqlType({ type, scale }: { readonly type: FieldType; readonly scale?: number }): string {
  return type === 'decimal' ? `DECIMAL(38, ${scale})` : SQL_TYPES[type]
}

const NUMBER = "'[+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]{1,6})?'"
const TIME = "'[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})?'"
const AUTHORITY = '(?:[A-Za-z][A-Za-z0-9+.-]*:)?//'

class Translation {
  readonly #fields: readonly Field[]

  constructor(fields: readonly Field[]) {
    this.#fields = fields
  }

  of(node: Expression): string {
    switch (node.kind) {
      case 'column':
        return `"${node.name}"`
      case 'literal':
        return literalAs(node.value, this.#type(node))
      case 'compare': {
        const signs = { eq: '=', ne: '<>', lt: '<', le: '<=', gt: '>', ge: '>=' }
        const type = this.#comparable([node.left, node.right])
        return `(${this.as(node.left, type, false)} ${signs[node.operator]} ${this.as(node.right, type, false)})`
      }
      case 'and':
      case 'or':
        return `(${node.operands.map((operand) => this.of(operand)).join(` ${node.kind} `)})`
      case 'not':
        return `(NOT ${this.of(node.operand)})`
      case 'is-null':
        return `(${this.of(node.operand)} IS NULL)`
      case 'in': {
        const literals = node.values.map((value): Expression => ({ kind: 'literal', value }))
        const type = this.#comparable([node.operand, ...literals])
        return `(${this.as(node.operand, type, false)} IN (${literals.map((one) => this.as(one, type, false)).join(', ')}))`
      }
      case 'call':
        return this.#call(node)
      case 'case': {
        const type = this.#type(node)
        const branches = node.branches.map(({ when, value }) => `WHEN ${this.of(when)} THEN ${this.as(value, type)}`)
        return `(CASE ${branches.join(' ')} ELSE ${node.otherwise ? this.as(node.otherwise, type) : 'NULL'} END)`
      }
      case 'row':
        throw new Error('rows of a table have no properties')
    }
  }

  /** The expression as a value of a type, cut to null beyond 2^53 units unless it is only compared. */
  as(node: Expression, type: ValueType, cut = true): string {
    if (node.kind === 'literal') return literalAs(node.value, type, cut)
    const own = this.#type(node)
    const sql = this.of(node)
    if (own.type === type.type && own.scale === type.scale) return sql
    const cast = `CAST(${sql} AS ${sqlType(type)})`
    return cut && (type.type === 'decimal' || type.type === 'int64') ? safe(cast, type.scale ?? 0) : cast
  }

  #type(node: Expression): ValueType {
    return expressionType(node, this.#fields)
  }

  /** One type for all: doubles if there is one, else numbers of the finest scale; what constants stand for. */
  #comparable(nodes: readonly Expression[]): ValueType {
    const types = nodes.map((node) => this.#type(node))
    const special = types.find(({ type }) => type === 'timestamp' || type === 'uuid')
    if (special) return special
    const [first] = types as [ValueType]
    return ['string', 'boolean'].includes(first.type) ? first : numericType(types)
  }

  #call(node: Call): string {
    const type = this.#type(node)
    const [first, second, third] = node.operands as [Expression, Expression, Expression]
    const sql = (operand: Expression): string => this.of(operand)
    switch (node.name) {
      case 'add':
      case 'sub':
      case 'mul':
      case 'mod':
        return this.#arithmetic(node, type)
      case 'div': {
        const [dividend, divisor] = [first, second].map((one) => this.as(one, DOUBLE))
        return `finite(${dividend} / NULLIF(${divisor}, 0))`
      }
      case 'neg':
        return `(-${this.as(first, type)})`
      case 'coalesce':
        return `coalesce(${node.operands.map((operand) => this.as(operand, type)).join(', ')})`
      case 'toText':
        return this.#text(first)
      case 'toNumber':
      case 'toInteger':
      case 'toDecimal':
        return this.#number(first, type)
      case 'toTime':
        return this.#type(first).type === 'string'
          ? `text_time(${sql(first)}, ${second ? sql(second) : "'UTC'"})`
          : `number_time(CAST(${sql(first)} AS BIGINT))`
      case 'toMillis':
        return `CAST(epoch_ms(${this.as(first, TIME_TYPE)}) AS DECIMAL(38, 0))`
      case 'dateTrunc': {
        const local = this.#local(second, third)
        const start = `date_trunc(${sql(first)}, ${local})`
        return third ? `timezone('UTC', timezone(${sql(third)}, ${start}))` : start
      }
      case 'year':
      case 'month':
      case 'dayOfMonth':
      case 'dayOfWeek':
      case 'hour':
      case 'minute': {
        const parts = {
          year: 'year',
          month: 'month',
          dayOfMonth: 'day',
          dayOfWeek: 'isodow',
          hour: 'hour',
          minute: 'minute',
        }
        return `CAST(${parts[node.name]}(${this.#local(first, second)}) AS DECIMAL(38, 0))`
      }
      default:
        return this.#textCall(node)
    }
  }

  #textCall(node: Call): string {
    const [first, second, third] = node.operands as [Expression, Expression, Expression]
    const sql = (operand: Expression): string => this.of(operand)
    switch (node.name) {
      case 'lower':
      case 'upper':
      case 'trim':
      case 'contains':
        return `${node.name}(${node.operands.map(sql).join(', ')})`
      case 'length':
        return `CAST(length(${sql(first)}) AS DECIMAL(38, 0))`
      case 'substr':
        return `substring(${[sql(first), second, third]
          .map((one) => (typeof one === 'string' ? one : one && plain(one)))
          .filter(Boolean)
          .join(', ')})`
      case 'concat':
        return `(${node.operands.map(sql).join(' || ')})`
      case 'startsWith':
        return `starts_with(${sql(first)}, ${sql(second)})`
      case 'endsWith':
        return `suffix(${sql(first)}, ${sql(second)})`
      case 'splitPart':
        return `split_part(${sql(first)}, ${sql(second)}, ${plain(third)})`
      case 'urlHost':
        return `NULLIF(lower(regexp_extract(${sql(first)}, '^${AUTHORITY}(?:[^/?#]*@)?(\\[[^/?#\\]]*\\]|[^:/?#@]*)', 1)), '')`
      case 'urlPath':
        return `url_path(${sql(first)})`
      case 'urlParam':
        return `url_param(${sql(first)}, ${sql(second)})`
      default:
        throw new Error(`${node.name} is no function of texts`)
    }
  }

  /** What clocks show at a time. */
  #local(time: Expression, zone: Expression | undefined): string {
    const utc = this.as(time, TIME_TYPE)
    return zone ? `timezone(${this.of(zone)}, timezone('UTC', ${utc}))` : utc
  }

  #arithmetic({ name, operands }: Call, type: ValueType): string {
    const sign = { add: '+', sub: '-', mul: '*', mod: '%' }[name as 'add']
    if (type.type === 'float64') {
      const [left, right] = operands.map((one) => this.as(one, DOUBLE))
      return `finite(${left} ${sign} ${name === 'mod' ? `NULLIF(${right}, 0)` : right})`
    }
    if (name === 'mul') {
      const [left, right] = operands.map((one) => this.as(one, exact(this.#type(one))))
      return safe(`CAST(${left} * ${right} AS DECIMAL(38, ${type.scale ?? 0}))`, type.scale ?? 0)
    }
    const [left, right] = operands.map((one) => this.as(one, exact(type)))
    return safe(`(${left} ${sign} ${name === 'mod' ? `NULLIF(${right}, 0)` : right})`, type.scale ?? 0)
  }

  #text(node: Expression): string {
    const { type } = this.#type(node)
    if (type === 'timestamp') return `strftime(${this.of(node)}, '%Y-%m-%dT%H:%M:%S.%gZ')`
    return `CAST(${this.of(node)} AS VARCHAR)`
  }

  #number(node: Expression, { type, scale = 0 }: ValueType): string {
    const own = this.#type(node)
    const sql =
      own.type === 'string'
        ? `CASE WHEN regexp_full_match(${this.of(node)}, ${NUMBER}) THEN ${this.of(node)} END`
        : this.of(node)
    if (type === 'float64') return own.type === 'string' ? `finite(TRY_CAST(${sql} AS DOUBLE))` : this.as(node, DOUBLE)
    if (type === 'int64') {
      const number = own.type === 'string' ? `TRY_CAST(${sql} AS DOUBLE)` : sql
      return safe(`TRY_CAST(trunc(${number}) AS DECIMAL(38, 0))`, 0)
    }
    return safe(`TRY_CAST(${sql} AS DECIMAL(38, ${scale}))`, scale)
  }
}

const DOUBLE: ValueType = { type: 'float64', required: false }
const TIME_TYPE: ValueType = { type: 'timestamp', required: false }

/** Functions that the texts above rely on. */
export const DUCKDB_MACROS: readonly string[] = [
  'CREATE MACRO finite(x) AS CASE WHEN isfinite(x) THEN x END',
  ...[0, 1, 2, 3, 4, 5, 6].map(
    (scale) => `CREATE MACRO safe${scale}(x) AS CASE WHEN abs(x) <= ${limit(scale)} THEN x END`,
  ),
  `CREATE MACRO number_time(ms) AS CASE WHEN ms >= 0 AND ms < 7289654400000 THEN make_timestamp_ms(ms) END`,
  `CREATE MACRO known_time(t) AS CASE WHEN t >= make_timestamp_ms(0) THEN t END`,
  `CREATE MACRO text_time(x, zone) AS CASE WHEN regexp_full_match(x, ${TIME}) THEN
     known_time(CASE WHEN regexp_matches(x, '(Z|[+-][0-9]{2}:[0-9]{2})$') THEN timezone('UTC', TRY_CAST(x AS TIMESTAMPTZ))
     ELSE timezone('UTC', timezone(zone, TRY_CAST(x AS TIMESTAMP))) END) END`,
  `CREATE MACRO url_path(x) AS CASE
     WHEN NOT regexp_matches(x, '^${AUTHORITY}') THEN regexp_extract(x, '^[^?#]*')
     WHEN regexp_matches(x, '^${AUTHORITY}[^/?#]*([?#]|$)') THEN '/'
     ELSE regexp_extract(x, '^${AUTHORITY}[^/?#]*([^?#]*)', 1) END`,
  `CREATE MACRO url_param(x, name) AS list_first(list_transform(
     list_filter(string_split(regexp_extract(x, '^[^?#]*[?]([^#]*)', 1), '&'), lambda p: split_part(p, '=', 1) = name),
     lambda p: substring(p, length(name) + 2)))`,
]

function limit(scale: number): string {
  const digits = String(Number.MAX_SAFE_INTEGER)
  return scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

function safe(sql: string, scale: number): string {
  return `safe${scale}(${sql})`
}

function exact({ type, scale }: ValueType): ValueType {
  return type === 'decimal' ? { type, scale: scale ?? 0, required: false } : { type: 'int64', required: false }
}

/** A number that is a number in SQL as well. */
function plain(node: Expression): string {
  return node.kind === 'literal' ? String(node.value) : ''
}

function literalAs(value: LiteralValue, type: ValueType, cut = true): string {
  if (type.type === 'timestamp') {
    return typeof value === 'number' ? `make_timestamp_ms(${value})` : `timezone('UTC', TIMESTAMPTZ '${value}')`
  }
  const text = typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)
  if (type.type === 'string' || type.type === 'boolean') return text
  const cast = `CAST('${String(value)}' AS ${sqlType(type)})`
  return cut && type.type === 'decimal' ? safe(cast, type.scale ?? 0) : cast
}
