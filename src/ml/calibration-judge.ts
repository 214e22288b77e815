import type { ByteReader, ByteWriter } from '../base/bytes.ts'

const BINS = 10
/** Standard errors that what came has to be away from what was said. */
const SURE = 2

/**
 * Compares how often something came with how often the weights of the moment said that it would, in ten bins of what they said. Of each bin
 * only the distance beyond two standard errors counts, for a handful of outcomes is never as often as was said.
 */
export class CalibrationJudge {
  /** By bin: sum of what was said less what came, and variance of that sum, if what was said is true. */
  readonly #gaps = new Float64Array(BINS)
  readonly #variances = new Float64Array(BINS)
  #outcomes = 0

  add(probability: number, came: boolean): void {
    const bin = Math.min(BINS - 1, Math.floor(probability * BINS))
    this.#gaps[bin] = (this.#gaps[bin] as number) + probability - (came ? 1 : 0)
    this.#variances[bin] = (this.#variances[bin] as number) + probability * (1 - probability)
    this.#outcomes++
  }

  /** The calibration error that is no chance, of the outcomes since the verdict before; 0 without any. */
  sureError(): number {
    const sure = this.#gaps.reduce((sum, gap, bin) => {
      return sum + Math.max(0, Math.abs(gap) - SURE * Math.sqrt(this.#variances[bin] as number))
    }, 0)
    const error = sure / Math.max(1, this.#outcomes)
    this.reset()
    return error
  }

  /** Forgets the outcomes since the verdict before. */
  reset(): void {
    this.#gaps.fill(0)
    this.#variances.fill(0)
    this.#outcomes = 0
  }

  write(writer: ByteWriter): void {
    for (const sums of [this.#gaps, this.#variances]) for (const sum of sums) writer.f64(sum)
    writer.varint(this.#outcomes)
  }

  restore(reader: ByteReader): void {
    for (const sums of [this.#gaps, this.#variances]) {
      for (let bin = 0; bin < BINS; bin++) sums[bin] = reader.f64()
    }
    this.#outcomes = reader.varint()
  }
}
