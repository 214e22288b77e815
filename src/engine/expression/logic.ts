import { bytes, NULL, TRUE, type TruthVector } from './vector.ts'

/** True when all are, false when one is false, else null; or the other way round. */
export function logic(kind: 'and' | 'or', operands: readonly TruthVector[]): TruthVector {
  const combine = kind === 'and' ? andInto : orInto
  let values = new Uint8Array(0)
  return (batch) => {
    values = bytes(values, batch.rowCount)
    values.fill(kind === 'and' ? 1 : 0, 0, batch.rowCount)
    for (const operand of operands) combine(values, operand(batch), batch.rowCount)
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
    values[row] = value === 0 || other === 0 ? 0 : value | other
  }
}

function orInto(values: Uint8Array, others: Uint8Array, rowCount: number): void {
  for (let row = 0; row < rowCount; row++) {
    const value = values[row]
    const other = others[row]
    values[row] = value === TRUE || other === TRUE ? TRUE : value | other
  }
}

function invertInto(values: Uint8Array, others: Uint8Array, rowCount: number): void {
  for (let row = 0; row < rowCount; row++) {
    const other = others[row]
    values[row] = other === NULL ? NULL : 1 - other
  }
}
