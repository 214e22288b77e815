import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { type DriftDetector, readDetector, writeDetector } from './detector.ts'

/** When a change counts: the distance of errors has fallen to this share of what it was at best. */
export interface EddmOptions {
  readonly valuesMin: number
  readonly warningShare: number
  readonly driftShare: number
}

/** Errors that come closer to each other. M. Baena-Garcia et al., "Early Drift Detection Method" (2006). Alarms where River's does. */
export class Eddm implements DriftDetector {
  drift = false
  warning = false
  readonly #options: EddmOptions
  #count = 0
  #errors = 0
  #lastError = 0
  #meanDistance = 0
  #spread = 0
  #best = -1

  constructor(options: EddmOptions) {
    this.#options = options
  }

  update(value: number): void {
    if (this.drift) this.#reset()
    this.#count++
    if (value !== 1) return
    this.#errors++
    const distance = this.#count - this.#lastError
    const before = this.#meanDistance
    this.#meanDistance += (distance - before) / this.#errors
    this.#spread += (distance - before) * (distance - this.#meanDistance)
    this.#lastError = this.#count
    if (this.#count > this.#options.valuesMin) this.#judge()
  }

  write(writer: ByteWriter): void {
    const numbers = [this.#count, this.#errors, this.#lastError, this.#meanDistance, this.#spread, this.#best]
    writeDetector(writer, numbers, this)
  }

  restore(reader: ByteReader): void {
    const { numbers, drift, warning } = readDetector(reader, 6)
    const [count, errors, lastError, mean, spread, best] = numbers as [number, number, number, number, number, number]
    this.#count = count
    this.#errors = errors
    this.#lastError = lastError
    this.#meanDistance = mean
    this.#spread = spread
    this.#best = best
    this.drift = drift
    this.warning = warning
  }

  #judge(): void {
    const { valuesMin, warningShare, driftShare } = this.#options
    const variance = this.#errors > 1 ? this.#spread / (this.#errors - 1) : 0
    const reach = this.#meanDistance + 2 * Math.sqrt(variance)
    if (reach > this.#best) {
      this.#best = reach
      return
    }
    if (this.#errors <= valuesMin) return
    const share = reach / this.#best
    if (share < driftShare) this.drift = true
    else this.warning = share < warningShare
  }

  #reset(): void {
    this.#count = 0
    this.#errors = 0
    this.#lastError = 0
    this.#meanDistance = 0
    this.#spread = 0
    this.#best = -1
    this.drift = false
    this.warning = false
  }
}
