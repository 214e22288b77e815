import { assert } from '../../base/assert.ts'
import { bytes, NULL, TRUE, type TruthVector } from './vector.ts'

/** True when all are, false when one is false, else null; or the other way round. */
export function logic(kind: 'and' | 'or', operands: readonly TruthVector[]): TruthVector {
  const [first, ...others] = operands
  assert(first, 'the plan was checked: there is an operand')
  const combine = kind === 'and' ? andInto : orInto
  let values = new Uint8Array(0)
  return (batch) => {
    const { rowCount } = batch
    values = bytes(values, rowCount)
    values.set(first(batch).subarray(0, rowCount))
    for (const operand of others) combine(values, operand(batch), rowCount)
    return values
  }
}

/** The opposite; null stays null. */
export function inverted(operand: TruthVector): TruthVector {
  let values = new Uint8Array(0)
  return (batch) => {
    values = bytes(values, batch.rowCount)
    invertInto(values, operand(batch), batch.rowCount)
    return values
  }
}

function andInto(values: Uint8Array, others: Uint8Array, rowCount: number): void {
  for (let row = 0; row < rowCount; row++) {
    const value = values[row]
    const other = others[row]
    // Without branches, which data decides: -n >> 31 is all ones for what is not 0.
    values[row] = (-value >> 31) & (-other >> 31) & (value | other)
  }
}

function orInto(values: Uint8Array, others: Uint8Array, rowCount: number): void {
  for (let row = 0; row < rowCount; row++) {
    const value = values[row]
    const other = others[row]
    // One of them is true when this is 1, or when the other one is 0, which the union leaves as it is.
    values[row] = (value & other) === TRUE ? TRUE : value | other
  }
}

function invertInto(values: Uint8Array, others: Uint8Array, rowCount: number): void {
  for (let row = 0; row < rowCount; row++) {
    const other = others[row]
    values[row] = other === NULL ? NULL : 1 - other
  }
}
