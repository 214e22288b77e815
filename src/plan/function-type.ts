import { unreachable } from '../base/assert.ts'
import { TIME_UNITS } from '../batch/calendar.ts'
import type { Call, Expression } from './expression.ts'
import { describe } from './expression-text.ts'
import { FUNCTIONS, type Parameter } from './function-table.ts'
import { nameHint } from './nearest-name.ts'
import { shown } from './plan-problem.ts'
import { timeZoneExists } from './time-zone-exists.ts'
import {
  commonType,
  DECIMAL_SCALE_MAX,
  kindList,
  numericType,
  type Typed,
  VALUE_KINDS,
  type ValueType,
} from './value-type.ts'

type Report = (message: string, hint: string) => void

/** Type of a function's value, from those of its operands; reports what it cannot take. */
export function typeCall(node: Call, types: readonly (Typed | undefined)[], report: Report): Typed | undefined {
  const { parameters, optionalFrom, variadic } = FUNCTIONS[node.name]
  const { operands, name } = node
  const fewest = optionalFrom ?? parameters.length
  if (operands.length < fewest || (operands.length > parameters.length && !variadic)) {
    const most = variadic ? 'or more' : parameters.length > fewest ? `to ${parameters.length}` : ''
    report(`${name}() of ${operands.length} operands`, `it takes ${fewest} ${most}`.trim())
    return undefined
  }
  if (types.some((type) => type === undefined)) return undefined
  const known = types as readonly Typed[]
  let fine = true
  for (const [index, operand] of operands.entries()) {
    const parameter = parameters[Math.min(index, parameters.length - 1)] as Parameter
    const wrong = complaint(parameter, operand, known[index] as Typed)
    if (wrong === undefined) continue
    fine = false
    report(`${name}() of ${describe(operand)} (${VALUE_KINDS[(known[index] as Typed).type]})`, wrong)
  }
  if (!fine) return undefined
  const constant = known.every((type) => type.constant)
  if (constant && name !== 'coalesce') {
    report(`${name}() of constants is the same for every row`, `name a column: ${name}(col('...'))`)
    return undefined
  }
  const type = resultType(node, known, report)
  return type && { ...type, constant }
}

/** What a parameter takes instead, when it does not take the operand. */
function complaint(parameter: Parameter, operand: Expression, { type }: ValueType): string | undefined {
  const kind = VALUE_KINDS[type]
  if (typeof parameter === 'object') return positionComplaint(parameter.min, parameter.max, operand)
  switch (parameter) {
    case 'text':
      return kind === 'text' ? undefined : 'it takes text; toText() makes text of other values'
    case 'number':
      return kind === 'number'
        ? undefined
        : 'it takes numbers; toNumber(), toDecimal() and toInteger() make numbers of text'
    case 'time':
      return kind === 'time'
        ? undefined
        : 'it takes a time; toTime() makes a time of text or of milliseconds since 1970'
    case 'text or number':
      return kind === 'text' || kind === 'number' ? undefined : 'it takes text or a number'
    case 'text or whole number':
      return kind === 'text' || type === 'int64' || type === 'int32' ? undefined : 'it takes text or a whole number'
    case 'anything':
      return undefined
    case 'time zone': {
      const fine = operand.kind === 'literal' && typeof operand.value === 'string' && timeZoneExists(operand.value)
      return fine ? undefined : 'use an IANA name such as "Europe/Paris" or "UTC"'
    }
    case 'time unit': {
      const unit = operand.kind === 'literal' ? String(operand.value) : ''
      return TIME_UNITS.some((one) => one === unit) ? undefined : nameHint(shown(unit), TIME_UNITS)
    }
    case 'constant text': {
      const fine = operand.kind === 'literal' && typeof operand.value === 'string' && operand.value !== ''
      return fine ? undefined : 'it takes a constant text that is not empty'
    }
    default:
      return unreachable(parameter)
  }
}

function positionComplaint(min: number, max: number, operand: Expression): string | undefined {
  const value = operand.kind === 'literal' ? operand.value : undefined
  const fine = typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
  return fine ? undefined : `it takes a constant whole number from ${min} to ${max}`
}

function resultType({ name, operands }: Call, types: readonly ValueType[], report: Report): ValueType | undefined {
  const { result, mayFail } = FUNCTIONS[name]
  const required = !mayFail && types.every((type) => type.required)
  switch (result) {
    case 'text':
      if (name !== 'toText' || types[0]?.type !== 'float64') return { type: 'string', required }
      report(
        `toText() of ${describe(operands[0] as Expression)} (double)`,
        'say how many digits: toText(toDecimal(x, 2))',
      )
      return undefined
    case 'integer':
      return { type: 'int64', required }
    case 'double':
      return { type: 'float64', required: required || (name === 'toNumber' && neverFails(types)) }
    case 'boolean':
      return { type: 'boolean', required }
    case 'time':
      return { type: 'timestamp', required }
    case 'sum':
    case 'negative':
      return { ...numericType(types), required }
    case 'product':
      return productType(types, report)
    case 'decimal': {
      const scale = operands[1]?.kind === 'literal' ? Number(operands[1].value) : 0
      return { type: 'decimal', scale, required }
    }
    case 'common': {
      const common = commonType(operands, types)
      if (common) return { ...common.type, required: common.required.includes(true) }
      report(`coalesce() of ${kindList(types)}`, 'give it texts, numbers, times or conditions, all of one kind')
      return undefined
    }
    default:
      return unreachable(result)
  }
}

/** A number as a double is a number always. */
function neverFails([operand]: readonly ValueType[]): boolean {
  return operand?.required === true && VALUE_KINDS[operand.type] === 'number'
}

function productType(types: readonly ValueType[], report: Report): ValueType | undefined {
  const type = { ...numericType(types), required: false }
  if (type.type !== 'decimal') return type
  const scale = types.reduce((sum, one) => sum + (one.scale ?? 0), 0)
  if (scale <= DECIMAL_SCALE_MAX) return { ...type, scale }
  report(
    `a product with ${scale} digits after the point`,
    `keep to ${DECIMAL_SCALE_MAX}: toDecimal(x, 2) rounds an operand, toNumber(x) makes it a double`,
  )
  return undefined
}
