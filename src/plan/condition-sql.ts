import { MillraceError } from '../base/error.ts'
import { quoted } from '../base/sql-name.ts'
import type { Expression, LiteralValue } from './expression.ts'
import { COMPARISON_SIGNS, expressionText } from './expression-text.ts'

/**
 * A condition as SQL of DuckDB that is true for the same rows. Comparisons of columns and constants can be said, functions cannot: what they
 * give has to be a column of the table, made with `derive`.
 */
export function conditionSql(node: Expression): string {
  switch (node.kind) {
    case 'column':
      return quoted(node.name)
    case 'literal':
      return literalSql(node.value)
    case 'compare':
      return `(${conditionSql(node.left)} ${COMPARISON_SIGNS[node.operator]} ${conditionSql(node.right)})`
    case 'and':
    case 'or':
      return `(${node.operands.map(conditionSql).join(` ${node.kind} `)})`
    case 'not':
      return `(not ${conditionSql(node.operand)})`
    case 'is-null':
      return `(${conditionSql(node.operand)} is null)`
    case 'in':
      return `(${conditionSql(node.operand)} in (${node.values.map(literalSql).join(', ')}))`
    default:
      throw new MillraceError('unsupported', `"${expressionText(node)}" cannot be said in SQL here`, {
        hint: 'derive a column of it before the funnel, and select that column into the table too',
      })
  }
}

function literalSql(value: LiteralValue): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)
}
