import { assert } from '../../base/assert.ts'
import type { LiteralValue } from '../../plan/expression.ts'
import { timeLiteralMs } from '../../plan/time-literal.ts'
import type { ValueType } from '../../plan/value-type.ts'
import { divided, scaledUp } from './arithmetic.ts'
import type { NumberVector } from './vector.ts'

/**
 * How the numbers of a vector are to be read: whole units of 10^-scale (whole numbers and times have scale 0), or doubles when
 * the scale is undefined.
 */
export interface NumberForm {
  readonly scale: number | undefined
}

/** The form in which values of a type are kept. */
export function formOf({ type, scale }: ValueType): NumberForm {
  return { scale: type === 'float64' ? undefined : (scale ?? 0) }
}

/** Numbers of one form in another that is a double or as fine; null beyond 2^53 units if `safe`, else only in order there. */
export function inForm(operand: NumberVector, from: NumberForm, to: NumberForm, safe = true): NumberVector {
  if (from.scale === to.scale) return operand
  if (from.scale === undefined || (to.scale !== undefined && to.scale < from.scale)) {
    return assert(false, `no way from scale ${from.scale} to ${to.scale} without rounding`) as never
  }
  if (to.scale === undefined) return divided(operand, 10 ** from.scale)
  return scaledUp(operand, 10 ** (to.scale - from.scale), safe)
}

/** A constant in a form; a time in its text form is one too. */
export function constantInForm(value: LiteralValue, { scale }: NumberForm, type: ValueType['type']): number {
  if (type === 'timestamp') return timeLiteralMs(value) ?? Number.NaN
  assert(typeof value === 'number', 'the plan was checked: the constant is a number')
  return scale === undefined ? value : units(value, scale)
}

/** Money as whole units: `1.15` of two digits is 115, although 1.15 * 100 is not. Digits beyond the scale stay a fraction. */
export function units(value: number, scale: number): number {
  const exact = value * 10 ** scale
  const whole = Math.round(exact)
  return Math.abs(exact - whole) < 1e-6 ? whole : exact
}
