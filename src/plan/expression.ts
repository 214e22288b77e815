/**
 * Expressions are data: a query says what to compute, a back end compiles it.
 * Comparisons with null give null, and a filter keeps only rows for which its predicate is true (SQL's rules).
 */
export type Expression =
  | ColumnReference
  | Literal
  | Comparison
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Expression[] }
  | { readonly kind: 'not'; readonly operand: Expression }
  | { readonly kind: 'is-null'; readonly operand: Expression }
  | { readonly kind: 'in'; readonly operand: Expression; readonly values: readonly LiteralValue[] }

/** The value of a column in the row that is looked at. */
export interface ColumnReference {
  readonly kind: 'column'
  readonly name: string
}

/** A constant in an expression. */
export interface Literal {
  readonly kind: 'literal'
  readonly value: LiteralValue
}

/** Two values compared; null when one of them is. */
export interface Comparison {
  readonly kind: 'compare'
  readonly operator: ComparisonOperator
  readonly left: Expression
  readonly right: Expression
}

/** Equal, not equal, less, less or equal, greater, greater or equal. */
export type ComparisonOperator = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge'

/** Money is written as a number (`12.5`); a time as ISO text or as milliseconds. */
export type LiteralValue = string | number | boolean

/** The value of a column. */
export function col(name: string): ColumnReference {
  return Object.freeze({ kind: 'column', name })
}

/** A constant. Wherever an expression is expected, the plain value does as well. */
export function lit(value: LiteralValue): Literal {
  return Object.freeze({ kind: 'literal', value: canonical(value) })
}

type Operand = Expression | LiteralValue

/** True when left = right. */
export function eq(left: Operand, right: Operand): Comparison {
  return comparison('eq', left, right)
}

/** True when left <> right. */
export function ne(left: Operand, right: Operand): Comparison {
  return comparison('ne', left, right)
}

/** True when left < right. */
export function lt(left: Operand, right: Operand): Comparison {
  return comparison('lt', left, right)
}

/** True when left <= right. */
export function le(left: Operand, right: Operand): Comparison {
  return comparison('le', left, right)
}

/** True when left > right. */
export function gt(left: Operand, right: Operand): Comparison {
  return comparison('gt', left, right)
}

/** True when left >= right. */
export function ge(left: Operand, right: Operand): Comparison {
  return comparison('ge', left, right)
}

/** True when all are true, false when one is false, else null. */
export function and(...operands: readonly Expression[]): Expression {
  return Object.freeze({ kind: 'and', operands: Object.freeze([...operands]) })
}

/** True when one is true, false when all are false, else null. */
export function or(...operands: readonly Expression[]): Expression {
  return Object.freeze({ kind: 'or', operands: Object.freeze([...operands]) })
}

/** The opposite; null stays null. */
export function not(operand: Expression): Expression {
  return Object.freeze({ kind: 'not', operand })
}

/** True for null, false for everything else; never null itself. */
export function isNull(operand: Operand): Expression {
  return Object.freeze({ kind: 'is-null', operand: expression(operand) })
}

/** True when the value is one of the list; null for null. */
export function isIn(operand: Operand, values: readonly LiteralValue[]): Expression {
  return Object.freeze({ kind: 'in', operand: expression(operand), values: Object.freeze(values.map(canonical)) })
}

function comparison(operator: ComparisonOperator, left: Operand, right: Operand): Comparison {
  return Object.freeze({ kind: 'compare', operator, left: expression(left), right: expression(right) })
}

function expression(operand: Operand): Expression {
  return typeof operand === 'object' ? operand : lit(operand)
}

/** JSON knows one zero only, and a plan must come back from it as it was. */
function canonical(value: LiteralValue): LiteralValue {
  return value === 0 ? 0 : value
}
