import { assert } from '../../base/assert.ts'
import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import { type AggregateState, type Aggregator, grownNumbers } from './aggregate.ts'
import { NumberInput } from './number-input.ts'
import { subtracting } from './subtracting.ts'

/**
 * Exact sum of doubles, rounded once at the end, so that it does not depend on the order of rows. State per group: a
 * non-overlapping expansion (Jonathan Shewchuk, Adaptive Precision Floating-Point Arithmetic, 1997, Grow-Expansion), and a second one
 * of the values so large that a sum on the way could overflow, scaled down. A total beyond all doubles is null.
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

/** The total is `scaled * scale`, which may be beyond all doubles. */
type Finish = (scaled: number, scale: number, to: ColumnBuilder, count: number) => void

/** Values from here on are large: 2^53 smaller ones cannot overflow. */
const LARGE_MIN = 2 ** 900
const SCALE = 2 ** 200
/** No sum of 2^53 values, scaled down where they are large, has a part like this. */
const PART_END = 2 ** 960
/** A total of large values below this can be had without scaling. */
const UNSCALED_MAX = 2 ** 1000

class ExactSumState implements AggregateState {
  readonly #input: NumberInput
  readonly #finish: Finish
  readonly #expansions: number[][] = []
  /** By slot, of those that have met a large value: sums of these, divided by `SCALE`. */
  readonly #large = new Map<number, number[]>()
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
      if (Number.isNaN(value)) continue
      const slot = slots[index] as number
      if (Math.abs(value) < LARGE_MIN) grow(this.#expansions[slot] as number[], value)
      else grow(this.#largeOf(slot), value / SCALE)
      this.#counts[slot] = (this.#counts[slot] as number) + 1
    }
  }

  fold(other: AggregateState, from: Int32Array, to: Int32Array, count: number): void {
    assert(other instanceof ExactSumState, 'states of one aggregate are folded')
    for (let index = 0; index < count; index++) this.#addFrom(other, from[index] as number, to[index] as number, 1)
  }

  unfold(other: AggregateState, from: Int32Array, to: Int32Array, count: number): void {
    assert(other instanceof ExactSumState, 'states of one aggregate are folded')
    for (let index = 0; index < count; index++) this.#addFrom(other, from[index] as number, to[index] as number, -1)
  }

  clear(slot: number): void {
    this.#expansions[slot] = []
    this.#large.delete(slot)
    this.#counts[slot] = 0
  }

  result(slot: number, to: ColumnBuilder): void {
    const count = this.#counts[slot] as number
    if (count === 0) {
      to.null()
      return
    }
    const expansion = this.#expansions[slot] as number[]
    const large = this.#large.get(slot) ?? []
    const largeTotal = rounded(large)
    if (largeTotal === 0) this.#finish(rounded(expansion), 1, to, count)
    else if (Math.abs(largeTotal) < UNSCALED_MAX / SCALE)
      this.#finish(rounded(joined(expansion, large, multiplied)), 1, to, count)
    else this.#finish(rounded(joined(large, expansion, divided)), SCALE, to, count)
  }

  write(slots: Int32Array, count: number, writer: ByteWriter): void {
    for (let index = 0; index < count; index++) {
      const slot = slots[index] as number
      writer.varint(this.#counts[slot] as number)
      for (const expansion of [this.#expansions[slot] as number[], this.#large.get(slot) ?? []]) {
        const parts = canonical(expansion)
        writer.varint(parts.length)
        for (const part of parts) writer.f64(part)
      }
    }
  }

  merge(slots: Int32Array, count: number, reader: ByteReader): void {
    for (let index = 0; index < count; index++) {
      const slot = slots[index] as number
      this.#counts[slot] = (this.#counts[slot] as number) + reader.varint()
      for (let left = reader.varint(); left > 0; left--) grow(this.#expansions[slot] as number[], readPart(reader))
      for (let left = reader.varint(); left > 0; left--) grow(this.#largeOf(slot), readPart(reader))
    }
  }

  #addFrom(other: ExactSumState, from: number, to: number, sign: 1 | -1): void {
    for (const part of other.#expansions[from] as number[]) grow(this.#expansions[to] as number[], sign * part)
    for (const part of other.#large.get(from) ?? []) grow(this.#largeOf(to), sign * part)
    this.#counts[to] = (this.#counts[to] as number) + sign * (other.#counts[from] as number)
  }

  #largeOf(slot: number): number[] {
    let large = this.#large.get(slot)
    if (!large) {
      large = []
      this.#large.set(slot, large)
    }
    return large
  }
}

function readPart(reader: ByteReader): number {
  const part = reader.f64()
  if (!(Math.abs(part) < PART_END)) throw reader.corrupt(`a sum has the part ${part}`)
  return part
}

/** One expansion and the parts of another one, scaled to match. */
function joined(parts: readonly number[], others: readonly number[], scaled: (part: number) => number): number[] {
  const sum = [...parts]
  for (const part of others) grow(sum, scaled(part))
  return sum
}

function multiplied(part: number): number {
  return part * SCALE
}

/** What becomes too small for a double still tells on which side of a tie the total is. */
function divided(part: number): number {
  const scaled = part / SCALE
  return scaled === 0 && part !== 0 ? Math.sign(part) * Number.MIN_VALUE : scaled
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
    if (top === 0) return result.reverse()
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
