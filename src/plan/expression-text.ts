import { unreachable } from '../base/assert.ts'
import type { Call, Case, ComparisonOperator, Expression, LiteralValue } from './expression.ts'
import { FUNCTIONS } from './function-table.ts'
import { shown } from './plan-problem.ts'

/** A sign for each comparison, as in SQL. */
export const COMPARISON_SIGNS: Readonly<Record<ComparisonOperator, string>> = {
  eq: '=',
  ne: '<>',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
}

/** An expression as people read it, in the manner of SQL: `event_type = 'purchase' and not (amount is null)`. */
export function expressionText(node: Expression): string {
  switch (node.kind) {
    case 'column':
      return node.name
    case 'literal':
      return literalText(node.value)
    case 'compare':
      return `${value(node.left)} ${COMPARISON_SIGNS[node.operator]} ${value(node.right)}`
    case 'and':
    case 'or':
      return node.operands.map(condition).join(` ${node.kind} `)
    case 'not':
      return `not ${value(node.operand)}`
    case 'is-null':
      return `${value(node.operand)} is null`
    case 'in':
      return `${value(node.operand)} in (${node.values.map(literalText).join(', ')})`
    case 'call':
      return callText(node)
    case 'case':
      return caseText(node)
    case 'row':
      return `row.${node.property}`
    default:
      return unreachable(node)
  }
}

function callText({ name, operands }: Call): string {
  const { text } = FUNCTIONS[name]
  if ('infix' in text) return operands.map(term).join(` ${text.infix} `)
  if (text.name === '-') return `-${operands.map(term).join(', ')}`
  return `${text.name}(${operands.map(expressionText).join(', ')})`
}

function caseText({ branches, otherwise }: Case): string {
  const parts = branches.map(({ when, value: then }) => `when ${expressionText(when)} then ${expressionText(then)}`)
  if (otherwise) parts.push(`else ${expressionText(otherwise)}`)
  return ['case', ...parts, 'end'].join(' ')
}

/** An operand of `and` or `or`: everything else binds closer than these do. */
function condition(node: Expression): string {
  const mixed = node.kind === 'and' || node.kind === 'or'
  return mixed ? `(${expressionText(node)})` : expressionText(node)
}

/** An operand of everything else: in parentheses unless it holds together by itself. */
function value(node: Expression): string {
  return closed(node) ? expressionText(node) : `(${expressionText(node)})`
}

/** An operand of a sign: `a - (-1)`. */
function term(node: Expression): string {
  const negative = node.kind === 'literal' && typeof node.value === 'number' && node.value < 0
  return negative ? `(${expressionText(node)})` : value(node)
}

function closed(node: Expression): boolean {
  switch (node.kind) {
    case 'column':
    case 'literal':
    case 'row':
    case 'case':
      return true
    case 'call': {
      const { text } = FUNCTIONS[node.name]
      return 'name' in text && text.name !== '-'
    }
    default:
      return false
  }
}

/** An expression in a message. */
export function describe(node: Expression): string {
  if (node.kind === 'column') return `column "${shown(node.name)}"`
  return shown(node.kind === 'literal' ? JSON.stringify(node.value) : expressionText(node))
}

function literalText(value: LiteralValue): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)
}
