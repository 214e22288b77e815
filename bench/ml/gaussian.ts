import { Random } from '../../src/base/random.ts'

/** Numbers in each row. */
export const FEATURES = 30
/** Enough that a run is not mostly the compiler warming up: what is collected before each run takes compiled code with it. */
export const ROWS = 400_000

/** Rows one after the other, with their labels. */
export interface Rows {
  readonly values: Float64Array
  readonly labels: Uint8Array
}

/** Labels that a third of the numbers tell something about. */
export function gaussianRows(): Rows {
  const random = new Random(1)
  const values = new Float64Array(ROWS * FEATURES)
  const labels = new Uint8Array(ROWS)
  for (let row = 0; row < ROWS; row++) {
    let logit = -1
    for (let slot = 0; slot < FEATURES; slot++) {
      const value = 5 + 2 * gaussian(random)
      values[row * FEATURES + slot] = value
      if (slot % 3 === 0) logit += (value - 5) * 0.3
    }
    labels[row] = random.chance(1 / (1 + Math.exp(-logit))) ? 1 : 0
  }
  return { values, labels }
}

/** By G. E. P. Box and M. E. Muller (1958). */
function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.fraction())) * Math.cos(2 * Math.PI * random.fraction())
}
