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

/** Rows of buckets; one of 2^50 values will never be filled. */
const ROWS_MAX = 50

/**
 * A window that grows while its mean stands still, and loses its old end when two parts of it differ too much to be one. A. Bifet,
 * R. Gavalda, "Learning from Time-Changing Data with Adaptive Windowing" (2007). Alarms where River's `ADWIN` does.
 *
 * Values lie in buckets of 2^k, a row of them for each k, so a window of n takes about log n of them. A bucket is the sum of its values and
 * of their squared deviations from their mean; row k begins at place k * `#width`, its oldest bucket first.
 */
export class Adwin implements DriftDetector {
  readonly warning = false
  drift = false
  readonly #options: AdwinOptions
  /** Places of a row: one more than stay, so that the newest has room before the oldest two become one. */
  readonly #width: number
  readonly #sums: Float64Array
  readonly #spreads: Float64Array
  readonly #counts = new Int32Array(ROWS_MAX)
  #rowCount = 1
  #size = 0
  #sum = 0
  #spread = 0
  #ticks = 0

  constructor(options: AdwinOptions) {
    this.#options = options
    this.#width = options.bucketsMax + 1
    this.#sums = new Float64Array(ROWS_MAX * this.#width)
    this.#spreads = new Float64Array(ROWS_MAX * this.#width)
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
    writer.varint(this.#rowCount)
    for (let k = 0; k < this.#rowCount; k++) {
      const count = this.#counts[k] as number
      writer.varint(count)
      for (let place = k * this.#width; place < k * this.#width + count; place++) {
        writer.f64(this.#sums[place] as number)
        writer.f64(this.#spreads[place] as number)
      }
    }
  }

  restore(reader: ByteReader): void {
    this.#size = reader.f64()
    this.#sum = reader.f64()
    this.#spread = reader.f64()
    this.#ticks = reader.f64()
    this.drift = reader.u8() === 1
    this.#rowCount = reader.count()
    if (this.#rowCount < 1 || this.#rowCount > ROWS_MAX) throw reader.corrupt(`${this.#rowCount} rows of buckets`)
    this.#counts.fill(0)
    for (let k = 0; k < this.#rowCount; k++) {
      const count = reader.count()
      if (count > this.#options.bucketsMax) throw reader.corrupt(`a row of ${count} buckets`)
      this.#counts[k] = count
      for (let place = k * this.#width; place < k * this.#width + count; place++) {
        this.#sums[place] = reader.f64()
        this.#spreads[place] = reader.f64()
      }
    }
  }

  #reset(): void {
    this.#counts.fill(0)
    this.#rowCount = 1
    this.#size = 0
    this.#sum = 0
    this.#spread = 0
    this.#ticks = 0
    this.drift = false
  }

  #insert(value: number): void {
    this.#append(0, value, 0)
    this.#size++
    if (this.#size > 1) {
      this.#spread += ((this.#size - 1) * (value - this.#sum / (this.#size - 1)) ** 2) / this.#size
    }
    this.#sum += value
    for (let k = 0; k < this.#rowCount && (this.#counts[k] as number) > this.#options.bucketsMax; k++) {
      const place = k * this.#width
      const [first, second] = [this.#sums[place] as number, this.#sums[place + 1] as number]
      const values = 2 ** k
      const gap = first / values - second / values
      const spreads = (this.#spreads[place] as number) + (this.#spreads[place + 1] as number)
      this.#drop(k, 2)
      if (k + 1 === this.#rowCount) this.#rowCount++
      this.#append(k + 1, first + second, spreads + (values * values * gap ** 2) / (2 * values))
    }
  }

  #append(k: number, sum: number, spread: number): void {
    const count = this.#counts[k] as number
    this.#sums[k * this.#width + count] = sum
    this.#spreads[k * this.#width + count] = spread
    this.#counts[k] = count + 1
  }

  /** The oldest buckets of a row. */
  #drop(k: number, dropped: number): void {
    const start = k * this.#width
    const left = (this.#counts[k] as number) - dropped
    for (let place = start; place < start + left; place++) {
      this.#sums[place] = this.#sums[place + dropped] as number
      this.#spreads[place] = this.#spreads[place + dropped] as number
    }
    this.#counts[k] = left
  }

  /** Drops the oldest bucket when some cut parts the window into two that differ. */
  #cut(): boolean {
    const { sideMin, delta } = this.#options
    const doubt = Math.log((2 * Math.log(this.#size)) / delta)
    let older = 0
    let newer = this.#size
    let olderSum = 0
    let newerSum = this.#sum
    for (let k = this.#rowCount - 1; k >= 0; k--) {
      const count = this.#counts[k] as number
      for (let index = 0; index < count; index++) {
        if (k === 0 && index === count - 1) return false
        const sum = this.#sums[k * this.#width + index] as number
        older += 2 ** k
        newer -= 2 ** k
        olderSum += sum
        newerSum -= sum
        if (newer < sideMin || older < sideMin) continue
        if (Math.abs(olderSum / older - newerSum / newer) <= this.#tolerance(older, newer, doubt)) continue
        this.#dropOldest()
        return true
      }
    }
    return false
  }

  #tolerance(older: number, newer: number, doubt: number): number {
    const { sideMin } = this.#options
    const harmonic = 1 / (older - sideMin + 1) + 1 / (newer - sideMin + 1)
    return Math.sqrt(2 * harmonic * (this.#spread / this.#size) * doubt) + (2 / 3) * doubt * harmonic
  }

  #dropOldest(): void {
    const k = this.#rowCount - 1
    const values = 2 ** k
    const [sum, spread] = [this.#sums[k * this.#width] as number, this.#spreads[k * this.#width] as number]
    this.#drop(k, 1)
    this.#size -= values
    this.#sum -= sum
    const gap = sum / values - this.#sum / this.#size
    this.#spread -= spread + (values * this.#size * gap ** 2) / (values + this.#size)
    if (this.#counts[k] === 0) this.#rowCount--
  }
}
