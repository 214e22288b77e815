import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { FunnelMode } from '../../plan/node.ts'
import { grownInts, grownNumbers } from '../aggregates/aggregate.ts'
import { readEventTime } from '../event-times.ts'
import type { KeyTable } from '../keys/key-table.ts'

/** What the attempts are made for. */
export interface AttemptsOptions {
  readonly steps: number
  readonly withinMs: number
  readonly mode: FunnelMode
  /** Who is going. */
  readonly keys: KeyTable
}

/** An attempt that nothing can change any more. */
export interface Attempt {
  readonly keyId: number
  /** Which step was done, by the order in which they were. Both are views, valid during the call. */
  readonly steps: Uint8Array
  /** When it was, ms. The first one is when the attempt began. */
  readonly times: Float64Array
}

/** Attempts that have left, as a share of all room, before the others move to the front. */
const GONE_SHARE = 2

/**
 * Attempts to get through a funnel. Rows come in order of (event time, partition, offset), and every attempt has equally long, so attempts
 * are over in the order in which they began: a queue. Nobody has more than one that still goes on.
 *
 *   rows       1   x  2     1  3          1            a row is the number of its step; `within` is a row of dashes
 *   attempts   |-------------------|                   1 2 3: done at the 3, so that the 1 before it is passed over
 *                                         |--------    1
 */
export class Attempts {
  readonly #options: AttemptsOptions
  /** The bits that are steps. */
  readonly #mask: number
  /** Number of the attempt at place 0 since the state began. */
  #number = 0
  /** Attempts are at `#first <= place < #end`. */
  #first = 0
  #end = 0
  #keyIds = new Int32Array(64)
  /** Steps that were done: how many, and which as bits. */
  #counts = new Int32Array(64)
  #masks = new Int32Array(64)
  /** Each attempt has room for every step. */
  #times = new Float64Array(64)
  #steps = new Uint8Array(64)
  /** By key id: number + 1 of the attempt that goes on; 0 for none. */
  #open = new Float64Array(64)

  constructor(options: AttemptsOptions) {
    this.#options = options
    this.#mask = (1 << options.steps) - 1
  }

  get size(): number {
    return this.#end - this.#first
  }

  /** A row of somebody that is these steps, a bit for each. Rows that are none matter in mode `strict` only. */
  row(keyId: number, timeMs: number, steps: number): void {
    const { mode } = this.#options
    const mask = steps & this.#mask
    const place = this.#goingOn(keyId, timeMs)
    if (place >= 0) {
      const step = this.#next(place, mask)
      if (step >= 0) this.#do(place, step, timeMs)
      if (step >= 0 || mode !== 'strict') return
      this.#open[keyId] = 0
    }
    const first = mode === 'any' ? lowest(mask) : (mask & 1) - 1
    if (first >= 0) this.#begin(keyId, timeMs, first)
  }

