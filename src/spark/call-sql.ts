import { assert, unreachable } from '../base/assert.ts'
import type { Field } from '../batch/schema.ts'
import type { Call, Expression } from '../plan/expression.ts'
import { expressionType } from '../plan/expression-type.ts'
import type { ValueType } from '../plan/value-type.ts'
import { exactOnly, sqlText, sqlType } from './sql.ts'
import { fromWallTime, timeFromMillis, timeFromText, timeText, wallTime } from './time-sql.ts'
import { urlHostSql, urlParamSql, urlPathSql } from './url-sql.ts'

/** Texts that are numbers, as both engines read them. */
const NUMBER = '^[+-]?\\d+(\\.\\d+)?([eE][+-]?\\d{1,6})?\\z'

/** How the expression that a call is part of is written: over which columns, and what becomes of operands. */
export interface OperandWriter {
  readonly fields: readonly Field[]
  sql(operand: Expression): string
  /** As a value of a type that can hold it. */
  cast(operand: Expression, type: Omit<ValueType, 'required'>): string
}

/** A function of a checked plan as SQL of Spark. The forms with `try_` give null where the others would stop the query. */
export function callSql(node: Call, write: OperandWriter): string {
  const { fields } = write
  const operands = node.operands.map((operand) => write.sql(operand))
  const [first = '', second = ''] = operands
  switch (node.name) {
    case 'add':
      return arithmetic('try_add', node, write)
    case 'sub':
      return arithmetic('try_subtract', node, write)
    case 'mul':
      return arithmetic('try_multiply', node, write)
    case 'mod':
      return arithmetic('try_mod', node, write)
    case 'div':
      return exactOnly(`try_divide(CAST(${first} AS DOUBLE), CAST(${second} AS DOUBLE))`, 'float64')
    case 'neg':
      // Zero has no sign here.
      return expressionType(node, fields).type === 'float64'
        ? `(0.0D - ${first})`
        : `(-${wide(node.operands[0] as Expression, write)})`
    case 'lower':
    case 'upper':
    case 'trim':
    case 'substr':
    case 'concat':
    case 'contains':
      return `${node.name}(${operands.join(', ')})`
    case 'length':
      return `CAST(length(${first}) AS BIGINT)`
    case 'startsWith':
    case 'endsWith':
      return `${node.name.toLowerCase()}(${operands.join(', ')})`
    case 'splitPart':
      return `split_part(${operands.join(', ')})`
    case 'urlHost':
      return urlHostSql(first)
    case 'urlPath':
      return urlPathSql(first)
    case 'urlParam':
      return urlParamSql(first, constantText(node.operands[1]))
    case 'coalesce': {
      const type = expressionType(node, fields)
      return `coalesce(${node.operands.map((operand) => write.cast(operand, type)).join(', ')})`
    }
    case 'toText':
      return textSql(node.operands[0] as Expression, write)
    case 'toNumber':
    case 'toInteger':
    case 'toDecimal':
      return numberSql(node, write)
    default:
      return timeCallSql(node, write)
  }
}

/** Functions of times. */
function timeCallSql({ name, operands }: Call, { fields, sql: operandSql }: OperandWriter): string {
  const sql = (index: number): string => operandSql(operands[index] as Expression)
  const part = (what: string): string =>
    `CAST(${what.replace('$', wallTime(sql(0), constantText(operands[1])))} AS BIGINT)`
  switch (name) {
    case 'year':
    case 'month':
    case 'hour':
    case 'minute':
      return part(`${name}($)`)
    case 'dayOfMonth':
      return part('day($)')
    case 'dayOfWeek':
      return part('weekday($) + 1')
    case 'dateTrunc': {
      const zone = constantText(operands[2])
      return fromWallTime(`date_trunc(${sql(0)}, ${wallTime(sql(1), zone)})`, zone)
    }
    case 'toTime': {
      const isText = expressionType(operands[0] as Expression, fields).type === 'string'
      return isText ? timeFromText(sql(0), constantText(operands[1])) : timeFromMillis(sql(0))
    }
    case 'toMillis':
      return `unix_millis(${sql(0)})`
    default:
      return assert(false, `Spark has no ${name}`) as never
  }
}

/** Operands come to the type of the result first, and are null where it cannot hold them; factors keep their own. */
function arithmetic(name: string, node: Call, write: OperandWriter): string {
  const { type, scale } = expressionType(node, write.fields)
  const ownTypes = name === 'try_multiply' && type !== 'float64'
  const operands = node.operands.map((operand) =>
    ownTypes ? wide(operand, write) : write.cast(operand, { type, ...(scale !== undefined && { scale }) }),
  )
  return exactOnly(`try_cast(${name}(${operands.join(', ')}) AS ${sqlType(type, scale)})`, type, scale)
}

/** Whole numbers of 32 bits would overflow early. */
function wide(operand: Expression, write: OperandWriter): string {
  const sql = write.sql(operand)
  return expressionType(operand, write.fields).type === 'int32' ? `CAST(${sql} AS BIGINT)` : sql
}

function textSql(operand: Expression, write: OperandWriter): string {
  const sql = write.sql(operand)
  return expressionType(operand, write.fields).type === 'timestamp' ? timeText(sql) : `CAST(${sql} AS STRING)`
}

function numberSql(node: Call, { fields, sql: operandSql }: OperandWriter): string {
  const operand = node.operands[0] as Expression
  const type = expressionType(node, fields)
  const sql = operandSql(operand)
  const isText = expressionType(operand, fields).type === 'string'
  const number = isText ? `CASE WHEN ${sql} RLIKE ${sqlText(NUMBER)} THEN ${sql} END` : sql
  switch (node.name) {
    case 'toNumber':
      return exactOnly(`try_cast(${number} AS DOUBLE)`, 'float64')
    case 'toInteger':
      return exactOnly(`try_cast(try_cast(${number} AS DOUBLE) AS BIGINT)`, 'int64')
    case 'toDecimal':
      return exactOnly(`try_cast(${number} AS ${sqlType('decimal', type.scale)})`, 'decimal', type.scale)
    default:
      return unreachable(node.name as never)
  }
}

/** A constant of the plan; what is left out is the time zone, UTC then. */
function constantText(operand: Expression | undefined): string {
  return operand?.kind === 'literal' ? String(operand.value) : 'UTC'
}
