import { assert } from '../../base/assert.ts'
import { formatTime } from '../../base/time.ts'
import { Calendar, type TimeUnit } from '../../batch/calendar.ts'
import { formatDecimal } from '../../batch/decimal-text.ts'
import type { Call, Expression } from '../../plan/expression.ts'
import { arithmetic, mapped, negated, quotient } from './arithmetic.ts'
import {
  coarserUnits,
  millisToTime,
  numberToUnits,
  parsed,
  textToInteger,
  textToNumber,
  textToUnits,
  timeParser,
  toInteger,
} from './casts.ts'
import { firstNumbers, firstTexts, firstTruths } from './choice.ts'
import type { ExpressionCompiler } from './compiler.ts'
import { formOf } from './number-form.ts'
import { joinedText, mappedText, splitPart, substring, textLength, textTest, trimmed } from './text-functions.ts'
import { datePart } from './time-functions.ts'
import { urlHost, urlParam, urlPath } from './url.ts'
import { type NumberVector, type Texts, type TextVector, TRUE, type TruthVector } from './vector.ts'

const DOUBLE = { scale: undefined }
const WHOLE = { scale: 0 }

/** A function that gives numbers or times, in the form of its own type. */
export function callNumbers(node: Call, compiler: ExpressionCompiler): NumberVector {
  const form = formOf(compiler.typeOf(node))
  const [first, second] = node.operands as [Expression, Expression]
  switch (node.name) {
    case 'add':
    case 'sub':
    case 'mod':
      return arithmetic(
        node.name,
        compiler.numbers(first, form),
        compiler.numbers(second, form),
        form.scale !== undefined,
      )
    case 'mul': {
      const double = form.scale === undefined
      const [left, right] = [first, second].map((operand) =>
        compiler.numbers(operand, double ? DOUBLE : formOf(compiler.typeOf(operand))),
      ) as [NumberVector, NumberVector]
      return arithmetic('mul', left, right, !double)
    }
    case 'div':
      return quotient(compiler.numbers(first, DOUBLE), compiler.numbers(second, DOUBLE))
    case 'neg':
      return negated(compiler.numbers(first, form))
    case 'length':
      return parsed(compiler.texts(first), textLength)
    case 'year':
    case 'month':
    case 'dayOfMonth':
    case 'dayOfWeek':
    case 'hour':
    case 'minute':
      return mapped(compiler.numbers(first, WHOLE), datePart(node.name, new Calendar(zone(second))))
    case 'dateTrunc': {
      const calendar = new Calendar(zone(node.operands[2]))
      const unit = constant(first) as TimeUnit
      return mapped(compiler.numbers(second, WHOLE), (timeMs) => calendar.start(unit, timeMs))
    }
    case 'coalesce':
      return firstNumbers(node.operands.map((operand) => compiler.numbers(operand, form)))
    default:
      return castNumbers(node, compiler)
  }
}

/** Casts to numbers and times. */
function castNumbers(node: Call, compiler: ExpressionCompiler): NumberVector {
  const operand = node.operands[0] as Expression
  const text = compiler.kindOf(operand) === 'text'
  const own = formOf(compiler.typeOf(operand))
  switch (node.name) {
    case 'toNumber':
      return text ? parsed(compiler.texts(operand), textToNumber) : compiler.numbers(operand, DOUBLE)
    case 'toInteger': {
      if (text) return parsed(compiler.texts(operand), textToInteger)
      const divisor = 10 ** (own.scale ?? 0)
      return mapped(compiler.numbers(operand, own), (value) =>
        toInteger((value - (own.scale ? value % divisor : 0)) / divisor),
      )
    }
    case 'toDecimal': {
      const scale = Number(constant(node.operands[1] as Expression))
      if (text) return parsed(compiler.texts(operand), (value) => textToUnits(value, scale))
      if (own.scale === undefined) return mapped(compiler.numbers(operand, own), (value) => numberToUnits(value, scale))
      if (own.scale <= scale) return compiler.numbers(operand, { scale })
      const divisor = 10 ** (own.scale - scale)
      return mapped(compiler.numbers(operand, own), (value) => coarserUnits(value, divisor))
    }
    case 'toTime': {
      if (text) return parsed(compiler.texts(operand), timeParser(zone(node.operands[1])))
      return mapped(compiler.numbers(operand, WHOLE), millisToTime)
    }
    case 'toMillis':
      return compiler.numbers(operand, WHOLE)
    default:
      return assert(false, `the plan was checked: ${node.name}() gives no number`) as never
  }
}

