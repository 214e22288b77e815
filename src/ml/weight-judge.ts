import type { ByteReader, ByteWriter } from '../base/bytes.ts'

/** How weights did beside the base rate, and whether that may be chance. */
export type WeightVerdict = 'better' | 'worse' | 'unsure'

/** Standard errors that a difference has to be away from none. */
const SURE = 2

/** Compares what the weights of the moment would have said to some outcomes with the base rate of the moment. */
export class WeightJudge {
  #outcomes = 0
  #gain = 0
  #gainSquares = 0

  get outcomes(): number {
    return this.#outcomes
  }

  /** Mean of what was gained since the verdict before, nats an outcome; 0 before the first. */
  get meanGain(): number {
    return this.#outcomes === 0 ? 0 : this.#gain / this.#outcomes
  }

  /** Losses in nats. */
  add(loss: number, baseLoss: number): void {
    const gain = baseLoss - loss
    this.#outcomes++
    this.#gain += gain
    this.#gainSquares += gain * gain
  }

  /** Of the outcomes since the verdict before. */
  verdict(): WeightVerdict {
    const mean = this.#gain / this.#outcomes
    const variance = this.#gainSquares / this.#outcomes - mean * mean
    const error = Math.sqrt(Math.max(0, variance) / this.#outcomes)
    this.reset()
    if (mean > SURE * error) return 'better'
    // Losses that are no numbers are no better than any.
    return mean >= -SURE * error ? 'unsure' : 'worse'
  }

  /** Forgets the outcomes since the verdict before. */
  reset(): void {
    this.#outcomes = 0
    this.#gain = 0
    this.#gainSquares = 0
  }

  write(writer: ByteWriter): void {
    writer.varint(this.#outcomes)
    writer.f64(this.#gain)
    writer.f64(this.#gainSquares)
  }

  restore(reader: ByteReader): void {
    this.#outcomes = reader.varint()
    this.#gain = reader.f64()
    this.#gainSquares = reader.f64()
  }
}
