import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { type DriftDetector, readDetector, writeDetector } from './detector.ts'

/** When a change counts. */
export interface PageHinkleyOptions {
  readonly valuesMin: number
  /** Changes of the mean up to this are none. */
  readonly delta: number
  readonly threshold: number
  /** How fast old deviations are forgotten; 1: never. */
  readonly alpha: number
}

/** Sums of deviations from the mean, both ways. E. S. Page, "Continuous Inspection Schemes" (1954). Alarms where River's does. */
export class PageHinkley implements DriftDetector {
  readonly warning = false
  drift = false
  readonly #options: PageHinkleyOptions
  #count = 0
  #mean = 0
  #upward = 0
  #downward = 0
  #lowest = Number.POSITIVE_INFINITY
  #highest = -1

  constructor(options: PageHinkleyOptions) {
    this.#options = options
  }

  update(value: number): void {
    if (this.drift) this.#reset()
    const { valuesMin, delta, threshold, alpha } = this.#options
    this.#count++
    this.#mean += (value - this.#mean) / this.#count
    const deviation = value - this.#mean
    this.#upward = alpha * this.#upward + deviation - delta
    this.#downward = alpha * this.#downward + deviation + delta
    this.#lowest = Math.min(this.#lowest, this.#upward)
    this.#highest = Math.max(this.#highest, this.#downward)
    if (this.#count < valuesMin) return
    this.drift = this.#upward - this.#lowest > threshold || this.#highest - this.#downward > threshold
  }

  write(writer: ByteWriter): void {
    const numbers = [this.#count, this.#mean, this.#upward, this.#downward, this.#lowest, this.#highest]
    writeDetector(writer, numbers, this)
  }

  restore(reader: ByteReader): void {
    const { numbers, drift } = readDetector(reader, 6)
    const [count, mean, upward, downward, lowest, highest] = numbers as [number, number, number, number, number, number]
    this.#count = count
    this.#mean = mean
    this.#upward = upward
    this.#downward = downward
    this.#lowest = lowest
    this.#highest = highest
    this.drift = drift
  }

  #reset(): void {
    this.#count = 0
    this.#mean = 0
    this.#upward = 0
    this.#downward = 0
    this.#lowest = Number.POSITIVE_INFINITY
    this.#highest = -1
    this.drift = false
  }
}
