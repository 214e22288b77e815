import { unreachable } from '../base/assert.ts'
import type { Field } from '../batch/schema.ts'
import type { Case, Comparison, ComparisonOperator, Expression, LiteralValue } from '../plan/expression.ts'
import { expressionType } from '../plan/expression-type.ts'
import { timeLiteralMs } from '../plan/time-literal.ts'
import { literalType, rowPropertyField, type ValueType } from '../plan/value-type.ts'
import { callSql } from './call-sql.ts'
import { exactOnly, sqlName, sqlText, sqlType } from './sql.ts'
import { timeLiteral } from './time-sql.ts'

const SIGNS: Readonly<Record<ComparisonOperator, string>> = { eq: '=', ne: '<>', lt: '<', le: '<=', gt: '>', ge: '>=' }

/** An expression of a checked plan over these columns as SQL of Spark, with the same nulls: what cannot be computed is null. */
export function expressionSql(node: Expression, fields: readonly Field[]): string {
  const sql = (part: Expression): string => expressionSql(part, fields)
  switch (node.kind) {
    case 'column':
      return sqlName(node.name)
    case 'literal':
      return literalSql(node.value)
    case 'compare':
      return comparisonSql(node, fields)
    case 'and':
    case 'or':
      return `(${node.operands.map(sql).join(` ${node.kind.toUpperCase()} `)})`
    case 'not':
      return `(NOT ${sql(node.operand)})`
    case 'is-null':
      return `(${sql(node.operand)} IS NULL)`
    case 'in': {
      const type = expressionType(node.operand, fields)
      return `(${sql(node.operand)} IN (${node.values.map((value) => comparedLiteral(value, type)).join(', ')}))`
    }
    case 'call':
      return callSql(node, { fields, sql, cast: (part, type) => castSql(part, type, fields) })
    case 'case':
      return caseSql(node, fields)
    case 'row':
      return sqlName(rowPropertyField(node.property).name)
    default:
      return unreachable(node)
  }
}

/** An expression as a value of a type that can hold it. */
export function castSql(node: Expression, type: Omit<ValueType, 'required'>, fields: readonly Field[]): string {
  if (node.kind === 'literal' && type.type === 'timestamp') return comparedLiteral(node.value, { type: 'timestamp' })
  const own = expressionType(node, fields)
  const sql = expressionSql(node, fields)
  const same = own.type === type.type && (own.scale ?? 0) === (type.scale ?? 0)
  if (same && node.kind !== 'literal') return sql
  const cast = `try_cast(${sql} AS ${sqlType(type.type, type.scale)})`
  // Every number that there is fits into a double, and every small whole number into a large one.
  return type.type === 'decimal' ? exactOnly(cast, 'decimal', type.scale) : cast
}

function literalSql(value: LiteralValue): string {
  if (typeof value === 'string') return sqlText(value)
  if (typeof value === 'boolean') return String(value)
  const { type, scale = 0 } = literalType(value)
  // A name of a type behind the number keeps its digits from being read as another type.
  if (type === 'int64') return `${value}L`
  return type === 'decimal' ? `${value.toFixed(scale)}BD` : `${value}D`
}

/** A constant beside a value of some type, for which it may stand: a text for a time, a UUID in any case. */
function comparedLiteral(value: LiteralValue, { type }: Pick<ValueType, 'type'>): string {
  const timeMs = type === 'timestamp' ? timeLiteralMs(value) : undefined
  if (timeMs !== undefined) return timeLiteral(timeMs)
  return type === 'uuid' ? sqlText(String(value).toLowerCase()) : literalSql(value)
}

function comparisonSql({ operator, left, right }: Comparison, fields: readonly Field[]): string {
  const side = (node: Expression, other: Expression): string =>
    node.kind === 'literal' ? comparedLiteral(node.value, expressionType(other, fields)) : expressionSql(node, fields)
  return `(${side(left, right)} ${SIGNS[operator]} ${side(right, left)})`
}

function caseSql(node: Case, fields: readonly Field[]): string {
  const type = expressionType(node, fields)
  const branches = node.branches.map(
    ({ when, value }) => `WHEN ${expressionSql(when, fields)} THEN ${castSql(value, type, fields)}`,
  )
  const otherwise = node.otherwise ? ` ELSE ${castSql(node.otherwise, type, fields)}` : ''
  return `CASE ${branches.join(' ')}${otherwise} END`
}
