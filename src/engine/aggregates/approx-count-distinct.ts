import { assert } from '../../base/assert.ts'
import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { Field } from '../../batch/schema.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import { PairSet } from '../keys/pair-set.ts'
import { type AggregateState, type Aggregator, grownInts } from './aggregate.ts'
import { estimate, estimateFew, precisionFor } from './hyperloglog.ts'
import { RegisterInput } from './register-input.ts'

/**
 * Number of different values, estimated: the same number as Spark's `approx_count_distinct`. A value is hashed once per dictionary code
 * and kept as (register, rank) in one integer. State per group: the set of those while they are few, 2^p one-byte registers after.
 */
export function approxCountDistinct(field: Field, columnIndex: number, rsd: number): Aggregator {
  const precision = precisionFor(rsd)
  const input = new RegisterInput(field, columnIndex, precision)
  const fewEstimates = Float64Array.from({ length: pairsMaxFor(precision) + 1 }, (_, ranked) =>
    estimateFew(ranked, precision),
  )
  return {
    begin: (batch, rows, count) => input.begin(batch, rows, count),
    newState: () => new RegistersState(input, precision, fewEstimates),
  }
}

/** A pair takes as much room as so many registers, so a set is the smaller form up to here. */
const REGISTERS_PER_PAIR = 32

/** Up to so many pairs are compared each with each; more are sorted first. */
const COMPARED_MAX = 16

/** A group with more different pairs has registers. */
function pairsMaxFor(precision: number): number {
  return Math.max(4, (1 << precision) / REGISTERS_PER_PAIR)
}

class RegistersState implements AggregateState {
  readonly #input: RegisterInput
  readonly #precision: number
  readonly #registerCount: number
  /** A group with more different pairs than this has registers. */
  readonly #pairsMax: number
  readonly #pairs = new PairSet()
  /** By slot: where the group's registers are + 1, in units of `#registerCount`; 0 while it is a set. */
  #dense = new Int32Array(64)
  #registers = new Uint8Array(0)
  #denseCount = 0
  readonly #freed: number[] = []
  /** Estimate by the number of registers that have a rank, of a group that is a set. */
  readonly #fewEstimates: Float64Array
  /** Pairs of one group. */
  readonly #few: Int32Array

  constructor(input: RegisterInput, precision: number, fewEstimates: Float64Array) {
    this.#input = input
    this.#precision = precision
    this.#registerCount = 1 << precision
    this.#pairsMax = pairsMaxFor(precision)
    this.#fewEstimates = fewEstimates
    this.#few = new Int32Array(this.#pairsMax + 1)
  }

  grow(slotCount: number): void {
    this.#dense = grownInts(this.#dense, slotCount)
  }

