import { unreachable } from '../../base/assert.ts'
import { hashHigh, hashLow, xxhash64 } from '../../base/xxhash64.ts'
import type { Batch } from '../../batch/batch.ts'
import { BOOLEAN_NULL, type Column } from '../../batch/column.ts'
import type { Dictionary } from '../../batch/dictionary.ts'
import type { Field } from '../../batch/schema.ts'
import type { AggregateState, Aggregator } from './aggregate.ts'
import { estimate, precisionFor, registerIndex, registerRank } from './hyperloglog.ts'

/** Spark's seed. */
const SEED = 42
/** Row or code without a value. Ranks begin at 1, so no packed value is 0. */
const NONE = 0

/**
 * Number of different values, estimated: the same number as Spark's `approx_count_distinct`. State: 2^p one-byte registers per group.
 * A value is hashed once per dictionary code and kept as register index and rank in one integer.
 */
export function approxCountDistinct(field: Field, columnIndex: number, rsd: number): Aggregator {
  const precision = precisionFor(rsd)
  let packed: Int32Array = new Int32Array(0)
  let byRow = new Int32Array(0)
  let cache = new Int32Array(0)
  let cached: Dictionary | undefined
  let cachedCount = 0
  return {
    begin(batch: Batch, rows: Int32Array, count: number) {
      const column = batch.columns[columnIndex] as Column
      if (byRow.length < batch.rowCount) byRow = new Int32Array(batch.rowCount * 2)
      packed = byRow
      if (column.kind === 'dictionary') {
        const { dictionary, codes } = column
        if (cached !== dictionary) {
          cached = dictionary
          cachedCount = 0
        }
        if (cache.length < dictionary.size) {
          const grown = new Int32Array(dictionary.size * 2)
          grown.set(cache)
          cache = grown
        }
        for (; cachedCount < dictionary.size; cachedCount++) {
          const bytes = dictionary.bytes(cachedCount)
          xxhash64(bytes, 0, bytes.length, SEED)
          cache[cachedCount] = pack(precision)
        }
        gatherByCode(byRow, cache, codes, rows, count)
        return
      }
      for (let index = 0; index < count; index++) {
        const row = rows[index] as number
        byRow[row] = hashValue(column, field, row) ? pack(precision) : NONE
      }
    },
    newState: () => registersState(precision, () => packed),
  }
}

function registersState(precision: number, packed: () => Int32Array): AggregateState {
  const registerCount = 1 << precision
  let registers = new Uint8Array(registerCount * 4)
  return {
    grow(slotCount) {
      const needed = slotCount * registerCount
      if (needed <= registers.length) return
      const grown = new Uint8Array(Math.max(needed, registers.length * 2))
      grown.set(registers)
      registers = grown
    },
    update(rows, slots, count) {
      raiseRegisters(registers, precision, packed(), rows, slots, count)
    },
    result(slot, to) {
      to.number(estimate(registers, slot * registerCount, precision))
    },
    snapshot(slot, writer) {
      writer.raw(registers.subarray(slot * registerCount, (slot + 1) * registerCount))
    },
    restore(slot, reader) {
      registers.set(reader.raw(registerCount), slot * registerCount)
    },
  }
}

function gatherByCode(byRow: Int32Array, cache: Int32Array, codes: Int32Array, rows: Int32Array, count: number): void {
  for (let index = 0; index < count; index++) {
    const row = rows[index] as number
    const code = codes[row] as number
    byRow[row] = code < 0 ? NONE : (cache[code] as number)
  }
}

function raiseRegisters(
  registers: Uint8Array,
  precision: number,
  packed: Int32Array,
  rows: Int32Array,
  slots: Int32Array,
  count: number,
): void {
  for (let index = 0; index < count; index++) {
    const value = packed[rows[index] as number] as number
    if (value === NONE) continue
    const at = ((slots[index] as number) << precision) + (value >>> 8)
    const rank = value & 0xff
    if ((registers[at] as number) < rank) registers[at] = rank
  }
}

/** Register index and rank of the hash just computed. */
function pack(precision: number): number {
  return (registerIndex(hashHigh, precision) << 8) | registerRank(hashHigh, hashLow, precision)
}

const scratch = new Uint8Array(8)
const view = new DataView(scratch.buffer)

/** Hashes one value as Spark does; false for null. */
function hashValue(column: Column, field: Field, row: number): boolean {
  switch (column.kind) {
    case 'string': {
      const start = column.starts[row] as number
      const length = column.lengths[row] as number
      if (length < 0) return false
      xxhash64(column.data, start, start + length, SEED)
      return true
    }
    case 'uuid':
      if (column.validity[row] === 0) return false
      xxhash64(column.bytes, row * 16, row * 16 + 16, SEED)
      return true
    case 'number': {
      const value = column.values[row] as number
      if (Number.isNaN(value)) return false
      if (field.type === 'float64') view.setFloat64(0, value + 0, true)
      // Spark keeps times in microseconds.
      else view.setBigInt64(0, BigInt(value) * (field.type === 'timestamp' ? 1000n : 1n), true)
      xxhash64(scratch, 0, 8, SEED)
      return true
    }
    case 'int32':
      if (column.validity[row] === 0) return false
      view.setInt32(0, column.values[row] as number, true)
      xxhash64(scratch, 0, 4, SEED)
      return true
    case 'boolean': {
      const value = column.values[row] as number
      if (value === BOOLEAN_NULL) return false
      view.setInt32(0, value, true)
      xxhash64(scratch, 0, 4, SEED)
      return true
    }
    case 'dictionary': {
      const code = column.codes[row] as number
      if (code < 0) return false
      const bytes = column.dictionary.bytes(code)
      xxhash64(bytes, 0, bytes.length, SEED)
      return true
    }
    default:
      return unreachable(column)
  }
}