/** A function that gives conditions. */
export function callTruths(node: Call, compiler: ExpressionCompiler): TruthVector {
  const [left, right] = node.operands as [Expression, Expression]
  const test = (holds: (text: string, other: string) => boolean): TruthVector =>
    textTest(compiler.texts(left), compiler.texts(right), holds)
  switch (node.name) {
    case 'startsWith':
      return test((text, other) => text.startsWith(other))
    case 'endsWith':
      return test((text, other) => text.endsWith(other))
    case 'contains':
      return test((text, other) => text.includes(other))
    case 'coalesce':
      return firstTruths(node.operands.map((operand) => compiler.truths(operand)))
    default:
      return assert(false, `the plan was checked: ${node.name}() is not true or false`) as never
  }
}

/** A function that gives texts. */
export function callTexts(node: Call, compiler: ExpressionCompiler): TextVector {
  const [first] = node.operands as [Expression]
  const map = (change: (text: string) => string | null): TextVector => mappedText(compiler.texts(first), change)
  const option = (index: number): string => String(constant(node.operands[index] as Expression))
  switch (node.name) {
    case 'lower':
      return map((text) => text.toLowerCase())
    case 'upper':
      return map((text) => text.toUpperCase())
    case 'trim':
      return map(trimmed)
    case 'substr': {
      const [start, count] = [
        Number(option(1)),
        node.operands.length > 2 ? Number(option(2)) : Number.POSITIVE_INFINITY,
      ]
      return map((text) => substring(text, start, count))
    }
    case 'splitPart': {
      const [delimiter, n] = [option(1), Number(option(2))]
      return map((text) => splitPart(text, delimiter, n))
    }
    case 'urlHost':
      return map(urlHost)
    case 'urlPath':
      return map(urlPath)
    case 'urlParam': {
      const name = option(1)
      return map((text) => urlParam(text, name))
    }
    case 'concat':
      return joinedText(node.operands.map((operand) => compiler.texts(operand)))
    case 'coalesce':
      return firstTexts(node.operands.map((operand) => compiler.texts(operand)))
    case 'toText':
      return asText(first, compiler)
    default:
      return assert(false, `the plan was checked: ${node.name}() gives no text`) as never
  }
}

function asText(node: Expression, compiler: ExpressionCompiler): TextVector {
  const { type, scale = 0 } = compiler.typeOf(node)
  switch (compiler.kindOf(node)) {
    case 'number':
      return formatted(compiler.numbers(node, { scale }), (value) => formatDecimal(value, scale))
    case 'time':
      assert(type === 'timestamp', 'times are timestamps')
      return formatted(compiler.numbers(node, WHOLE), formatTime)
    case 'boolean':
      return truthTexts(compiler.truths(node))
    default:
      return compiler.texts(node)
  }
}

function formatted(operand: NumberVector, format: (value: number) => string): TextVector {
  const texts: Texts = []
  return (batch) => {
    const numbers = operand(batch)
    for (let row = 0; row < batch.rowCount; row++) texts[row] = Number.isNaN(numbers[row]) ? null : format(numbers[row])
    return texts
  }
}

function truthTexts(operand: TruthVector): TextVector {
  const texts: Texts = []
  return (batch) => {
    const truths = operand(batch)
    for (let row = 0; row < batch.rowCount; row++) {
      const truth = truths[row]
      texts[row] = truth === TRUE ? 'true' : truth === 0 ? 'false' : null
    }
    return texts
  }
}

function zone(operand: Expression | undefined): string {
  return operand === undefined ? 'UTC' : String(constant(operand))
}

function constant(operand: Expression): unknown {
  assert(operand.kind === 'literal', 'the plan was checked: an option is a constant')
  return operand.value
}
