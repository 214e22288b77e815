import type { ColumnBuilder } from '../column-builder.ts'
import { type AggregateState, type Aggregator, grownNumbers } from './aggregate.ts'
import { NumberInput } from './number-input.ts'

/**
 * Exact sum of doubles, rounded once at the end, so that it does not depend on the order of rows. State per group: a
 * non-overlapping expansion (Jonathan Shewchuk, Adaptive Precision Floating-Point Arithmetic, 1997, Grow-Expansion).
 */
export function exactSum(
  columnIndex: number,
  finish: (total: number, to: ColumnBuilder, count: number) => void,
): Aggregator {
  const input = new NumberInput(columnIndex)
  return {
    begin: (batch) => input.begin(batch),
    newState: () => exactSumState(input, finish),
  }
}

function exactSumState(
  input: NumberInput,
  finish: (total: number, to: ColumnBuilder, count: number) => void,
): AggregateState {
  const expansions: number[][] = []
  let counts = new Float64Array(64)
  return {
    grow(slotCount) {
      counts = grownNumbers(counts, slotCount)
      while (expansions.length < slotCount) expansions.push([])
    },
    update(rows, slots, count) {
      for (let index = 0; index < count; index++) {
        const value = input.values[rows[index] as number] as number
        if (Number.isNaN(value)) continue
        const slot = slots[index] as number
        grow(expansions[slot] as number[], value)
        counts[slot] = (counts[slot] as number) + 1
      }
    },
    result(slot, to) {
      const count = counts[slot] as number
      if (count === 0) to.null()
      else finish(rounded(expansions[slot] as number[]), to, count)
    },
    snapshot(slot, writer) {
      const parts = canonical(expansions[slot] as number[])
      writer.varint(counts[slot] as number)
      writer.varint(parts.length)
      for (const part of parts) writer.f64(part)
    },
    restore(slot, reader) {
      counts[slot] = reader.varint()
      const parts: number[] = []
      for (let left = reader.varint(); left > 0; left--) parts.push(reader.f64())
      expansions[slot] = parts
    },
  }
}

/** Adds a value to an expansion whose parts are in ascending order of magnitude. */
function grow(parts: number[], value: number): void {
  let kept = 0
  let carry = value
  for (const part of parts) {
    const large = Math.abs(carry) >= Math.abs(part) ? carry : part
    const small = large === carry ? part : carry
    const total = large + small
    const error = small - (total - large)
    if (error !== 0) parts[kept++] = error
    carry = total
  }
  parts.length = kept
  parts.push(carry)
}

/** The one expansion of its value in which each part is the rounded sum of itself and everything below it. */
function canonical(parts: readonly number[]): number[] {
  const rest = [...parts]
  const result: number[] = []
  for (;;) {
    const top = rounded(rest)
    if (top === 0 || !Number.isFinite(top)) return result.reverse()
    result.push(top)
    grow(rest, -top)
  }
}

/** The value of the expansion, rounded once to the nearest double, ties to even. */
function rounded(parts: readonly number[]): number {
  let index = parts.length - 1
  if (index < 0) return 0
  let total = parts[index] as number
  let error = 0
  while (index > 0 && error === 0) {
    const below = parts[--index] as number
    const sum = total + below
    error = below - (sum - total)
    total = sum
  }
  // Exactly between two doubles: what lies further below decides.
  const next = parts[index - 1]
  if (next !== undefined && ((error < 0 && next < 0) || (error > 0 && next > 0))) {
    const doubled = error * 2
    const sum = total + doubled
    if (doubled === sum - total) total = sum
  }
  return total
}
