import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { Batch } from '../../batch/batch.ts'
import type { Field } from '../../batch/schema.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import type { SlotCounts } from '../keys/slot-counts.ts'
import type { Aggregator } from './aggregate.ts'
import { NumberInput } from './number-input.ts'
import { subtracting } from './subtracting.ts'
import { type CountedValues, ValueCountsState } from './value-counts.ts'

/*
 * DDSketch (Masson, Rim, Lee: DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error Guarantees, VLDB 2019) without
 * its collapsing of bins, which cannot be taken out again. Values are counted in bins whose bounds grow by the factor GAMMA, so that
 * whatever lies in a bin is within 1 % of the value that the bin stands for.
 *
 *   bin     0 ...        ZERO_BIN - 1 | ZERO_BIN | ZERO_BIN + 1 ...
 *   value   -2^64 ...          -2^-40 |    0     | 2^-40 ...    2^64
 *
 * That bounds a group to 7,211 bins: what is nearer to zero counts as zero, what is larger as 2^64.
 */
const RELATIVE_ERROR = 0.01
const GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
const LOG_GAMMA = Math.log(GAMMA)
const MAGNITUDE_MIN = 2 ** -40
const MAGNITUDE_MAX = 2 ** 64
/** The power of GAMMA that bounds the smallest magnitude. */
const POWER_MIN = Math.ceil(Math.log(MAGNITUDE_MIN) / LOG_GAMMA)
const ZERO_BIN = Math.ceil(Math.log(MAGNITUDE_MAX) / LOG_GAMMA) - POWER_MIN + 1
const BIN_MAX = 2 * ZERO_BIN
const NULL_BIN = -1

/** The value of rank floor(q * (count - 1)), counted from 0, within 1 %. State per group: the bins that have values, with their counts. */
export function quantile(field: Field, columnIndex: number, q: number): Aggregator {
  const bins = new Bins(columnIndex, q, field.type === 'decimal' ? 10 ** (field.scale ?? 0) : 1)
  const newState = (): ValueCountsState => new ValueCountsState(bins)
  return {
    begin: (batch, rows, count) => bins.begin(batch, rows, count),
    newState,
    newRunning: () => subtracting(newState()),
  }
}

class Bins implements CountedValues {
  byRow: Int32Array = new Int32Array(0)
  readonly valueCount = BIN_MAX + 1
  readonly #input: NumberInput
  readonly #q: number
  /** How many units of the column make 1. */
  readonly #unitsPerOne: number

  constructor(columnIndex: number, q: number, unitsPerOne: number) {
    this.#input = new NumberInput(columnIndex)
    this.#q = q
    this.#unitsPerOne = unitsPerOne
  }

  begin(batch: Batch, rows: Int32Array, count: number): void {
    this.#input.begin(batch)
    if (this.byRow.length < batch.rowCount) this.byRow = new Int32Array(batch.rowCount * 2)
    toBins(this.#input.values, rows, count, this.byRow)
  }

  compare(left: number, right: number): number {
    return left - right
  }

  write(bin: number, writer: ByteWriter): void {
    writer.varint(bin)
  }

  read(reader: ByteReader): number {
    const bin = reader.varint()
    if (bin > BIN_MAX) throw reader.corrupt(`there is no bin ${bin}`)
    return bin
  }

  result(counts: SlotCounts, slot: number, _approximate: boolean, to: ColumnBuilder): void {
    const bins: [bin: number, count: number][] = []
    counts.each(slot, (bin, count) => bins.push([bin, count]))
    bins.sort(([left], [right]) => left - right)
    const total = bins.reduce((sum, [, count]) => sum + count, 0)
    const rank = Math.floor(this.#q * (total - 1))
    let below = 0
    for (const [bin, count] of bins) {
      below += count
      if (below <= rank) continue
      to.number(middleOf(bin) / this.#unitsPerOne)
      return
    }
    to.null()
  }
}

function toBins(values: Float64Array, rows: Int32Array, count: number, into: Int32Array): void {
  for (let index = 0; index < count; index++) {
    const row = rows[index] as number
    into[row] = binOf(values[row] as number)
  }
}

/** NaN is null. */
function binOf(value: number): number {
  if (Number.isNaN(value)) return NULL_BIN
  const magnitude = Math.abs(value)
  if (magnitude < MAGNITUDE_MIN) return ZERO_BIN
  const power = Math.ceil(Math.log(magnitude < MAGNITUDE_MAX ? magnitude : MAGNITUDE_MAX) / LOG_GAMMA)
  const distance = power - POWER_MIN + 1
  return value < 0 ? ZERO_BIN - distance : ZERO_BIN + distance
}

/** The value with the same relative distance to both bounds of the bin. */
function middleOf(bin: number): number {
  if (bin === ZERO_BIN) return 0
  const power = Math.abs(bin - ZERO_BIN) - 1 + POWER_MIN
  return (Math.sign(bin - ZERO_BIN) * 2 * GAMMA ** power) / (GAMMA + 1)
}
