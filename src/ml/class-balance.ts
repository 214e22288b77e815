import type { ByteReader, ByteWriter } from '../base/bytes.ts'

/** How rare positives are made to count more. */
export interface ClassBalanceOptions {
  readonly weightPos: number
  readonly weightNeg: number
  /** Share of the negatives that are learned from; 1: all. */
  readonly keepNegatives: number
}

/**
 * Leaves out negatives, and takes back from the log odds what that and the weights have put in, so that probabilities stay those of the
 * stream: with weights k = pos / neg the odds are k times too high, with a share s of the negatives 1 / s times. Which negatives are
 * left out depends on their number alone: the same rows leave out the same ones.
 */
export class ClassBalance {
  readonly #keepNegatives: number
  /** What weights and left out rows have put into log odds. */
  readonly excess: number
  #negatives = 0

  constructor({ weightPos, weightNeg, keepNegatives }: ClassBalanceOptions) {
    this.#keepNegatives = keepNegatives
    this.excess = Math.log(weightPos / weightNeg / keepNegatives)
  }

  /** Whether the next row is learned from. */
  keeps(label: boolean): boolean {
    if (label || this.#keepNegatives >= 1) return true
    return scattered(this.#negatives++) < this.#keepNegatives
  }

  /** The log odds of the stream, of those that the model learned. */
  recalibrated(logit: number): number {
    return logit - this.excess
  }

  write(writer: ByteWriter): void {
    writer.varint(this.#negatives)
  }

  restore(reader: ByteReader): void {
    this.#negatives = reader.varint()
  }
}

/** A number in [0, 1) that looks like chance: the finalizer of MurmurHash3 (A. Appleby) over a count. */
function scattered(ordinal: number): number {
  let mixed = Math.imul((ordinal % 4294967296) + 0x9e3779b9, 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 4294967296
}
