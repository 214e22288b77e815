import type { ByteReader, ByteWriter } from '../base/bytes.ts'
import { sigmoid } from './logistic-regression.ts'

/**
 * Makes probabilities come true: sigmoid(slope x log odds + shift), both learned from the outcomes by AdaGrad. J. Platt, "Probabilistic
 * Outputs for Support Vector Machines" (1999), as a stream.
 */
export class PlattScaling {
  readonly #rate: number
  #slope = 1
  #shift = 0
  #slopeSquares = 0
  #shiftSquares = 0

  constructor(rate: number) {
    this.#rate = rate
  }

  get slope(): number {
    return this.#slope
  }

  get shift(): number {
    return this.#shift
  }

  /** Log odds that come true. */
  logOdds(logit: number): number {
    return this.#slope * logit + this.#shift
  }

  learn(logit: number, label: boolean): void {
    const error = sigmoid(this.logOdds(logit)) - (label ? 1 : 0)
    const slopeGradient = error * logit
    this.#slopeSquares += slopeGradient * slopeGradient
    this.#shiftSquares += error * error
    this.#slope -= (this.#rate / Math.sqrt(this.#slopeSquares + 1e-8)) * slopeGradient
    this.#shift -= (this.#rate / Math.sqrt(this.#shiftSquares + 1e-8)) * error
  }

  write(writer: ByteWriter): void {
    for (const value of [this.#slope, this.#shift, this.#slopeSquares, this.#shiftSquares]) writer.f64(value)
  }

  restore(reader: ByteReader): void {
    this.#slope = reader.f64()
    this.#shift = reader.f64()
    this.#slopeSquares = reader.f64()
    this.#shiftSquares = reader.f64()
  }
}
