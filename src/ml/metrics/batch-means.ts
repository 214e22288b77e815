const BATCHES = 20
/** Fewer values in a batch say nothing. */
const BATCH_VALUES_MIN = 10
/** Student's t for 19 degrees of freedom, 95 %, both sides. */
const T = 2.093

/**
 * How far the mean of a stretch of values may be from the true one, when neighbours are not independent: the spread of the means of 20
 * batches, one after the other. G. S. Fishman, "Grouping Observations in Digital Simulation" (1978).
 */
export class BatchMeans {
  readonly #count: number
  readonly #sums = new Float64Array(BATCHES)
  #added = 0

  /** `count` values will be added. */
  constructor(count: number) {
    this.#count = count
  }

  add(value: number): void {
    const batch = Math.min(BATCHES - 1, Math.floor((this.#added++ * BATCHES) / this.#count))
    this.#sums[batch] = (this.#sums[batch] as number) + value
  }

  /** The true mean is so far away at most, 19 times of 20; null when there are too few values to tell. */
  margin(): number | null {
    if (this.#count < BATCHES * BATCH_VALUES_MIN) return null
    const means = this.#sums.map((sum) => (sum * BATCHES) / this.#count)
    const mean = means.reduce((sum, one) => sum + one, 0) / BATCHES
    const variance = means.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (BATCHES - 1)
    return T * Math.sqrt(variance / BATCHES)
  }
}
