import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { DriftDetector } from './detector.ts'

/** What the window is kept by. */
export interface AdwinOptions {
  /** How sure a change must be; smaller is surer. */
  readonly delta: number
  /** Values between two looks. */
  readonly clock: number
  /** Buckets of one size before two of them become one of twice the size. */
  readonly bucketsMax: number
  /** Values that each side of a cut has at least. */
  readonly sideMin: number
  /** Values before the first look. */
  readonly grace: number
}

/** Sum of 2^k values and of their squared deviations from their mean. */
interface Bucket {
  readonly sum: number
  readonly spread: number
}

/** Rows of buckets; one of 2^50 values will never be filled. */
const ROWS_MAX = 50

/**
 * A window that grows while its mean stands still, and loses its old end when two parts of it differ too much to be one. A. Bifet,
 * R. Gavalda, "Learning from Time-Changing Data with Adaptive Windowing" (2007). Values lie in buckets of 2^k, so a window of n takes
 * about log n of them. Alarms where River's `ADWIN` does.
 */
export class Adwin implements DriftDetector {
  readonly warning = false
  drift = false
  readonly #options: AdwinOptions
  /** By k, the oldest bucket first. */
  #rows: Bucket[][] = [[]]
  #size = 0
  #sum = 0
  #spread = 0
  #ticks = 0

  constructor(options: AdwinOptions) {
    this.#options = options
  }

  update(value: number): void {
    if (this.drift) this.#reset()
    this.#insert(value)
    this.#ticks++
    const { clock, grace } = this.#options
    if (this.#ticks % clock !== 0 || this.#size <= grace) return
    while (this.#cut()) this.drift = true
  }

  write(writer: ByteWriter): void {
    for (const value of [this.#size, this.#sum, this.#spread, this.#ticks]) writer.f64(value)
    writer.u8(this.drift ? 1 : 0)
    writer.varint(this.#rows.length)
    for (const row of this.#rows) {
      writer.varint(row.length)
      for (const { sum, spread } of row) {
        writer.f64(sum)
        writer.f64(spread)
      }
    }
  }

  restore(reader: ByteReader): void {
    this.#size = reader.f64()
    this.#sum = reader.f64()
    this.#spread = reader.f64()
    this.#ticks = reader.f64()
    this.drift = reader.u8() === 1
    const count = reader.count()
    if (count < 1 || count > ROWS_MAX) throw reader.corrupt(`${count} rows of buckets`)
    this.#rows = Array.from({ length: count }, () =>
      Array.from({ length: reader.count() }, () => ({ sum: reader.f64(), spread: reader.f64() })),
    )
  }

  #reset(): void {
    this.#rows = [[]]
    this.#size = 0
    this.#sum = 0
    this.#spread = 0
    this.#ticks = 0
    this.drift = false
  }

  #insert(value: number): void {
    this.#rows[0]?.push({ sum: value, spread: 0 })
    this.#size++
    if (this.#size > 1) {
      this.#spread += ((this.#size - 1) * (value - this.#sum / (this.#size - 1)) ** 2) / this.#size
    }
    this.#sum += value
    for (let k = 0; k < this.#rows.length; k++) {
      const row = this.#rows[k] as Bucket[]
      if (row.length <= this.#options.bucketsMax) break
      const [first, second] = row.splice(0, 2) as [Bucket, Bucket]
      const values = 2 ** k
      const gap = first.sum / values - second.sum / values
      const spread = first.spread + second.spread + (values * values * gap ** 2) / (2 * values)
      if (k + 1 === this.#rows.length) this.#rows.push([])
      this.#rows[k + 1]?.push({ sum: first.sum + second.sum, spread })
    }
  }

  /** Drops the oldest bucket when some cut parts the window into two that differ. */
  #cut(): boolean {
    const { sideMin } = this.#options
    let older = 0
    let newer = this.#size
    let olderSum = 0
    let newerSum = this.#sum
    for (let k = this.#rows.length - 1; k >= 0; k--) {
      const row = this.#rows[k] as Bucket[]
      for (const [index, { sum }] of row.entries()) {
        if (k === 0 && index === row.length - 1) return false
        older += 2 ** k
        newer -= 2 ** k
        olderSum += sum
        newerSum -= sum
        if (newer < sideMin || older < sideMin) continue
        if (Math.abs(olderSum / older - newerSum / newer) <= this.#tolerance(older, newer)) continue
        this.#dropOldest()
        return true
      }
    }
    return false
  }

  #tolerance(older: number, newer: number): number {
    const { delta, sideMin } = this.#options
    const doubt = Math.log((2 * Math.log(this.#size)) / delta)
    const harmonic = 1 / (older - sideMin + 1) + 1 / (newer - sideMin + 1)
    return Math.sqrt(2 * harmonic * (this.#spread / this.#size) * doubt) + (2 / 3) * doubt * harmonic
  }

  #dropOldest(): void {
    const row = this.#rows.at(-1) as Bucket[]
    const values = 2 ** (this.#rows.length - 1)
    const { sum, spread } = row.shift() as Bucket
    this.#size -= values
    this.#sum -= sum
    const gap = sum / values - this.#sum / this.#size
    this.#spread -= spread + (values * this.#size * gap ** 2) / (values + this.#size)
    if (row.length === 0) this.#rows.pop()
  }
}
