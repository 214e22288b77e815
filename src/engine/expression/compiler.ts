import { assert, unreachable } from '../../base/assert.ts'
import { type Field, fieldIndex } from '../../batch/schema.ts'
import type { Case, Comparison, Expression, LiteralValue } from '../../plan/expression.ts'
import { expressionType } from '../../plan/expression-type.ts'
import {
  literalType,
  numericType,
  rowPropertyField,
  VALUE_KINDS,
  type ValueKind,
  type ValueType,
} from '../../plan/value-type.ts'
import { constantNumber } from './arithmetic.ts'
import { callNumbers, callTexts, callTruths } from './calls.ts'
import { chooseNumbers, chooseTexts, chooseTruths } from './choice.ts'
import { codeWiseNumbers, codeWiseTexts, codeWiseTruths } from './code-wise.ts'
import { compareNumbers, compareTexts, compareTruths, compareWithNumber, numberIn, textIn } from './compare.ts'
import { singleColumn } from './dependency.ts'
import { inverted, logic } from './logic.ts'
import { constantInForm, formOf, inForm, type NumberForm } from './number-form.ts'
import { constantText } from './text-functions.ts'
import {
  bytes,
  columnNulls,
  columnNumbers,
  columnTexts,
  columnTruths,
  type NumberVector,
  numberNulls,
  type TextVector,
  type TruthVector,
  textNulls,
  truthNulls,
} from './vector.ts'

/**
 * Compiles checked expressions over batches with these fields. What depends on one text column only is computed once per code
 * of its dictionary: the largest such parts of an expression become code-wise vectors, and within them everything is compiled
 * as it is, since it then runs over codes.
 */
export class ExpressionCompiler {
  readonly fields: readonly Field[]
  readonly #withinCodes: boolean

  constructor(fields: readonly Field[], withinCodes = false) {
    this.fields = fields
    this.#withinCodes = withinCodes
  }

  typeOf(node: Expression): ValueType {
    return expressionType(node, this.fields)
  }

  kindOf(node: Expression): ValueKind {
    return VALUE_KINDS[this.typeOf(node).type]
  }

