import { unreachable } from '../../base/assert.ts'
import { floats, type NumberVector } from './vector.ts'

/** Functions of two numbers that give one of the same form. */
export type ArithmeticOperator = 'add' | 'sub' | 'mul' | 'mod'

/**
 * A function of two numbers of one form, row by row: units (whole numbers) or doubles. A result that is no whole number within
 * 2^53, or no finite double, is null.
 */
export function arithmetic(
  operator: ArithmeticOperator,
  left: NumberVector,
  right: NumberVector,
  units: boolean,
): NumberVector {
  const keep = units ? keepSafe : keepFinite
  let values = new Float64Array(0)
  return (batch) => {
    values = floats(values, batch.rowCount)
    combineInto(operator, left(batch), right(batch), values, batch.rowCount)
    keep(values, batch.rowCount)
    return values
  }
}

function combineInto(
  operator: ArithmeticOperator,
  left: Float64Array,
  right: Float64Array,
  into: Float64Array,
  rowCount: number,
): void {
  switch (operator) {
    case 'add':
      for (let row = 0; row < rowCount; row++) into[row] = left[row] + right[row]
      return
    case 'sub':
      for (let row = 0; row < rowCount; row++) into[row] = left[row] - right[row]
      return
    case 'mul':
      for (let row = 0; row < rowCount; row++) into[row] = left[row] * right[row]
      return
    case 'mod':
      for (let row = 0; row < rowCount; row++) into[row] = left[row] % right[row]
      return
    default:
      unreachable(operator)
  }
}

/** Quotients of doubles; null when the divisor is 0. */
export function quotient(left: NumberVector, right: NumberVector): NumberVector {
  let values = new Float64Array(0)
  return (batch) => {
    values = floats(values, batch.rowCount)
    const lefts = left(batch)
    const rights = right(batch)
    for (let row = 0; row < batch.rowCount; row++) values[row] = lefts[row] / rights[row]
    keepFinite(values, batch.rowCount)
    return values
  }
}

/** The numbers with their sign changed. */
export function negated(operand: NumberVector): NumberVector {
  let values = new Float64Array(0)
  return (batch) => {
    values = floats(values, batch.rowCount)
    const others = operand(batch)
    for (let row = 0; row < batch.rowCount; row++) values[row] = 0 - others[row]
    return values
  }
}

/** Units of a finer scale: times a power of ten. `safe`: null beyond 2^53; else only the order of the results is right there. */
export function scaledUp(operand: NumberVector, factor: number, safe: boolean): NumberVector {
  if (factor === 1) return operand
  let values = new Float64Array(0)
  return (batch) => {
    values = floats(values, batch.rowCount)
    const others = operand(batch)
    for (let row = 0; row < batch.rowCount; row++) values[row] = others[row] * factor
    if (safe) keepSafe(values, batch.rowCount)
    return values
  }
}

/** Units as doubles: the nearest double to each decimal. */
export function divided(operand: NumberVector, divisor: number): NumberVector {
  if (divisor === 1) return operand
  let values = new Float64Array(0)
  return (batch) => {
    values = floats(values, batch.rowCount)
    const others = operand(batch)
    for (let row = 0; row < batch.rowCount; row++) values[row] = others[row] / divisor
    return values
  }
}

/** A function of one number; NaN stays NaN, and NaN from others is null. */
export function mapped(operand: NumberVector, map: (value: number) => number): NumberVector {
  let values = new Float64Array(0)
  return (batch) => {
    values = floats(values, batch.rowCount)
    const others = operand(batch)
    for (let row = 0; row < batch.rowCount; row++) {
      const value = others[row]
      values[row] = Number.isNaN(value) ? Number.NaN : map(value)
    }
    return values
  }
}

/** The same number for every row. */
export function constantNumber(value: number): NumberVector {
  let values = new Float64Array(0)
  return (batch) => {
    if (values.length < batch.rowCount) values = floats(values, batch.rowCount).fill(value)
    return values
  }
}

/** Beyond 2^53 whole numbers are null. There is one zero: -0 becomes 0. */
function keepSafe(values: Float64Array, rowCount: number): void {
  for (let row = 0; row < rowCount; row++) {
    const value = values[row]
    values[row] = value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER ? value + 0 : Number.NaN
  }
}

/** What is no finite number is null. There is one zero: -0 becomes 0. */
function keepFinite(values: Float64Array, rowCount: number): void {
  for (let row = 0; row < rowCount; row++) {
    const value = values[row]
    values[row] = value - value === 0 ? value + 0 : Number.NaN
  }
}