  /** Takes out the attempts that were over at a time, by when they began. */
  takeOver(timeMs: number, tell: (attempt: Attempt) => void): void {
    const { steps, withinMs } = this.#options
    for (; this.#first < this.#end; this.#first++) {
      const at = this.#first * steps
      if ((this.#times[at] as number) + withinMs > timeMs) break
      const end = at + (this.#counts[this.#first] as number)
      const keyId = this.#keyIds[this.#first] as number
      if (this.#open[keyId] === this.#number + this.#first + 1) this.#open[keyId] = 0
      tell({ keyId, steps: this.#steps.subarray(at, end), times: this.#times.subarray(at, end) })
    }
    if (this.#first * GONE_SHARE > this.#keyIds.length) this.#moveToFront()
  }

  /** Lets go of keys that no attempt is of. */
  forgetKeys(): void {
    this.#options.keys.forget(this.size, (newId) => {
      const goesOn = this.#places().filter((place) => this.#goesOn(place))
      for (const place of this.#places()) this.#keyIds[place] = newId(this.#keyIds[place] as number)
      this.#open = new Float64Array(64)
      for (const place of goesOn) this.#setOpen(place)
    })
  }

  write(writer: ByteWriter): void {
    writer.varint(this.size)
    for (const place of this.#places()) {
      const at = place * this.#options.steps
      const count = this.#counts[place] as number
      writer.bytes(this.#options.keys.bytes(this.#keyIds[place] as number))
      writer.u8(this.#goesOn(place) ? 1 : 0)
      writer.u8(count)
      for (let index = at; index < at + count; index++) {
        writer.u8(this.#steps[index] as number)
        writer.f64(this.#times[index] as number)
      }
    }
  }

  restore(reader: ByteReader): void {
    const { steps, keys } = this.#options
    for (let left = reader.count(); left > 0; left--) {
      const keyId = keys.intern(reader.bytes())
      const goesOn = reader.u8() === 1
      const count = reader.u8()
      if (count < 1 || count > steps) throw reader.corrupt(`an attempt has done ${count} of ${steps} steps`)
      for (let index = 0; index < count; index++) {
        const step = reader.u8()
        const timeMs = readEventTime(reader)
        if (step >= steps) throw reader.corrupt(`a funnel of ${steps} steps has no step ${step}`)
        if (index === 0) this.#begin(keyId, timeMs, step)
        else this.#do(this.#end - 1, step, timeMs)
      }
      if (goesOn && count < steps) this.#setOpen(this.#end - 1)
      else this.#open[keyId] = 0
    }
  }

  /** Place of the attempt that the row falls into; -1 when none goes on. */
  #goingOn(keyId: number, timeMs: number): number {
    const number = keyId < this.#open.length ? (this.#open[keyId] as number) : 0
    if (number === 0) return -1
    const place = number - 1 - this.#number
    const startMs = this.#times[place * this.#options.steps] as number
    return timeMs <= startMs + this.#options.withinMs ? place : -1
  }

  /** The step that a row is for an attempt; -1 when it is none that is wanted. */
  #next(place: number, mask: number): number {
    const done = this.#masks[place] as number
    if (this.#options.mode !== 'any')
      return (mask >> (this.#counts[place] as number)) & 1 ? (this.#counts[place] as number) : -1
    const step = lowest(mask)
    return step >= 0 && ((done >> step) & 1) === 0 ? step : -1
  }

  #begin(keyId: number, timeMs: number, step: number): void {
    const { steps } = this.#options
    const place = this.#end++
    this.#keyIds = grownInts(this.#keyIds, this.#end)
    this.#counts = grownInts(this.#counts, this.#end)
    this.#masks = grownInts(this.#masks, this.#end)
    this.#times = grownNumbers(this.#times, this.#end * steps)
    if (this.#steps.length < this.#times.length) {
      const grown = new Uint8Array(this.#times.length)
      grown.set(this.#steps)
      this.#steps = grown
    }
    this.#keyIds[place] = keyId
    this.#counts[place] = 0
    this.#masks[place] = 0
    this.#setOpen(place)
    this.#do(place, step, timeMs)
  }

  /** The last step ends the attempt. */
  #do(place: number, step: number, timeMs: number): void {
    const { steps } = this.#options
    const at = place * steps + (this.#counts[place] as number)
    this.#steps[at] = step
    this.#times[at] = timeMs
    this.#masks[place] = (this.#masks[place] as number) | (1 << step)
    this.#counts[place] = (this.#counts[place] as number) + 1
    if (this.#counts[place] === steps) this.#open[this.#keyIds[place] as number] = 0
  }

  #setOpen(place: number): void {
    const keyId = this.#keyIds[place] as number
    this.#open = grownNumbers(this.#open, keyId + 1)
    this.#open[keyId] = this.#number + place + 1
  }

  #goesOn(place: number): boolean {
    return this.#open[this.#keyIds[place] as number] === this.#number + place + 1
  }

  #places(): number[] {
    return Array.from({ length: this.size }, (_, index) => this.#first + index)
  }

  #moveToFront(): void {
    const { steps } = this.#options
    this.#keyIds.copyWithin(0, this.#first, this.#end)
    this.#counts.copyWithin(0, this.#first, this.#end)
    this.#masks.copyWithin(0, this.#first, this.#end)
    this.#times.copyWithin(0, this.#first * steps, this.#end * steps)
    this.#steps.copyWithin(0, this.#first * steps, this.#end * steps)
    this.#number += this.#first
    this.#end -= this.#first
    this.#first = 0
  }
}

/** The lowest step of a mask; -1 for none. */
function lowest(mask: number): number {
  return 31 - Math.clz32(mask & -mask)
}