  /** Numbers or times in a form, which is a double or as fine as the expression's own. */
  numbers(node: Expression, form: NumberForm): NumberVector {
    if (node.kind === 'literal') {
      const { type } = this.typeOf(node)
      // A text among times is a time.
      const value = constantInForm(node.value, form, type === 'string' ? 'timestamp' : type)
      const tooLarge = form.scale !== undefined && !Number.isSafeInteger(value)
      return constantNumber(tooLarge ? Number.NaN : value)
    }
    const index = this.codeColumn(node)
    if (index >= 0) return codeWiseNumbers(this.#inner().numbers(node, form), index)
    const own = formOf(this.typeOf(node))
    return inForm(this.#ownNumbers(node, own), own, form)
  }

  #ownNumbers(node: Expression, own: NumberForm): NumberVector {
    switch (node.kind) {
      case 'column':
        return columnNumbers(this.columnIndex(node.name))
      case 'row':
        return columnNumbers(this.columnIndex(rowPropertyField(node.property).name))
      case 'case': {
        const { branches, otherwise } = this.#branches(node, (value) => this.numbers(value, own))
        return chooseNumbers(branches, otherwise)
      }
      case 'call':
        return callNumbers(node, this)
      default:
        return assert(false, `the plan was checked: ${node.kind} gives no number`) as never
    }
  }

  /** Conditions. */
  truths(node: Expression): TruthVector {
    if (node.kind === 'literal') {
      const value = node.value === true ? 1 : 0
      let values = new Uint8Array(0)
      return (batch) => {
        if (values.length < batch.rowCount) values = bytes(values, batch.rowCount).fill(value)
        return values
      }
    }
    const index = this.codeColumn(node)
    if (index >= 0) return codeWiseTruths(this.#inner().truths(node), index)
    switch (node.kind) {
      case 'column':
        return columnTruths(this.columnIndex(node.name))
      case 'row':
        return columnTruths(this.columnIndex(rowPropertyField(node.property).name))
      case 'compare':
        return this.#comparison(node)
      case 'and':
      case 'or':
        return logic(
          node.kind,
          node.operands.map((operand) => this.truths(operand)),
        )
      case 'not':
        return inverted(this.truths(node.operand))
      case 'is-null':
        return this.#nulls(node.operand)
      case 'in':
        return this.#membership(node.operand, node.values)
      case 'case': {
        const { branches, otherwise } = this.#branches(node, (value) => this.truths(value))
        return chooseTruths(branches, otherwise)
      }
      case 'call':
        return callTruths(node, this)
      default:
        return unreachable(node)
    }
  }

  /** Texts; UUIDs and JSON in their text form. */
  texts(node: Expression): TextVector {
    if (node.kind === 'literal') return constantText(String(node.value))
    const index = this.codeColumn(node)
    if (index >= 0) return codeWiseTexts(this.#inner().texts(node), index)
    switch (node.kind) {
      case 'column':
        return columnTexts(this.columnIndex(node.name))
      case 'case': {
        const { branches, otherwise } = this.#branches(node, (value) => this.texts(value))
        return chooseTexts(branches, otherwise)
      }
      case 'call':
        return callTexts(node, this)
      default:
        return assert(false, `the plan was checked: ${node.kind} gives no text`) as never
    }
  }

  /** Place of the text column that alone decides the value, -1 when there is none, or when codes are looked at already. */
  codeColumn(node: Expression): number {
    if (this.#withinCodes || node.kind === 'column' || node.kind === 'row') return -1
    const name = singleColumn(node)
    const index = name === undefined ? -1 : this.columnIndex(name)
    return index >= 0 && this.fields[index]?.type === 'string' ? index : -1
  }

  columnIndex(name: string): number {
    const index = fieldIndex({ fields: this.fields }, name)
    assert(index >= 0, `the plan was checked: column ${name} exists`)
    return index
  }

  #inner(): ExpressionCompiler {
    return new ExpressionCompiler(this.fields, true)
  }

  #branches<V>({ branches, otherwise }: Case, compile: (value: Expression) => V): Choices<V> {
    return {
      branches: branches.map(({ when, value }) => ({ when: this.truths(when), value: compile(value) })),
      otherwise: otherwise && compile(otherwise),
    }
  }

  #comparison({ operator, left, right }: Comparison): TruthVector {
    const kinds = [this.kindOf(left), this.kindOf(right)]
    // A constant takes the kind of what it is compared with.
    if (kinds.includes('time')) return this.#numberComparison(operator, left, right, { scale: 0 })
    if (kinds.includes('number')) {
      const form = formOf(numericType([this.typeOf(left), this.typeOf(right)]))
      return this.#numberComparison(operator, left, right, form)
    }
    if (kinds.includes('boolean')) return compareTruths(operator === 'eq', this.truths(left), this.truths(right))
    if (kinds.includes('uuid'))
      return compareTexts(operator, this.texts(lowerLiteral(left)), this.texts(lowerLiteral(right)))
    return compareTexts(operator, this.texts(left), this.texts(right))
  }

  #numberComparison(
    operator: Comparison['operator'],
    left: Expression,
    right: Expression,
    form: NumberForm,
  ): TruthVector {
    if (right.kind === 'literal')
      return compareWithNumber(operator, this.#ordered(left, form), this.#constant(right.value, left, form))
    if (left.kind === 'literal') {
      return compareWithNumber(MIRRORED[operator], this.#ordered(right, form), this.#constant(left.value, right, form))
    }
    return compareNumbers(operator, this.#ordered(left, form), this.#ordered(right, form))
  }

  #constant(value: LiteralValue, peer: Expression, form: NumberForm): number {
    return constantInForm(value, form, this.typeOf(peer).type)
  }

  /** Numbers in a form in which only their order is right beyond 2^53 units. */
  #ordered(node: Expression, form: NumberForm): NumberVector {
    const own = formOf(this.typeOf(node))
    return inForm(this.numbers(node, own), own, form, false)
  }

  #nulls(node: Expression): TruthVector {
    if (node.kind === 'column') return columnNulls(this.columnIndex(node.name))
    switch (this.kindOf(node)) {
      case 'number':
      case 'time':
        return nullsOf(this.numbers(node, formOf(this.typeOf(node))), numberNulls)
      case 'boolean':
        return nullsOf(this.truths(node), truthNulls)
      default:
        return nullsOf(this.texts(node), textNulls)
    }
  }

  #membership(operand: Expression, values: readonly LiteralValue[]): TruthVector {
    const type = this.typeOf(operand)
    switch (VALUE_KINDS[type.type]) {
      case 'number':
      case 'time': {
        const time = type.type === 'timestamp'
        const form = time ? { scale: 0 } : formOf(numericType([type, ...values.map(literalType)]))
        const constants = values.map((value) => constantInForm(value, form, type.type))
        return numberIn(this.#ordered(operand, form), constants)
      }
      case 'boolean':
        return logic(
          'or',
          values.map((value) => {
            const truths = this.truths(operand)
            return value === true ? truths : inverted(truths)
          }),
        )
      case 'uuid':
        return textIn(
          this.texts(operand),
          values.map((value) => String(value).toLowerCase()),
        )
      default:
        return textIn(this.texts(operand), values.map(String))
    }
  }
}

interface Choices<V> {
  readonly branches: readonly { readonly when: TruthVector; readonly value: V }[]
  readonly otherwise: V | undefined
}

/** What a comparison becomes when its sides change places. */
const MIRRORED = { eq: 'eq', ne: 'ne', lt: 'gt', le: 'ge', gt: 'lt', ge: 'le' } as const

function nullsOf<V>(
  vector: (batch: Parameters<NumberVector>[0]) => V,
  mark: (values: V, into: Uint8Array, rowCount: number) => void,
): TruthVector {
  let nulls = new Uint8Array(0)
  return (batch) => {
    nulls = bytes(nulls, batch.rowCount)
    mark(vector(batch), nulls, batch.rowCount)
    return nulls
  }
}

/** UUIDs are compared in lower case. */
function lowerLiteral(node: Expression): Expression {
  return node.kind === 'literal' ? { kind: 'literal', value: String(node.value).toLowerCase() } : node
}
