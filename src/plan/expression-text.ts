import { unreachable } from '../base/assert.ts'
import type { ComparisonOperator, Expression, LiteralValue } from './expression.ts'

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
    default:
      return unreachable(node)
  }
}

/** An operand of `and` or `or`: everything else binds closer than these do. */
function condition(node: Expression): string {
  const mixed = node.kind === 'and' || node.kind === 'or'
  return mixed ? `(${expressionText(node)})` : expressionText(node)
}

/** An operand of everything else: in parentheses unless it is a single word. */
function value(node: Expression): string {
  const single = node.kind === 'column' || node.kind === 'literal'
  return single ? expressionText(node) : `(${expressionText(node)})`
}

function literalText(value: LiteralValue): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)
}
