/**
 * Expressions are data: a query says what to compute, a back end compiles it.
 * Nulls follow SQL: a function or comparison of null is null, and a filter keeps only rows for which its predicate is true.
 * What cannot be computed is null as well: a division by zero, a text that is no number, a result beyond the column's range.
 */
export type Expression =
  | ColumnReference
  | Literal
  | Comparison
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Expression[] }
  | { readonly kind: 'not'; readonly operand: Expression }
  | { readonly kind: 'is-null'; readonly operand: Expression }
  | { readonly kind: 'in'; readonly operand: Expression; readonly values: readonly LiteralValue[] }
  | Call
  | Case
  | RowPropertyReference

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

/** A function of its operands; `function-table.ts` says what each takes and gives. Options such as a time zone are literals at the end. */
export interface Call {
  readonly kind: 'call'
  readonly name: FunctionName
  readonly operands: readonly Expression[]
}

/** Functions by the name that they have in plans. */
export type FunctionName =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'mod'
  | 'neg'
  | 'lower'
  | 'upper'
  | 'trim'
  | 'length'
  | 'substr'
  | 'concat'
  | 'startsWith'
  | 'endsWith'
  | 'contains'
  | 'splitPart'
  | 'urlHost'
  | 'urlPath'
  | 'urlParam'
  | 'year'
  | 'month'
  | 'dayOfMonth'
  | 'dayOfWeek'
  | 'hour'
  | 'minute'
  | 'dateTrunc'
  | 'coalesce'
  | 'toText'
  | 'toNumber'
  | 'toInteger'
  | 'toDecimal'
  | 'toTime'
  | 'toMillis'

/** The first branch whose condition is true gives the value; when none is, `otherwise` does, else it is null. */
export interface Case {
  readonly kind: 'case'
  readonly branches: readonly CaseBranch[]
  readonly otherwise?: Expression
}

/** A condition, and the value when it is true. */
export interface CaseBranch {
  readonly when: Expression
  readonly value: Expression
}

/** Something that is known of a row besides its columns; only `select` may ask for it. */
export interface RowPropertyReference {
  readonly kind: 'row'
  readonly property: RowProperty
}

/**
 * `late`: a windowed query refused the row as late and none accepted it. `processing_time`: clock of the epoch that read it.
 * `record_time`: timestamp of its record in the log. `partition`, `offset`: where it was read.
 */
export type RowProperty = 'late' | 'processing_time' | 'record_time' | 'partition' | 'offset'

/** Money is written as a number (`12.5`); a time as ISO text or as milliseconds. */
export type LiteralValue = string | number | boolean

/** An expression, or a constant as it is; a text is a constant too, a column is `col('name')`. */
export type Operand = Expression | LiteralValue

/** The value of a column. */
export function col(name: string): ColumnReference {
  return Object.freeze({ kind: 'column', name })
}

/** A constant. Wherever an expression is expected, the plain value does as well. */
export function lit(value: LiteralValue): Literal {
  return Object.freeze({ kind: 'literal', value: canonical(value) })
}

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

/** An operand as an expression. */
export function expression(operand: Operand): Expression {
  return typeof operand === 'object' ? operand : lit(operand)
}

/** JSON knows one zero only, and a plan must come back from it as it was. */
function canonical(value: LiteralValue): LiteralValue {
  return value === 0 ? 0 : value
}
