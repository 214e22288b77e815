import { assert } from '../../base/assert.ts'
import { type ByteReader, type ByteWriter, compareBytes } from '../../base/bytes.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import { PairSet } from '../keys/pair-set.ts'
import type { AggregateState, Aggregator } from './aggregate.ts'
import { ColumnValues } from './column-values.ts'
import { RunningDistinct } from './running-distinct.ts'

/** Exact number of different values. State: the set of (group, value) pairs. */
export function countDistinct(columnIndex: number, seed: number): Aggregator {
  const values = new ColumnValues(columnIndex, seed)
  return {
    begin: (batch, rows, count) => values.begin(batch, rows, count),
    newState: () => new DistinctState(values),
    newRunning: () => new RunningDistinct(values),
    forget: (states) =>
      values.forget((newId) => {
        for (const state of states as readonly DistinctState[]) {
          state.pairs.renumber(newId)
          state.rest()
        }
      }),
  }
}

/** Pairs of group slot and value id. */
export class DistinctState implements AggregateState {
  readonly pairs: PairSet = new PairSet()
  readonly #values: ColumnValues
  #slotCount = 0
  /** A bit by (slot, value id) that is set once the pair is known: most rows repeat one, and bits stay in the cache. */
  #seen: Int32Array = NOTHING_SEEN
  #idBits = 0

  constructor(values: ColumnValues) {
    this.#values = values
  }

  grow(slotCount: number): void {
    this.#slotCount = slotCount
  }

  update(rows: Int32Array, slots: Int32Array, count: number): void {
    const { byRow, ids } = this.#values
    if (this.#slotCount * ids.interner.size > SEEN_BITS_MAX) {
      addPairs(this.pairs, byRow, rows, slots, count)
      return
    }
    this.#growSeen(ids.interner.size)
    addUnseen(this.pairs, this.#seen, this.#idBits, byRow, rows, slots, count)
  }

  /** Gives back what only serves to take in rows fast. */
  rest(): void {
    this.#seen = NOTHING_SEEN
    this.#idBits = 0
  }

  /** Makes room for bits of all ids in each slot; those that were set are set again by the rows that come. */
  #growSeen(idCount: number): void {
    const idBits = Math.max(8, Math.ceil(Math.log2(idCount + 1)))
    const length = (Math.max(1, this.#slotCount) << idBits) >>> 5
    if (idBits === this.#idBits && length <= this.#seen.length) return
    this.#idBits = idBits
    this.#seen = new Int32Array(length * 2)
  }

  fold(other: AggregateState, from: Int32Array, to: Int32Array, count: number): void {
    assert(other instanceof DistinctState, 'states of one aggregate are folded')
    for (let index = 0; index < count; index++) {
      const slot = to[index] as number
      other.pairs.each(from[index] as number, (id) => this.pairs.add(slot, id))
    }
  }

  clear(slot: number): void {
    this.pairs.clear(slot)
    this.rest()
  }

  result(slot: number, to: ColumnBuilder): void {
    to.number(this.pairs.count(slot))
  }

  write(slots: Int32Array, count: number, writer: ByteWriter): void {
    const { interner } = this.#values.ids
    for (let index = 0; index < count; index++) {
      const held: Uint8Array[] = []
      this.pairs.each(slots[index] as number, (id) => held.push(interner.bytes(id)))
      held.sort(compareBytes)
      writer.varint(held.length)
      for (const value of held) writer.bytes(value)
    }
  }

  merge(slots: Int32Array, count: number, reader: ByteReader): void {
    const { interner } = this.#values.ids
    for (let index = 0; index < count; index++) {
      const slot = slots[index] as number
      for (let left = reader.varint(); left > 0; left--) this.pairs.add(slot, interner.intern(reader.bytes()))
    }
  }
}

function addPairs(pairs: PairSet, byRow: Int32Array, rows: Int32Array, slots: Int32Array, count: number): void {
  for (let index = 0; index < count; index++) {
    const id = byRow[rows[index] as number] as number
    if (id >= 0) pairs.add(slots[index] as number, id)
  }
}

/** Adds the pairs whose bit is not set yet, and sets it. */
function addUnseen(
  pairs: PairSet,
  seen: Int32Array,
  idBits: number,
  byRow: Int32Array,
  rows: Int32Array,
  slots: Int32Array,
  count: number,
): void {
  for (let index = 0; index < count; index++) {
    const id = byRow[rows[index] as number] as number
    if (id < 0) continue
    const slot = slots[index] as number
    const bit = (slot << idBits) | id
    const word = seen[bit >>> 5] as number
    if ((word >>> (bit & 31)) & 1) continue
    seen[bit >>> 5] = word | (1 << (bit & 31))
    pairs.add(slot, id)
  }
}

const NOTHING_SEEN = new Int32Array(0)
/** Up to 2 MB of bits a pane. */
const SEEN_BITS_MAX = 1 << 24
