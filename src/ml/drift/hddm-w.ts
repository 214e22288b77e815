import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { type DriftDetector, readDetector, writeDetector } from './detector.ts'
import type { HddmOptions } from './hddm-a.ts'

/** As for the A-test, and what the newest value counts. */
export interface HddmWOptions extends HddmOptions {
  readonly lambda: number
}

/** An exponential mean with the sum of squared weights that its bound needs; NaN before the first value. */
interface Sample {
  readonly mean: number
  readonly weight: number
}

const EMPTY: Sample = { mean: Number.NaN, weight: 1 }

/** Exponential means before and after the best cut, by McDiarmid's bound: the W-test of the same paper. Alarms where River's does. */
export class HddmW implements DriftDetector {
  drift = false
  warning = false
  readonly #options: HddmWOptions
  #all = EMPTY
  #before = EMPTY
  #after = EMPTY
  #cut = Number.POSITIVE_INFINITY

  constructor(options: HddmWOptions) {
    this.#options = options
  }

  update(value: number): void {
    if (this.drift) {
      this.#all = EMPTY
      this.#before = EMPTY
      this.#after = EMPTY
      this.#cut = Number.POSITIVE_INFINITY
    }
    const { driftConfidence, warningConfidence } = this.#options
    this.#all = this.#grown(this.#all, value)
    const reach = this.#all.mean + Math.sqrt((this.#all.weight * Math.log(1 / driftConfidence)) / 2)
    if (reach < this.#cut) {
      this.#cut = reach
      this.#before = this.#all
      this.#after = EMPTY
    } else {
      this.#after = this.#grown(this.#after, value)
    }
    this.drift = this.#risen(driftConfidence)
    this.warning = !this.drift && this.#risen(warningConfidence)
  }

  write(writer: ByteWriter): void {
    const samples = [this.#all, this.#before, this.#after]
    writeDetector(writer, [this.#cut, ...samples.flatMap(({ mean, weight }) => [mean, weight])], this)
  }

  restore(reader: ByteReader): void {
    const { numbers, drift, warning } = readDetector(reader, 7)
    const sample = (at: number): Sample => ({ mean: numbers[at] as number, weight: numbers[at + 1] as number })
    this.#cut = numbers[0] as number
    this.#all = sample(1)
    this.#before = sample(3)
    this.#after = sample(5)
    this.drift = drift
    this.warning = warning
  }

  #grown({ mean, weight }: Sample, value: number): Sample {
    const { lambda } = this.#options
    return {
      mean: Number.isNaN(mean) ? value : lambda * value + (1 - lambda) * mean,
      weight: lambda * lambda + (1 - lambda) ** 2 * weight,
    }
  }

  #risen(confidence: number): boolean {
    const [before, after] = [this.#before, this.#after]
    if (Number.isNaN(before.mean) || Number.isNaN(after.mean)) return false
    return after.mean - before.mean > Math.sqrt(((before.weight + after.weight) * Math.log(1 / confidence)) / 2)
  }
}
