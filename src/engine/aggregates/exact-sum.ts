import { assert } from '../../base/assert.ts'
import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import { type AggregateState, type Aggregator, grownNumbers } from './aggregate.ts'
import { NumberInput } from './number-input.ts'
import { subtracting } from './subtracting.ts'

/**
 * Exact sum of doubles, rounded once at the end, so that it does not depend on the order of rows. State per group: a
 * non-overlapping expansion (Jonathan Shewchuk, Adaptive Precision Floating-Point Arithmetic, 1997, Grow-Expansion).
 */
export function exactSum(columnIndex: number, finish: Finish): Aggregator {
  const input = new NumberInput(columnIndex)
  const newState = (): ExactSumState => new ExactSumState(input, finish)
  return {
    begin: (batch) => input.begin(batch),
    newState,
    newRunning: () => subtracting(newState()),
  }
}

type Finish = (total: number, to: ColumnBuilder, count: number) => void

class ExactSumState implements AggregateState {
  readonly #input: NumberInput
  readonly #finish: Finish
  readonly #expansions: number[][] = []
  #counts = new Float64Array(64)

  constructor(input: NumberInput, finish: Finish) {
    this.#input = input
    this.#finish = finish
  }

  grow(slotCount: number): void {
    this.#counts = grownNumbers(this.#counts, slotCount)
    while (this.#expansions.length < slotCount) this.#expansions.push([])
  }

  update(rows: Int32Array, slots: Int32Array, count: number): void {
    for (let index = 0; index < count; index++) {
      const value = this.#input.values[rows[index] as number] as number
      if (!Number.isNaN(value)) this.#add(slots[index] as number, [value], 1)
    }
  }

  fold(other: AggregateState, from: Int32Array, to: Int32Array, count: number): void {
    assert(other instanceof ExactSumState, 'states of one aggregate are folded')
    for (let index = 0; index < count; index++) {
      const slot = from[index] as number
      this.#add(to[index] as number, other.#expansions[slot] as number[], other.#counts[slot] as number)
    }
  }

  unfold(other: AggregateState, from: Int32Array, to: Int32Array, count: number): void {
    assert(other instanceof ExactSumState, 'states of one aggregate are folded')
    for (let index = 0; index < count; index++) {
      const slot = from[index] as number
      const negated = (other.#expansions[slot] as number[]).map((part) => -part)
      this.#add(to[index] as number, negated, -(other.#counts[slot] as number))
    }
  }

  clear(slot: number): void {
    this.#expansions[slot] = []
    this.#counts[slot] = 0
  }

  result(slot: number, to: ColumnBuilder): void {
    const count = this.#counts[slot] as number
    if (count === 0) to.null()
    else this.#finish(rounded(this.#expansions[slot] as number[]), to, count)
  }

  write(slots: Int32Array, count: number, writer: ByteWriter): void {
    for (let index = 0; index < count; index++) {
      const slot = slots[index] as number
      const parts = canonical(this.#expansions[slot] as number[])
      writer.varint(this.#counts[slot] as number)
      writer.varint(parts.length)
      for (const part of parts) writer.f64(part)
    }
  }

  merge(slots: Int32Array, count: number, reader: ByteReader): void {
    for (let index = 0; index < count; index++) {
      const rows = reader.varint()
      const parts: number[] = []
      for (let left = reader.varint(); left > 0; left--) parts.push(reader.f64())
      this.#add(slots[index] as number, parts, rows)
    }
  }

  #add(slot: number, parts: readonly number[], rows: number): void {
    const expansion = this.#expansions[slot] as number[]
    for (const part of parts) grow(expansion, part)
    this.#counts[slot] = (this.#counts[slot] as number) + rows
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
