import type { Expression } from '../../plan/expression.ts'
import { parts } from '../../plan/used-columns.ts'

/** The column that an expression depends on, when it is one only and nothing else; undefined otherwise. */
export function singleColumn(node: Expression): string | undefined {
  const names = new Set<string>()
  return collect(node, names) && names.size === 1 ? [...names][0] : undefined
}

/** False when there is a property of rows, which no column has. */
function collect(node: Expression, into: Set<string>): boolean {
  if (node.kind === 'column') into.add(node.name)
  return node.kind !== 'row' && parts(node).every((part) => collect(part, into))
}
