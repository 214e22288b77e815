import {
  bytes,
  floats,
  NULL,
  type NumberVector,
  type Texts,
  type TextVector,
  TRUE,
  type TruthVector,
} from './vector.ts'

/** A condition, and the vector that gives the value where it is true. */
export interface Branch<V> {
  readonly when: TruthVector
  readonly value: V
}

/** Numbers of the first branch whose condition is true, else of `otherwise`. */
export function chooseNumbers(
  branches: readonly Branch<NumberVector>[],
  otherwise: NumberVector | undefined,
): NumberVector {
  let values = new Float64Array(0)
  return (batch) => {
    const { rowCount } = batch
    values = floats(values, rowCount)
    if (otherwise) values.set(otherwise(batch).subarray(0, rowCount))
    else values.fill(Number.NaN, 0, rowCount)
    // From the last to the first, so that the first one that is true has the last word.
    for (const { when, value } of branches.toReversed()) overlay(values, when(batch), value(batch), rowCount)
    return values
  }
}

/** Truths of the first branch whose condition is true, else of `otherwise`. */
export function chooseTruths(
  branches: readonly Branch<TruthVector>[],
  otherwise: TruthVector | undefined,
): TruthVector {
  let values = new Uint8Array(0)
  return (batch) => {
    const { rowCount } = batch
    values = bytes(values, rowCount)
    if (otherwise) values.set(otherwise(batch).subarray(0, rowCount))
    else values.fill(NULL, 0, rowCount)
    for (const { when, value } of branches.toReversed()) overlay(values, when(batch), value(batch), rowCount)
    return values
  }
}

/** Texts of the first branch whose condition is true, else of `otherwise`. */
export function chooseTexts(branches: readonly Branch<TextVector>[], otherwise: TextVector | undefined): TextVector {
  const values: Texts = []
  return (batch) => {
    const { rowCount } = batch
    const others = otherwise?.(batch)
    for (let row = 0; row < rowCount; row++) values[row] = others ? others[row] : null
    for (const { when, value } of branches.toReversed()) {
      const whens = when(batch)
      const texts = value(batch)
      for (let row = 0; row < rowCount; row++) if (whens[row] === TRUE) values[row] = texts[row]
    }
    return values
  }
}

/** The first number of each row that is not null. */
export function firstNumbers(operands: readonly NumberVector[]): NumberVector {
  let values = new Float64Array(0)
  return (batch) => {
    values = floats(values, batch.rowCount).fill(Number.NaN, 0, batch.rowCount)
    for (const operand of operands) {
      const others = operand(batch)
      for (let row = 0; row < batch.rowCount; row++) if (Number.isNaN(values[row])) values[row] = others[row]
    }
    return values
  }
}

/** The first truth of each row that is not null. */
export function firstTruths(operands: readonly TruthVector[]): TruthVector {
  let values = new Uint8Array(0)
  return (batch) => {
    values = bytes(values, batch.rowCount).fill(NULL, 0, batch.rowCount)
    for (const operand of operands) {
      const others = operand(batch)
      for (let row = 0; row < batch.rowCount; row++) if (values[row] === NULL) values[row] = others[row]
    }
    return values
  }
}

/** The first text of each row that is not null. */
export function firstTexts(operands: readonly TextVector[]): TextVector {
  const values: Texts = []
  return (batch) => {
    for (let row = 0; row < batch.rowCount; row++) values[row] = null
    for (const operand of operands) {
      const others = operand(batch)
      for (let row = 0; row < batch.rowCount; row++) values[row] ??= others[row]
    }
    return values
  }
}

function overlay(
  into: Float64Array | Uint8Array,
  when: Uint8Array,
  values: Float64Array | Uint8Array,
  rowCount: number,
): void {
  for (let row = 0; row < rowCount; row++) if (when[row] === TRUE) into[row] = values[row]
}