  update(rows: Int32Array, slots: Int32Array, count: number): void {
    const { packed } = this.#input
    for (let index = 0; index < count; index++) {
      index = raiseDense(this.#registers, this.#precision, this.#dense, packed, rows, slots, index, count)
      if (index < count) this.#raise(slots[index] as number, packed[rows[index] as number] as number)
    }
  }

  fold(other: AggregateState, from: Int32Array, to: Int32Array, count: number): void {
    assert(other instanceof RegistersState, 'states of one aggregate are folded')
    for (let index = 0; index < count; index++) {
      this.#foldOne(other, from[index] as number, to[index] as number)
    }
  }

  #foldOne(other: RegistersState, from: number, slot: number): void {
    if ((other.#dense[from] as number) > 0) {
      other.#each(from, (value) => this.#raise(slot, value))
      return
    }
    const few = this.#few
    const count = other.#pairs.copyTo(from, few)
    for (let index = 0; index < count; index++) this.#raise(slot, few[index] as number)
  }

  clear(slot: number): void {
    this.#pairs.clear(slot)
    const place = this.#dense[slot] as number
    if (place === 0) return
    this.#freed.push(place)
    this.#dense[slot] = 0
  }

  result(slot: number, to: ColumnBuilder): void {
    const place = this.#dense[slot] as number
    if (place > 0) {
      to.number(estimate(this.#registers, (place - 1) * this.#registerCount, this.#precision))
      return
    }
    to.number(this.#fewEstimates[this.#ranked(slot)] as number)
  }

  write(slots: Int32Array, count: number, writer: ByteWriter): void {
    for (let index = 0; index < count; index++) {
      const slot = slots[index] as number
      const place = this.#dense[slot] as number
      if (place > 0) {
        writeRegisters(this.#registers, (place - 1) * this.#registerCount, this.#registerCount, writer)
        continue
      }
      const values = this.#highest(slot)
      writer.varint(values.length)
      for (const value of values) writer.varint(value)
    }
  }

  merge(slots: Int32Array, count: number, reader: ByteReader): void {
    for (let index = 0; index < count; index++) {
      for (let left = reader.count(); left > 0; left--) {
        const value = reader.varint()
        if (value >= this.#registerCount << 8) throw reader.corrupt(`there is no register of ${value}`)
        this.#raise(slots[index] as number, value)
      }
    }
  }

  #raise(slot: number, value: number): void {
    const place = this.#dense[slot] as number
    if (place > 0) {
      const at = (place - 1) * this.#registerCount + (value >>> 8)
      const rank = value & 0xff
      if ((this.#registers[at] as number) < rank) this.#registers[at] = rank
    } else if (this.#pairs.add(slot, value) && this.#pairs.count(slot) > this.#pairsMax) {
      this.#toRegisters(slot)
    }
  }

  #toRegisters(slot: number): void {
    const place = this.#freed.pop() ?? ++this.#denseCount
    const needed = this.#denseCount * this.#registerCount
    if (needed > this.#registers.length) {
      const grown = new Uint8Array(Math.max(needed, this.#registers.length * 2))
      grown.set(this.#registers)
      this.#registers = grown
    }
    const start = (place - 1) * this.#registerCount
    this.#registers.fill(0, start, start + this.#registerCount)
    this.#dense[slot] = place
    this.#pairs.each(slot, (value) => this.#raise(slot, value))
    this.#pairs.clear(slot)
  }

  /** How many different registers a set has a rank of. */
  #ranked(slot: number): number {
    const few = this.#few
    const count = this.#pairs.copyTo(slot, few)
    if (count > COMPARED_MAX) few.subarray(0, count).sort()
    let ranked = count
    for (let index = 1; index < count; index++) {
      const register = (few[index] as number) >>> 8
      for (let before = count > COMPARED_MAX ? index - 1 : 0; before < index; before++) {
        if ((few[before] as number) >>> 8 !== register) continue
        ranked--
        break
      }
    }
    return ranked
  }

  /** The highest rank of each register that has one, by register, whichever form the group has. */
  #highest(slot: number): number[] {
    const values: number[] = []
    this.#each(slot, (value) => values.push(value))
    values.sort((left, right) => left - right)
    return values.filter((value, at) => at + 1 === values.length || (values[at + 1] as number) >>> 8 !== value >>> 8)
  }

  /** Calls back with each (register, rank) of a group; a set may hold several for one register. */
  #each(slot: number, visit: (value: number) => void): void {
    const place = this.#dense[slot] as number
    if (place === 0) {
      this.#pairs.each(slot, visit)
      return
    }
    const start = (place - 1) * this.#registerCount
    for (let register = 0; register < this.#registerCount; register++) {
      const rank = this.#registers[start + register] as number
      if (rank > 0) visit((register << 8) | rank)
    }
  }
}

/** Writes the registers that have a rank, as a set of them is written. */
function writeRegisters(registers: Uint8Array, start: number, registerCount: number, writer: ByteWriter): void {
  let ranked = 0
  for (let register = 0; register < registerCount; register++) if (registers[start + register] !== 0) ranked++
  writer.varint(ranked)
  for (let register = 0; register < registerCount; register++) {
    const rank = registers[start + register] as number
    if (rank > 0) writer.varint((register << 8) | rank)
  }
}

/** Goes on until a value comes for a group that has no registers yet, and gives its index. */
function raiseDense(
  registers: Uint8Array,
  precision: number,
  dense: Int32Array,
  packed: Int32Array,
  rows: Int32Array,
  slots: Int32Array,
  from: number,
  count: number,
): number {
  for (let index = from; index < count; index++) {
    const value = packed[rows[index] as number] as number
    if (value === 0) continue
    const place = dense[slots[index] as number] as number
    if (place === 0) return index
    const at = ((place - 1) << precision) + (value >>> 8)
    const rank = value & 0xff
    if ((registers[at] as number) < rank) registers[at] = rank
  }
  return count
}
