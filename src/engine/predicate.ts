import { assert, unreachable } from '../base/assert.ts'
import { compareBytes, encodeText } from '../base/bytes.ts'
import type { Batch } from '../batch/batch.ts'
import { BOOLEAN_NULL, type Column } from '../batch/column.ts'
import type { Dictionary } from '../batch/dictionary.ts'
import { type Field, fieldIndex } from '../batch/schema.ts'
import type { ComparisonOperator, Expression, LiteralValue } from '../plan/expression.ts'
import { timeLiteralMs } from '../plan/time-literal.ts'

/** Truth of a predicate per row: 0 false, 1 true, 2 null. Valid until the predicate is evaluated again. */
export type Truths = Uint8Array
export const TRUE = 1
const NULL = 2

/** A compiled predicate: the truth of every row of a batch. */
export type Predicate = (batch: Batch) => Truths

/** Compiles a checked expression; `fields` are the columns of the batches it will see. */
export function compilePredicate(node: Expression, fields: readonly Field[]): Predicate {
  switch (node.kind) {
    case 'and':
    case 'or':
      return logic(
        node.kind,
        node.operands.map((operand) => compilePredicate(operand, fields)),
      )
    case 'not':
      return inverted(compilePredicate(node.operand, fields))
    case 'is-null':
      return perRow(fields, [node.operand], ([value]) => (value === null ? 1 : 0))
    case 'in': {
      const peer = node.operand.kind === 'column' ? fields[fieldIndex({ fields }, node.operand.name)] : undefined
      const values = node.values.map((value) => constant(value, peer))
      return perRow(fields, [node.operand], ([value]) => {
        if (value === null || value === undefined) return NULL
        return values.some((one) => compare(value, one, 'eq') === 1) ? 1 : 0
      })
    }
    case 'compare': {
      const { operator } = node
      return perRow(fields, [node.left, node.right], ([left, right]) =>
        compare(left as CellValue, right as CellValue, operator),
      )
    }
    case 'column':
      return perRow(fields, [node], ([value]) => (value === null ? NULL : value === true ? 1 : 0))
    case 'literal':
      return (batch) => new Uint8Array(batch.rowCount).fill(node.value === true ? 1 : 0)
    default:
      return unreachable(node)
  }
}

/** Text as bytes, numbers in their column's own unit, times in ms; null is null. */
type CellValue = Uint8Array | number | boolean | null

/** A test over the values of one or two operands; over one dictionary column and constants it runs once per code. */
function perRow(
  fields: readonly Field[],
  operands: readonly Expression[],
  test: (values: CellValue[]) => number,
): Predicate {
  const peer = operands
    .map((operand) => (operand.kind === 'column' ? fields[fieldIndex({ fields }, operand.name)] : undefined))
    .find(Boolean)
  const columns = operands.map((operand) => (operand.kind === 'column' ? fieldIndex({ fields }, operand.name) : -1))
  const constants = operands.map((operand) => (operand.kind === 'literal' ? constant(operand.value, peer) : null))
  const columnIndex = columns.find((index) => index >= 0)
  assert(columnIndex !== undefined, 'a comparison has a column')
  const values = (cell: CellValue): CellValue[] =>
    columns.map((index, at) => (index < 0 ? (constants[at] as CellValue) : cell))
  const single = columns.filter((index) => index >= 0).length === 1
  const cache = new CodeCache((dictionary, code) => test(values(code < 0 ? null : dictionary.bytes(code))))
  let truths = new Uint8Array(1024)
  return (batch) => {
    if (truths.length < batch.rowCount) truths = new Uint8Array(batch.rowCount * 2)
    const column = batch.columns[columnIndex] as Column
    if (single && column.kind === 'dictionary') {
      cache.gather(column.dictionary, column.codes, truths, batch.rowCount)
      return truths
    }
    for (let row = 0; row < batch.rowCount; row++) {
      const cells = columns.map((index, at) =>
        index < 0 ? (constants[at] as CellValue) : cell(batch.columns[index] as Column, row),
      )
      truths[row] = test(cells)
    }
    return truths
  }
}

/** A result per dictionary code, computed once. */
class CodeCache {
  readonly #compute: (dictionary: Dictionary, code: number) => number
  #dictionary: Dictionary | undefined
  #byCode = new Uint8Array(64)
  #known = 0
  #ofNull = 0

