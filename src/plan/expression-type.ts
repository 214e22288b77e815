import { assert, unreachable } from '../base/assert.ts'
import type { Field } from '../batch/schema.ts'
import type { Call, Case, Comparison, Expression, LiteralValue } from './expression.ts'
import { COMPARISON_SIGNS, describe } from './expression-text.ts'
import { typeCall } from './function-type.ts'
import { nameHint } from './nearest-name.ts'
import { shown } from './plan-problem.ts'
import {
  commonType,
  kindList,
  literalType,
  rowPropertyField,
  standsFor,
  type Typed,
  VALUE_KINDS,
  type ValueKind,
  type ValueType,
} from './value-type.ts'

/** How deep an expression may nest. */
const EXPRESSION_DEPTH_MAX = 24
/** Steps that one expression may have. */
const EXPRESSION_NODES_MAX = 2000

/** What an expression may speak of, and where its mistakes go. */
export interface ExpressionScope {
  readonly fields: readonly Field[]
  /** Columns whose type cannot be told since they are wrong themselves, which was reported. */
  readonly untold: ReadonlySet<string>
  /** Whether it may ask for properties of rows, which only `select` may. */
  readonly rowProperties: boolean
  report(message: string, hint: string): void
}

/** The type of an expression that was checked. */
export function expressionType(node: Expression, fields: readonly Field[]): ValueType {
  const report = (message: string): void => assert(false, `the plan was checked: ${message}`)
  const type = typeExpression(node, { fields, untold: new Set(), rowProperties: true, report })
  assert(type, 'the plan was checked: its expressions have types')
  return type
}

/** Finds the type of an expression and reports everything wrong with it; undefined when its type cannot be told. */
export function typeExpression(node: Expression, scope: ExpressionScope): ValueType | undefined {
  return new Typing(scope).typeOf(node, 1)
}

/** Kinds whose values have an order. */
const ORDERED_KINDS: readonly ValueKind[] = ['text', 'number', 'time']

class Typing {
  readonly #scope: ExpressionScope
  #nodes = 0

  constructor(scope: ExpressionScope) {
    this.#scope = scope
  }

