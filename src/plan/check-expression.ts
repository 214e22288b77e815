import { unreachable } from '../base/assert.ts'
import type { Field, FieldType } from '../batch/schema.ts'
import type { ColumnReference, Comparison, Expression, LiteralValue } from './expression.ts'
import { COMPARISON_SIGNS } from './expression-text.ts'
import { type PlanProblem, shown, unknownColumn } from './plan-problem.ts'
import { timeLiteralMs } from './time-literal.ts'

/** How deep a predicate may nest. */
const EXPRESSION_DEPTH_MAX = 24

/** Everything wrong with a predicate: unknown columns, values that cannot be compared, something that is not true or false. */
export function checkPredicate(predicate: Expression, fields: readonly Field[], path: string): PlanProblem[] {
  const check: ExpressionCheck = { fields, path, problems: [] }
  checkCondition(predicate, check, 1)
  return check.problems
}

interface ExpressionCheck {
  readonly fields: readonly Field[]
  readonly path: string
  readonly problems: PlanProblem[]
}

/** What kind of value an expression gives; `unknown` when that was reported already. */
type ValueKind = 'text' | 'number' | 'time' | 'boolean' | 'uuid' | 'json' | 'unknown'

const KINDS: Readonly<Record<FieldType, ValueKind>> = {
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

/** Kinds whose values have an order. */
const ORDERED_KINDS: readonly ValueKind[] = ['text', 'number', 'time', 'unknown']

function checkCondition(node: Expression, check: ExpressionCheck, depth: number): void {
  const kind = kindOf(node, check, depth)
  if (kind === 'boolean' || kind === 'unknown') return
  report(check, `a condition is true or false, this is a ${kind} value`, 'compare it: eq, lt, isIn, isNull, ...')
}

function kindOf(node: Expression, check: ExpressionCheck, depth: number): ValueKind {
  if (depth > EXPRESSION_DEPTH_MAX) {
    report(check, `the condition nests deeper than ${EXPRESSION_DEPTH_MAX} levels`, 'give and() and or() more operands')
    return 'unknown'
  }
  switch (node.kind) {
    case 'column':
      return kindOfColumn(node.name, check)
    case 'literal':
      return kindOfLiteral(node.value, check)
    case 'compare':
      checkComparison(node, check)
      return 'boolean'
    case 'and':
    case 'or':
      if (node.operands.length === 0) report(check, `${node.kind}() of nothing`, 'give it at least one operand')
      for (const operand of node.operands) checkCondition(operand, check, depth + 1)
      return 'boolean'
    case 'not':
      checkCondition(node.operand, check, depth + 1)
      return 'boolean'
    case 'is-null':
      kindOfOperand(node.operand, check)
      if (node.operand.kind === 'literal') report(check, 'isNull() of a constant', 'ask it of a column')
      return 'boolean'
    case 'in':
      checkList(node.operand, node.values, check)
      return 'boolean'
    default:
      return unreachable(node)
  }
}

function kindOfColumn(name: string, check: ExpressionCheck): ValueKind {
  const field = check.fields.find((one) => one.name === name)
  if (field) return KINDS[field.type]
  check.problems.push(unknownColumn(check.path, name, check.fields))
  return 'unknown'
}

function kindOfLiteral(value: LiteralValue, check: ExpressionCheck): ValueKind {
  if (typeof value === 'string') return 'text'
  if (typeof value === 'boolean') return 'boolean'
  if (Number.isFinite(value)) return 'number'
  report(check, `${value} is no value of any column`, 'use a finite number')
  return 'unknown'
}

function checkComparison({ operator, left, right }: Comparison, check: ExpressionCheck): void {
  const leftKind = kindOfOperand(left, check)
  const rightKind = kindOfOperand(right, check)
  const sign = COMPARISON_SIGNS[operator]
  if (left.kind === 'literal' && right.kind === 'literal') {
    report(
      check,
      `${describe(left)} ${sign} ${describe(right)} compares two constants`,
      'compare a column with something',
    )
  } else if (!comparable(leftKind, left, rightKind, right)) {
    report(check, mismatch(leftKind, left, sign, rightKind, right), mismatchHint([leftKind, rightKind]))
  } else if (left.kind === 'column' && right.kind === 'column' && scaleOf(left, check) !== scaleOf(right, check)) {
    const message = `${describe(left)} ${sign} ${describe(right)}: they have not the same number of digits after the point`
    report(check, message, 'compare decimals of one scale with each other, or with a constant')
  } else if (operator !== 'eq' && operator !== 'ne' && !ORDERED_KINDS.includes(leftKind)) {
    report(check, `${leftKind} values have no order, so "${sign}" says nothing`, 'use eq or ne')
  }
}

function checkList(operand: Expression, values: readonly LiteralValue[], check: ExpressionCheck): void {
  const kind = kindOfOperand(operand, check)
  if (operand.kind === 'literal') report(check, 'isIn() of a constant', 'ask it of a column')
  if (values.length === 0) report(check, 'isIn() with an empty list is never true', 'give it at least one value')
  for (const value of values) {
    const literal: Expression = { kind: 'literal', value }
    const literalKind = kindOfLiteral(value, check)
    if (comparable(kind, operand, literalKind, literal)) continue
    report(check, mismatch(kind, operand, 'in', literalKind, literal), mismatchHint([kind, literalKind]))
    return
  }
}

/** Conditions are combined with `and`, `or` and `not`; everything else is said of columns and constants. */
function kindOfOperand(node: Expression, check: ExpressionCheck): ValueKind {
  if (node.kind === 'column') return kindOfColumn(node.name, check)
  if (node.kind === 'literal') return kindOfLiteral(node.value, check)
  report(check, 'a condition cannot be compared', 'combine conditions with and(), or() and not()')
  return 'unknown'
}

/** Digits after the point that a decimal column has; undefined for other columns. */
function scaleOf({ name }: ColumnReference, { fields }: ExpressionCheck): number | undefined {
  return fields.find((field) => field.name === name)?.scale
}

/** Values of one kind; besides, a time with its literal, and a UUID with its text form. JSON has no equality. */
function comparable(leftKind: ValueKind, left: Expression, rightKind: ValueKind, right: Expression): boolean {
  if (leftKind === 'unknown' || rightKind === 'unknown') return true
  if (leftKind === 'json' || rightKind === 'json') return false
  if (leftKind === rightKind) return true
  return stands(leftKind, right) || stands(rightKind, left)
}

/** Whether a literal stands for a value of a kind that has no literals of its own. */
function stands(kind: ValueKind, node: Expression): boolean {
  if (node.kind !== 'literal') return false
  if (kind === 'time') return timeLiteralMs(node.value) !== undefined
  return kind === 'uuid' && typeof node.value === 'string' && UUID.test(node.value)
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

function mismatch(
  leftKind: ValueKind,
  left: Expression,
  sign: string,
  rightKind: ValueKind,
  right: Expression,
): string {
  return `${describe(left)} (${leftKind}) ${sign} ${describe(right)} (${rightKind}) cannot be compared`
}

function mismatchHint(kinds: readonly ValueKind[]): string {
  if (kinds.includes('json')) return 'a JSON column can only be asked whether it is null'
  if (kinds.includes('time')) return 'write the time as "2026-11-24T07:30:00Z" or in milliseconds since 1970'
  return 'compare values of one kind'
}

function describe(node: Expression): string {
  if (node.kind === 'column') return `column "${shown(node.name)}"`
  return node.kind === 'literal' ? shown(JSON.stringify(node.value)) : 'a condition'
}

function report(check: ExpressionCheck, message: string, hint: string): void {
  check.problems.push({ path: check.path, message, hint })
}