  constructor(compute: (dictionary: Dictionary, code: number) => number) {
    this.#compute = compute
  }

  gather(dictionary: Dictionary, codes: Int32Array, into: Uint8Array, rowCount: number): void {
    if (this.#dictionary !== dictionary) {
      this.#dictionary = dictionary
      this.#known = 0
      this.#ofNull = this.#compute(dictionary, -1)
    }
    if (this.#byCode.length < dictionary.size) {
      const grown = new Uint8Array(dictionary.size * 2)
      grown.set(this.#byCode)
      this.#byCode = grown
    }
    for (; this.#known < dictionary.size; this.#known++)
      this.#byCode[this.#known] = this.#compute(dictionary, this.#known)
    const byCode = this.#byCode
    for (let row = 0; row < rowCount; row++) {
      const code = codes[row] as number
      into[row] = code < 0 ? this.#ofNull : (byCode[code] as number)
    }
  }
}

function cell(column: Column, row: number): CellValue {
  switch (column.kind) {
    case 'dictionary': {
      const code = column.codes[row] as number
      return code < 0 ? null : column.dictionary.bytes(code)
    }
    case 'string': {
      const start = column.starts[row] as number
      const length = column.lengths[row] as number
      return length < 0 ? null : column.data.subarray(start, start + length)
    }
    case 'number': {
      const value = column.values[row] as number
      return Number.isNaN(value) ? null : value
    }
    case 'int32':
      return column.validity[row] === 0 ? null : (column.values[row] as number)
    case 'boolean': {
      const value = column.values[row] as number
      return value === BOOLEAN_NULL ? null : value === 1
    }
    case 'uuid':
      return column.validity[row] === 0 ? null : column.bytes.subarray(row * 16, row * 16 + 16)
    default:
      return unreachable(column)
  }
}

/** Money as whole units: `1.15` of two digits is 115, although 1.15 * 100 is not. Digits beyond the scale stay a fraction. */
export function units(value: number, scale: number): number {
  const exact = value * 10 ** scale
  const whole = Math.round(exact)
  return Math.abs(exact - whole) < 1e-6 ? whole : exact
}

/** A constant in the unit of the column it is compared with. */
function constant(value: LiteralValue, peer: Field | undefined): CellValue {
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return peer?.type === 'decimal' ? units(value, peer.scale ?? 0) : value
  if (peer?.type === 'timestamp') return timeLiteralMs(value) ?? Number.NaN
  if (peer?.type === 'uuid')
    return Uint8Array.from(value.replaceAll('-', '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  return encodeText(value)
}

function compare(left: CellValue, right: CellValue, operator: ComparisonOperator): number {
  if (left === null || right === null) return NULL
  const order = orderOf(left, right)
  switch (operator) {
    case 'eq':
      return order === 0 ? 1 : 0
    case 'ne':
      return order === 0 ? 0 : 1
    case 'lt':
      return order < 0 ? 1 : 0
    case 'le':
      return order <= 0 ? 1 : 0
    case 'gt':
      return order > 0 ? 1 : 0
    case 'ge':
      return order >= 0 ? 1 : 0
    default:
      return unreachable(operator)
  }
}

function orderOf(left: Exclude<CellValue, null>, right: Exclude<CellValue, null>): number {
  if (left instanceof Uint8Array && right instanceof Uint8Array) return compareBytes(left, right)
  return Number(left) - Number(right)
}

function logic(kind: 'and' | 'or', operands: readonly Predicate[]): Predicate {
  const decisive = kind === 'and' ? 0 : 1
  return (batch) => {
    const truths = new Uint8Array(batch.rowCount).fill(1 - decisive)
    for (const operand of operands) {
      const others = operand(batch)
      for (let row = 0; row < batch.rowCount; row++) {
        const other = others[row] as number
        if (truths[row] === decisive) continue
        if (other === decisive || other === NULL) truths[row] = other
      }
    }
    return truths
  }
}

function inverted(operand: Predicate): Predicate {
  return (batch) => {
    const truths = new Uint8Array(batch.rowCount)
    const others = operand(batch)
    for (let row = 0; row < batch.rowCount; row++)
      truths[row] = others[row] === NULL ? NULL : 1 - (others[row] as number)
    return truths
  }
}
