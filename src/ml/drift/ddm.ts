import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { type DriftDetector, readDetector, writeDetector } from './detector.ts'

/** When a change counts; both thresholds in standard deviations. */
export interface DdmOptions {
  readonly valuesMin: number
  readonly warningThreshold: number
  readonly driftThreshold: number
}

/** Errors that come more often than they did at best. J. Gama et al., "Learning with Drift Detection" (2004). Alarms where River's does. */
export class Ddm implements DriftDetector {
  drift = false
  warning = false
  readonly #options: DdmOptions
  #count = 0
  #rate = 0
  #bestRate = 0
  #bestDeviation = 0
  #bestSum = Number.POSITIVE_INFINITY

  constructor(options: DdmOptions) {
    this.#options = options
  }

  update(value: number): void {
    if (this.drift) this.#reset()
    const { valuesMin, warningThreshold, driftThreshold } = this.#options
    this.#count++
    this.#rate += (value - this.#rate) / this.#count
    const deviation = Math.sqrt((this.#rate * (1 - this.#rate)) / this.#count)
    if (this.#count <= valuesMin) return
    const sum = this.#rate + deviation
    if (sum <= this.#bestSum) {
      this.#bestRate = this.#rate
      this.#bestDeviation = deviation
      this.#bestSum = sum
    }
    this.warning = sum > this.#bestRate + warningThreshold * this.#bestDeviation
    if (sum <= this.#bestRate + driftThreshold * this.#bestDeviation) return
    this.drift = true
    this.warning = false
  }

  write(writer: ByteWriter): void {
    writeDetector(writer, [this.#count, this.#rate, this.#bestRate, this.#bestDeviation, this.#bestSum], this)
  }

  restore(reader: ByteReader): void {
    const { numbers, drift, warning } = readDetector(reader, 5)
    const [count, rate, bestRate, bestDeviation, bestSum] = numbers as [number, number, number, number, number]
    this.#count = count
    this.#rate = rate
    this.#bestRate = bestRate
    this.#bestDeviation = bestDeviation
    this.#bestSum = bestSum
    this.drift = drift
    this.warning = warning
  }

  #reset(): void {
    this.#count = 0
    this.#rate = 0
    this.#bestRate = 0
    this.#bestDeviation = 0
    this.#bestSum = Number.POSITIVE_INFINITY
    this.drift = false
    this.warning = false
  }
}
