import { assert } from '../base/assert.ts'
import type { Random } from '../base/random.ts'

/**
 * Draws indexes with given weights in constant time: each cell holds one index and, above its threshold, another one.
 * Algorithm: the alias method of A. J. Walker, built as by M. D. Vose (1991).
 */
export class AliasTable {
  readonly size: number
  readonly #thresholds: Float64Array
  readonly #aliases: Int32Array

  /** Weights are not negative and do not have to add up to anything but more than 0. */
  constructor(weights: ArrayLike<number>) {
    const size = weights.length
    let total = 0
    for (let index = 0; index < size; index++) total += weights[index]
    assert(total > 0, 'an alias table has a weight above 0')
    this.size = size
    this.#thresholds = new Float64Array(size)
    this.#aliases = new Int32Array(size)
    const order = new Int32Array(size) // Cells below the average from the front, the others from the back.
    let small = 0
    let large = size
    for (let index = 0; index < size; index++) {
      const scaled = (weights[index] * size) / total
      this.#thresholds[index] = scaled
      if (scaled < 1) order[small++] = index
      else order[--large] = index
    }
    this.#fill(order, small)
  }

  sample(random: Random): number {
    return this.at(random.fraction(), random.fraction())
  }

  /** The index for two numbers in [0, 1): the first picks a cell, the second decides within it. */
  at(cellFraction: number, decision: number): number {
    const cell = Math.floor(cellFraction * this.size)
    return decision < this.#thresholds[cell] ? cell : this.#aliases[cell]
  }

  /** Fills each small cell up from a large one; a giver that becomes small by that stands right behind the small ones in `order`. */
  #fill(order: Int32Array, smallCount: number): void {
    const thresholds = this.#thresholds
    let next = 0
    let smallEnd = smallCount
    while (next < smallEnd && smallEnd < this.size) {
      const cell = order[next++]
      const giver = order[smallEnd]
      this.#aliases[cell] = giver
      const left = thresholds[giver] - (1 - thresholds[cell])
      thresholds[giver] = left
      if (left < 1) smallEnd++
    }
    for (; next < this.size; next++) thresholds[order[next]] = 1 // What is left differs from 1 by rounding only.
  }
}

/** Weights of ranks 0, 1, 2, ... under Zipf's law: proportional to `(rank + 1) ^ -exponent`. */
export function zipfWeights(count: number, exponent: number): Float64Array {
  return Float64Array.from({ length: count }, (_, rank) => (rank + 1) ** -exponent)
}
