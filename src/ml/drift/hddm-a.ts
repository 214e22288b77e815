import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { type DriftDetector, readDetector, writeDetector } from './detector.ts'

/** How sure a change must be. */
export interface HddmOptions {
  readonly driftConfidence: number
  readonly warningConfidence: number
}

/**
 * The mean of values in [0, 1] against the lowest mean there was, by Hoeffding's bound, so no distribution is assumed. I. Frias-Blanco
 * et al., "Online and Non-Parametric Drift Detection Methods Based on Hoeffding's Bounds" (2015), A-test. Alarms where River's does.
 */
export class HddmA implements DriftDetector {
  drift = false
  warning = false
  readonly #options: HddmOptions
  #count = 0
  #mean = 0
  #lowCount = 0
  #lowMean = 0

  constructor(options: HddmOptions) {
    this.#options = options
  }

  update(value: number): void {
    if (this.drift) {
      this.#count = 0
      this.#mean = 0
      this.#lowCount = 0
      this.#lowMean = 0
    }
    this.#count++
    this.#mean += (value - this.#mean) / this.#count
    const lower = this.#lowMean + this.#bound(this.#lowCount) >= this.#mean + this.#bound(this.#count)
    if (this.#lowCount === 0 || lower) {
      this.#lowCount = this.#count
      this.#lowMean = this.#mean
    }
    this.drift = this.#risen(this.#options.driftConfidence)
    this.warning = !this.drift && this.#risen(this.#options.warningConfidence)
  }

  write(writer: ByteWriter): void {
    writeDetector(writer, [this.#count, this.#mean, this.#lowCount, this.#lowMean], this)
  }

  restore(reader: ByteReader): void {
    const { numbers, drift, warning } = readDetector(reader, 4)
    const [count, mean, lowCount, lowMean] = numbers as [number, number, number, number]
    this.#count = count
    this.#mean = mean
    this.#lowCount = lowCount
    this.#lowMean = lowMean
    this.drift = drift
    this.warning = warning
  }

  #bound(count: number): number {
    return Math.sqrt((1 / (2 * count)) * Math.log(1 / this.#options.driftConfidence))
  }

  #risen(confidence: number): boolean {
    if (this.#lowCount === this.#count) return false
    const share = (this.#count - this.#lowCount) / this.#lowCount / this.#count
    return this.#mean - this.#lowMean >= Math.sqrt((share / 2) * Math.log(2 / confidence))
  }
}
