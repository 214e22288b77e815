import { assert } from '../../base/assert.ts'
import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { ColumnBuilder } from '../column-builder.ts'
import { type AggregateState, type Aggregator, grownInts } from './aggregate.ts'
import { ColumnValues } from './column-values.ts'

/** Smallest or largest text, by its UTF-8 bytes. */
export function textMinMax(columnIndex: number, sign: 1 | -1, seed: number): Aggregator {
  const values = new ColumnValues(columnIndex, seed)
  return {
    begin: (batch, rows, count) => values.begin(batch, rows, count),
    newState: () => new TextState(values, sign),
    forget: (states) =>
      values.forget((newId) => {
        for (const state of states as readonly TextState[]) state.renumber(newId)
      }),
  }
}

/** State: the value's id + 1 per group, 0 for none. */
class TextState implements AggregateState {
  readonly #values: ColumnValues
  readonly #sign: 1 | -1
  #bests = new Int32Array(64)

  constructor(values: ColumnValues, sign: 1 | -1) {
    this.#values = values
    this.#sign = sign
  }

  grow(slotCount: number): void {
    this.#bests = grownInts(this.#bests, slotCount)
  }

  update(rows: Int32Array, slots: Int32Array, count: number): void {
    const { byRow } = this.#values
    for (let index = 0; index < count; index++) {
      const id = byRow[rows[index] as number] as number
      if (id >= 0) this.#offer(slots[index] as number, id)
    }
  }

  fold(other: AggregateState, from: Int32Array, to: Int32Array, count: number): void {
    assert(other instanceof TextState, 'states of one aggregate are folded')
    for (let index = 0; index < count; index++) {
      const id = (other.#bests[from[index] as number] as number) - 1
      if (id >= 0) this.#offer(to[index] as number, id)
    }
  }

  clear(slot: number): void {
    this.#bests[slot] = 0
  }

  result(slot: number, to: ColumnBuilder): void {
    const best = (this.#bests[slot] as number) - 1
    if (best < 0) to.null()
    else this.#values.ids.build(best, to)
  }

  write(slots: Int32Array, count: number, writer: ByteWriter): void {
    for (let index = 0; index < count; index++) {
      const best = (this.#bests[slots[index] as number] as number) - 1
      writer.bytes(best < 0 ? NONE : this.#values.ids.interner.bytes(best))
    }
  }

  merge(slots: Int32Array, count: number, reader: ByteReader): void {
    for (let index = 0; index < count; index++) {
      const bytes = reader.bytes()
      if (bytes.length > 0) this.#offer(slots[index] as number, this.#values.ids.interner.intern(bytes))
    }
  }

  renumber(newId: (id: number) => number): void {
    for (let slot = 0; slot < this.#bests.length; slot++) {
      const best = this.#bests[slot] as number
      if (best > 0) this.#bests[slot] = newId(best - 1) + 1
    }
  }

  #offer(slot: number, id: number): void {
    const best = (this.#bests[slot] as number) - 1
    if (best >= 0 && this.#values.ids.interner.compare(id, best) * this.#sign >= 0) return
    this.#bests[slot] = id + 1
  }
}

const NONE = new Uint8Array(0)