  typeOf(node: Expression, depth: number): Typed | undefined {
    if (depth > EXPRESSION_DEPTH_MAX) {
      this.#report(
        `the expression nests deeper than ${EXPRESSION_DEPTH_MAX} levels`,
        'give and() and or() more operands',
      )
      return undefined
    }
    if (++this.#nodes === EXPRESSION_NODES_MAX + 1) {
      this.#report(
        `the expression has more than ${EXPRESSION_NODES_MAX} parts`,
        'make columns of its parts with derive()',
      )
    }
    if (this.#nodes > EXPRESSION_NODES_MAX) return undefined
    switch (node.kind) {
      case 'column':
        return this.#columnType(node.name)
      case 'literal':
        return this.#literalType(node.value)
      case 'compare':
        return this.#comparisonType(node, depth)
      case 'and':
      case 'or':
        if (node.operands.length === 0) this.#report(`${node.kind}() of nothing`, 'give it at least one operand')
        return combined(node.operands.map((operand) => this.#conditionType(operand, depth + 1)))
      case 'not':
        return this.#conditionType(node.operand, depth + 1)
      case 'is-null': {
        const operand = this.typeOf(node.operand, depth + 1)
        if (operand?.constant) this.#report('isNull() of a constant', 'ask it of a column')
        return { type: 'boolean', required: true, constant: false }
      }
      case 'in':
        return this.#listType(node.operand, node.values, depth)
      case 'call':
        return this.#callType(node, depth)
      case 'case':
        return this.#caseType(node, depth)
      case 'row': {
        if (!this.#scope.rowProperties) {
          this.#report(`the property "${node.property}" of a row`, 'ask for it in select(), as the last step')
        }
        const { type, required } = rowPropertyField(node.property)
        return { type, required, constant: false }
      }
      default:
        return unreachable(node)
    }
  }

  #columnType(name: string): Typed | undefined {
    const { fields } = this.#scope
    const field = fields.find((one) => one.name === name)
    if (field) {
      const { type, scale, required } = field
      return { type, required, constant: false, ...(scale === undefined ? {} : { scale }) }
    }
    if (this.#scope.untold.has(name)) return undefined
    const names = fields.map((one) => one.name)
    this.#report(`there is no column "${shown(name)}"`, nameHint(name, names))
    return undefined
  }

  #literalType(value: LiteralValue): Typed | undefined {
    if (typeof value !== 'number' || Number.isFinite(value)) return { ...literalType(value), constant: true }
    this.#report(`${value} is no value of any column`, 'use a finite number')
    return undefined
  }

  #conditionType(node: Expression, depth: number): Typed | undefined {
    const type = this.typeOf(node, depth)
    if (type) this.requireCondition(type)
    return type && { ...type, type: 'boolean' }
  }

  /** Reports what is not true or false. */
  requireCondition({ type }: ValueType): void {
    if (type === 'boolean') return
    const hint = 'compare it: eq, lt, isIn, isNull, ...'
    this.#report(`a condition is true or false, this is a ${VALUE_KINDS[type]} value`, hint)
  }

  #comparisonType({ operator, left, right }: Comparison, depth: number): Typed {
    const leftType = this.typeOf(left, depth + 1)
    const rightType = this.typeOf(right, depth + 1)
    if (!leftType || !rightType) return { type: 'boolean', required: false, constant: false }
    const sign = COMPARISON_SIGNS[operator]
    const [leftKind, rightKind] = [VALUE_KINDS[leftType.type], VALUE_KINDS[rightType.type]]
    if (leftType.constant && rightType.constant) {
      const message = `${describe(left)} ${sign} ${describe(right)} compares two constants`
      this.#report(message, 'compare a column with something')
    } else if (!comparable(leftKind, left, rightKind, right)) {
      this.#report(mismatch(leftKind, left, sign, rightKind, right), mismatchHint([leftKind, rightKind]))
    } else if (operator !== 'eq' && operator !== 'ne' && !ORDERED_KINDS.includes(leftKind)) {
      this.#report(`${leftKind} values have no order, so "${sign}" says nothing`, 'use eq or ne')
    }
    return { type: 'boolean', required: leftType.required && rightType.required, constant: false }
  }

  #listType(operand: Expression, values: readonly LiteralValue[], depth: number): Typed {
    const type = this.typeOf(operand, depth + 1)
    if (type?.constant) this.#report('isIn() of a constant', 'ask it of a column')
    if (values.length === 0) this.#report('isIn() with an empty list is never true', 'give it at least one value')
    for (const value of values) {
      const literal: Expression = { kind: 'literal', value }
      const valueType = this.#literalType(value)
      if (!type || !valueType) continue
      const [kind, valueKind] = [VALUE_KINDS[type.type], VALUE_KINDS[valueType.type]]
      if (comparable(kind, operand, valueKind, literal)) continue
      this.#report(mismatch(kind, operand, 'in', valueKind, literal), mismatchHint([kind, valueKind]))
      break
    }
    return { type: 'boolean', required: type?.required ?? false, constant: false }
  }

  #callType(node: Call, depth: number): Typed | undefined {
    const types = node.operands.map((operand) => this.typeOf(operand, depth + 1))
    return typeCall(node, types, (message, hint) => this.#report(message, hint))
  }

  #caseType({ branches, otherwise }: Case, depth: number): Typed | undefined {
    if (branches.length === 0) this.#report('cond() without a condition', 'give it at least one [condition, value]')
    for (const { when } of branches) this.#conditionType(when, depth + 1)
    const nodes = [...branches.map(({ value }) => value), ...(otherwise ? [otherwise] : [])]
    const types = nodes.map((node) => this.typeOf(node, depth + 1))
    const known = types.filter((type) => type !== undefined)
    if (known.length < nodes.length) return undefined
    const common = commonType(nodes, known)
    if (!common) {
      if (nodes.length > 0) this.#report(`the values of cond() are ${kindList(known)}`, 'give it values of one kind')
      return undefined
    }
    return { ...common.type, required: otherwise !== undefined && !common.required.includes(false), constant: false }
  }

  #report(message: string, hint: string): void {
    this.#scope.report(message, hint)
  }
}

/** Reports everything wrong with a condition: what is wrong with the expression, and when it is not true or false. */
export function typeCondition(node: Expression, scope: ExpressionScope): void {
  const typing = new Typing(scope)
  const type = typing.typeOf(node, 1)
  if (type) typing.requireCondition(type)
}

function combined(types: readonly (Typed | undefined)[]): Typed {
  const required = types.every((type) => type?.required)
  return { type: 'boolean', required, constant: types.every((type) => type?.constant) }
}

/** Values of one kind; besides, a time with its literal, and a UUID with its text form. JSON has no equality. */
function comparable(leftKind: ValueKind, left: Expression, rightKind: ValueKind, right: Expression): boolean {
  if (leftKind === 'json' || rightKind === 'json') return false
  return leftKind === rightKind || standsFor(leftKind, right) || standsFor(rightKind, left)
}

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
