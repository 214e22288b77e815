import { unreachable } from '../../base/assert.ts'
import type { ComparisonOperator } from '../../plan/expression.ts'
import { bytes, NULL, type NumberVector, type Texts, type TextVector, type TruthVector } from './vector.ts'

/** Numbers compared row by row; null when one of them is. */
export function compareNumbers(operator: ComparisonOperator, left: NumberVector, right: NumberVector): TruthVector {
  const loop = NUMBER_LOOPS[operator]
  let truths = new Uint8Array(0)
  return (batch) => {
    truths = bytes(truths, batch.rowCount)
    loop(left(batch), right(batch), truths, batch.rowCount)
    return truths
  }
}

/** Numbers compared with a constant that is not NaN. */
export function compareWithNumber(operator: ComparisonOperator, left: NumberVector, right: number): TruthVector {
  const loop = CONSTANT_LOOPS[operator]
  let truths = new Uint8Array(0)
  return (batch) => {
    truths = bytes(truths, batch.rowCount)
    loop(left(batch), right, truths, batch.rowCount)
    return truths
  }
}

/** Whether each number is in a list; null for null. */
export function numberIn(operand: NumberVector, values: readonly number[]): TruthVector {
  const set = new Set(values)
  let truths = new Uint8Array(0)
  return (batch) => {
    truths = bytes(truths, batch.rowCount)
    const numbers = operand(batch)
    for (let row = 0; row < batch.rowCount; row++) {
      const value = numbers[row]
      truths[row] = Number.isNaN(value) ? NULL : set.has(value) ? 1 : 0
    }
    return truths
  }
}

/** Texts compared row by row, by their UTF-8 bytes; null when one of them is. */
export function compareTexts(operator: ComparisonOperator, left: TextVector, right: TextVector): TruthVector {
  let truths = new Uint8Array(0)
  return (batch) => {
    truths = bytes(truths, batch.rowCount)
    textsInto(operator, left(batch), right(batch), truths, batch.rowCount)
    return truths
  }
}

/** Whether each text is in a list; null for null. */
export function textIn(operand: TextVector, values: readonly string[]): TruthVector {
  const set = new Set(values)
  let truths = new Uint8Array(0)
  return (batch) => {
    truths = bytes(truths, batch.rowCount)
    const texts = operand(batch)
    for (let row = 0; row < batch.rowCount; row++) {
      const text = texts[row]
      truths[row] = text === null ? NULL : set.has(text) ? 1 : 0
    }
    return truths
  }
}

/** Conditions compared row by row; null when one of them is. */
export function compareTruths(equal: boolean, left: TruthVector, right: TruthVector): TruthVector {
  const whenSame = equal ? 1 : 0
  let truths = new Uint8Array(0)
  return (batch) => {
    truths = bytes(truths, batch.rowCount)
    const lefts = left(batch)
    const rights = right(batch)
    for (let row = 0; row < batch.rowCount; row++) {
      const one = lefts[row]
      const other = rights[row]
      truths[row] = one === NULL || other === NULL ? NULL : one === other ? whenSame : 1 - whenSame
    }
    return truths
  }
}

type Loop<R> = (left: Float64Array, right: R, into: Uint8Array, rowCount: number) => void

const NUMBER_LOOPS: Readonly<Record<ComparisonOperator, Loop<Float64Array>>> = {
  eq: (left, right, into, rowCount) => equalInto(left, right, into, rowCount, 1),
  ne: (left, right, into, rowCount) => equalInto(left, right, into, rowCount, 0),
  lt: (left, right, into, rowCount) => lessInto(left, right, into, rowCount, 1),
  ge: (left, right, into, rowCount) => lessInto(left, right, into, rowCount, 0),
  gt: (left, right, into, rowCount) => lessInto(right, left, into, rowCount, 1),
  le: (left, right, into, rowCount) => lessInto(right, left, into, rowCount, 0),
}

const CONSTANT_LOOPS: Readonly<Record<ComparisonOperator, Loop<number>>> = {
  eq: (left, right, into, rowCount) => equalConstantInto(left, right, into, rowCount, 1),
  ne: (left, right, into, rowCount) => equalConstantInto(left, right, into, rowCount, 0),
  lt: (left, right, into, rowCount) => lessConstantInto(left, right, into, rowCount, 1),
  ge: (left, right, into, rowCount) => lessConstantInto(left, right, into, rowCount, 0),
  gt: (left, right, into, rowCount) => greaterConstantInto(left, right, into, rowCount, 1),
  le: (left, right, into, rowCount) => greaterConstantInto(left, right, into, rowCount, 0),
}

function equalInto(
  left: Float64Array,
  right: Float64Array,
  into: Uint8Array,
  rowCount: number,
  whenTrue: number,
): void {
  for (let row = 0; row < rowCount; row++) {
    const one = left[row]
    const other = right[row]
    into[row] = Number.isNaN(one) || Number.isNaN(other) ? NULL : one === other ? whenTrue : 1 - whenTrue
  }
}

function lessInto(left: Float64Array, right: Float64Array, into: Uint8Array, rowCount: number, whenTrue: number): void {
  for (let row = 0; row < rowCount; row++) {
    const one = left[row]
    const other = right[row]
    into[row] = one < other ? whenTrue : one >= other ? 1 - whenTrue : NULL
  }
}

function equalConstantInto(
  left: Float64Array,
  right: number,
  into: Uint8Array,
  rowCount: number,
  whenTrue: number,
): void {
  for (let row = 0; row < rowCount; row++) {
    const one = left[row]
    into[row] = Number.isNaN(one) ? NULL : one === right ? whenTrue : 1 - whenTrue
  }
}

function lessConstantInto(
  left: Float64Array,
  right: number,
  into: Uint8Array,
  rowCount: number,
  whenTrue: number,
): void {
  for (let row = 0; row < rowCount; row++) {
    const one = left[row]
    into[row] = one < right ? whenTrue : one >= right ? 1 - whenTrue : NULL
  }
}

function greaterConstantInto(
  left: Float64Array,
  right: number,
  into: Uint8Array,
  rowCount: number,
  whenTrue: number,
): void {
  for (let row = 0; row < rowCount; row++) {
    const one = left[row]
    into[row] = one > right ? whenTrue : one <= right ? 1 - whenTrue : NULL
  }
}

function textsInto(operator: ComparisonOperator, left: Texts, right: Texts, into: Uint8Array, rowCount: number): void {
  for (let row = 0; row < rowCount; row++) {
    const one = left[row]
    const other = right[row]
    into[row] = one === null || other === null ? NULL : holds(operator, orderOfTexts(one, other)) ? 1 : 0
  }
}

function holds(operator: ComparisonOperator, order: number): boolean {
  switch (operator) {
    case 'eq':
      return order === 0
    case 'ne':
      return order !== 0
    case 'lt':
      return order < 0
    case 'le':
      return order <= 0
    case 'gt':
      return order > 0
    case 'ge':
      return order >= 0
    default:
      return unreachable(operator)
  }
}

/** Order of the texts' UTF-8 bytes, which is that of their code points; JavaScript's own is that of UTF-16 units. */
export function orderOfTexts(left: string, right: string): number {
  if (left === right) return 0
  const length = Math.min(left.length, right.length)
  for (let at = 0; at < length; at++) {
    const one = left.charCodeAt(at)
    const other = right.charCodeAt(at)
    if (one !== other) return rank(one) - rank(other)
  }
  return left.length - right.length
}

/** Surrogates stand for code points above all others. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
