import type { Expression } from './expression.ts'
import { type ExpressionScope, typeCondition, typeExpression } from './expression-type.ts'
import type { KnownColumns } from './known-columns.ts'
import type { PlanProblem } from './plan-problem.ts'
import type { ValueType } from './value-type.ts'

/** Everything wrong with a predicate: unknown columns, values that cannot be compared, something that is not true or false. */
export function checkPredicate(predicate: Expression, columns: KnownColumns, path: string): PlanProblem[] {
  const { scope, problems } = collecting(columns, path, false)
  typeCondition(predicate, scope)
  return problems
}

/** The type of a column's expression, and everything wrong with it. Only `select` may ask for properties of rows. */
export function checkColumn(
  node: Expression,
  columns: KnownColumns,
  path: string,
  rowProperties: boolean,
): { readonly type: ValueType | undefined; readonly problems: PlanProblem[] } {
  const { scope, problems } = collecting(columns, path, rowProperties)
  const type = typeExpression(node, scope)
  return { type: problems.length === 0 ? type : undefined, problems }
}

function collecting(
  { fields, untold }: KnownColumns,
  path: string,
  rowProperties: boolean,
): { scope: ExpressionScope; problems: PlanProblem[] } {
  const problems: PlanProblem[] = []
  const report = (message: string, hint: string): void => {
    problems.push({ path, message, hint })
  }
  return { scope: { fields, untold, rowProperties, report }, problems }
}
