import { assert } from '../base/assert.ts'
import type { ByteReader, ByteWriter } from '../base/bytes.ts'
import type { FeatureVector } from './feature-vector.ts'
import { readNumbers, writeNumbers } from './state-numbers.ts'

/**
 * Brings each number to mean 0 and variance 1, by what was seen of it so far. Running moments: B. P. Welford, "Note on a Method for
 * Calculating Corrected Sums of Squares and Products", Technometrics 4 (1962); merging: T. F. Chan et al. (1979). The same numbers as
 * River's `StandardScaler`.
 */
export class StandardScaler {
  readonly #counts: Float64Array
  readonly #means: Float64Array
  readonly #variances: Float64Array
  /** Roots of the variances, so that they are drawn once per row that is learned. */
  readonly #deviations: Float64Array

  constructor(size: number) {
    this.#counts = new Float64Array(size)
    this.#means = new Float64Array(size)
    this.#variances = new Float64Array(size)
    this.#deviations = new Float64Array(size)
  }

  learn({ indices, values, numbers }: FeatureVector): void {
    learnMoments(indices, values, numbers, this.#counts, this.#means, this.#variances, this.#deviations)
  }

  /** The product of the transformed row with weights, in one pass. */
  project({ indices, values, numbers, count }: FeatureVector, weights: Float64Array): number {
    const sum = projectScaled(indices, values, numbers, this.#means, this.#deviations, weights)
    return sum + projectPlain(indices, values, numbers, count, weights)
  }

  /** Learns the row, transforms it, and gives its product with weights, in one pass. */
  learnAndProject(row: FeatureVector, weights: Float64Array, into: FeatureVector): number {
    const { indices, values, numbers, count } = row
    const sum = learnScaled(
      indices,
      values,
      numbers,
      this.#counts,
      this.#means,
      this.#variances,
      this.#deviations,
      weights,
      into.indices,
      into.values,
    )
    copyPlain(row, into)
    return sum + projectPlain(indices, values, numbers, count, weights)
  }

  /** Fills `into` with the row, its numbers scaled; a number that never varied is 0. */
  transform(row: FeatureVector, into: FeatureVector): void {
    scale(row.indices, row.values, row.numbers, this.#means, this.#deviations, into.indices, into.values)
    copyPlain(row, into)
  }

  /** Adds what another one has seen, as if this one had seen it. */
  merge(other: StandardScaler): void {
    assert(other.#counts.length === this.#counts.length, 'scalers of one model are merged')
    for (let index = 0; index < this.#counts.length; index++) {
      const [left, right] = [this.#counts[index] as number, other.#counts[index] as number]
      const both = left + right
      if (both === 0) continue
      const difference = (other.#means[index] as number) - (this.#means[index] as number)
      const spread = left * (this.#variances[index] as number) + right * (other.#variances[index] as number)
      const variance = (spread + (difference * difference * left * right) / both) / both
      this.#counts[index] = both
      this.#means[index] = (this.#means[index] as number) + (difference * right) / both
      this.#variances[index] = variance
      this.#deviations[index] = Math.sqrt(variance)
    }
  }

  /** Mean and standard deviation of a slot so far. */
  moments(index: number): { readonly mean: number; readonly deviation: number } {
    return { mean: this.#means[index] as number, deviation: this.#deviations[index] as number }
  }

  write(writer: ByteWriter): void {
    for (const numbers of [this.#counts, this.#means, this.#variances]) writeNumbers(writer, numbers)
  }

  restore(reader: ByteReader): void {
    for (const numbers of [this.#counts, this.#means, this.#variances]) readNumbers(reader, numbers)
    for (const [index, variance] of this.#variances.entries()) this.#deviations[index] = Math.sqrt(variance)
  }
}

function learnMoments(
  indices: Int32Array,
  values: Float64Array,
  count: number,
  counts: Float64Array,
  means: Float64Array,
  variances: Float64Array,
  deviations: Float64Array,
): void {
  for (let place = 0; place < count; place++) {
    const index = indices[place] as number
    const value = values[place] as number
    const seen = (counts[index] as number) + 1
    const before = means[index] as number
    const mean = before + (value - before) / seen
    const old = variances[index] as number
    const variance = old + ((value - before) * (value - mean) - old) / seen
    counts[index] = seen
    means[index] = mean
    variances[index] = variance
    deviations[index] = Math.sqrt(variance)
  }
}

function scale(
  indices: Int32Array,
  values: Float64Array,
  count: number,
  means: Float64Array,
  deviations: Float64Array,
  intoIndices: Int32Array,
  intoValues: Float64Array,
): void {
  for (let place = 0; place < count; place++) {
    const index = indices[place] as number
    const deviation = deviations[index] as number
    intoIndices[place] = index
    intoValues[place] = deviation > 0 ? ((values[place] as number) - (means[index] as number)) / deviation : 0
  }
}

function projectScaled(
  indices: Int32Array,
  values: Float64Array,
  count: number,
  means: Float64Array,
  deviations: Float64Array,
  weights: Float64Array,
): number {
  let sum = 0
  for (let place = 0; place < count; place++) {
    const index = indices[place] as number
    const deviation = deviations[index] as number
    const scaled = deviation > 0 ? ((values[place] as number) - (means[index] as number)) / deviation : 0
    sum += (weights[index] as number) * scaled
  }
  return sum
}

/** `learnMoments`, `scale` and `projectScaled` of each number at once. */
function learnScaled(
  indices: Int32Array,
  values: Float64Array,
  count: number,
  counts: Float64Array,
  means: Float64Array,
  variances: Float64Array,
  deviations: Float64Array,
  weights: Float64Array,
  intoIndices: Int32Array,
  intoValues: Float64Array,
): number {
  let sum = 0
  for (let place = 0; place < count; place++) {
    const index = indices[place] as number
    const value = values[place] as number
    const seen = (counts[index] as number) + 1
    const gap = value - (means[index] as number)
    const mean = (means[index] as number) + gap / seen
    const old = variances[index] as number
    const variance = old + (gap * (value - mean) - old) / seen
    const deviation = Math.sqrt(variance)
    counts[index] = seen
    means[index] = mean
    variances[index] = variance
    deviations[index] = deviation
    const scaled = deviation > 0 ? (value - mean) / deviation : 0
    intoIndices[place] = index
    intoValues[place] = scaled
    sum += (weights[index] as number) * scaled
  }
  return sum
}

function projectPlain(
  indices: Int32Array,
  values: Float64Array,
  from: number,
  to: number,
  weights: Float64Array,
): number {
  let sum = 0
  for (let place = from; place < to; place++) {
    sum += (weights[indices[place] as number] as number) * (values[place] as number)
  }
  return sum
}

/** What is no number is not scaled. */
function copyPlain({ indices, values, count, numbers }: FeatureVector, into: FeatureVector): void {
  into.count = count
  into.numbers = numbers
  for (let place = numbers; place < count; place++) {
    into.indices[place] = indices[place] as number
    into.values[place] = values[place] as number
  }
}
