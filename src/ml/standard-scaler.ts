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
  /** By slot, side by side because all of it is looked at together: count, mean, variance, factor. */
  readonly #moments: Float64Array

  constructor(size: number) {
    this.#moments = new Float64Array(size * STRIDE)
  }

  learn({ indices, values, numbers }: FeatureVector): void {
    learnMoments(indices, values, numbers, this.#moments)
  }

  /** The product of the transformed row with weights, in one pass. */
  project({ indices, values, numbers, count }: FeatureVector, weights: Float64Array): number {
    const sum = projectScaled(indices, values, numbers, this.#moments, weights)
    return sum + projectPlain(indices, values, numbers, count, weights)
  }

  /** Learns the row, transforms it, and gives its product with weights, in one pass. */
  learnAndProject(row: FeatureVector, weights: Float64Array, into: FeatureVector): number {
    const { indices, values, numbers, count } = row
    const sum = learnScaled(indices, values, numbers, this.#moments, weights, into.indices, into.values)
    copyPlain(row, into)
    return sum + projectPlain(indices, values, numbers, count, weights)
  }

  /** Fills `into` with the row, its numbers scaled; a number that never varied is 0. */
  transform(row: FeatureVector, into: FeatureVector): void {
    scale(row.indices, row.values, row.numbers, this.#moments, into.indices, into.values)
    copyPlain(row, into)
  }

  /** Adds what another one has seen, as if this one had seen it. */
  merge(other: StandardScaler): void {
    const [mine, theirs] = [this.#moments, other.#moments]
    assert(mine.length === theirs.length, 'scalers of one model are merged')
    for (let at = 0; at < mine.length; at += STRIDE) {
      const [left, right] = [mine[at + COUNT] as number, theirs[at + COUNT] as number]
      const both = left + right
      if (both === 0) continue
      const difference = (theirs[at + MEAN] as number) - (mine[at + MEAN] as number)
      const spread = left * (mine[at + VARIANCE] as number) + right * (theirs[at + VARIANCE] as number)
      const variance = (spread + (difference * difference * left * right) / both) / both
      mine[at + COUNT] = both
      mine[at + MEAN] = (mine[at + MEAN] as number) + (difference * right) / both
      mine[at + VARIANCE] = variance
      mine[at + FACTOR] = factorOf(variance)
    }
  }

  /** Mean and standard deviation of a slot so far. */
  moments(slot: number): { readonly mean: number; readonly deviation: number } {
    const at = slot * STRIDE
    const [mean, variance] = [this.#moments[at + MEAN] as number, this.#moments[at + VARIANCE] as number]
    return { mean, deviation: Math.sqrt(variance) }
  }

  write(writer: ByteWriter): void {
    for (const part of WRITTEN)
      writeNumbers(
        writer,
        this.#moments.filter((_, at) => at % STRIDE === part),
      )
  }

  restore(reader: ByteReader): void {
    const moments = this.#moments
    const numbers = new Float64Array(moments.length / STRIDE)
    for (const part of WRITTEN) {
      readNumbers(reader, numbers)
      for (const [slot, number] of numbers.entries()) moments[slot * STRIDE + part] = number
    }
    for (let at = 0; at < moments.length; at += STRIDE)
      moments[at + FACTOR] = factorOf(moments[at + VARIANCE] as number)
  }
}

const STRIDE = 4
const COUNT = 0
const MEAN = 1
const VARIANCE = 2
/** What a number less its mean is multiplied by: one over the root of the variance, drawn once per row that is learned. */
const FACTOR = 3
const WRITTEN = [COUNT, MEAN, VARIANCE]

/** 0 for what never varied. */
function factorOf(variance: number): number {
  return variance > 0 ? 1 / Math.sqrt(variance) : 0
}

function learnMoments(indices: Int32Array, values: Float64Array, count: number, moments: Float64Array): void {
  for (let place = 0; place < count; place++) {
    const at = (indices[place] as number) * STRIDE
    const value = values[place] as number
    const seen = (moments[at + COUNT] as number) + 1
    const share = 1 / seen
    const gap = value - (moments[at + MEAN] as number)
    const mean = (moments[at + MEAN] as number) + gap * share
    const old = moments[at + VARIANCE] as number
    const variance = old + (gap * (value - mean) - old) * share
    moments[at + COUNT] = seen
    moments[at + MEAN] = mean
    moments[at + VARIANCE] = variance
    moments[at + FACTOR] = factorOf(variance)
  }
}

function scale(
  indices: Int32Array,
  values: Float64Array,
  count: number,
  moments: Float64Array,
  intoIndices: Int32Array,
  intoValues: Float64Array,
): void {
  for (let place = 0; place < count; place++) {
    const index = indices[place] as number
    const at = index * STRIDE
    intoIndices[place] = index
    intoValues[place] = ((values[place] as number) - (moments[at + MEAN] as number)) * (moments[at + FACTOR] as number)
  }
}

function projectScaled(
  indices: Int32Array,
  values: Float64Array,
  count: number,
  moments: Float64Array,
  weights: Float64Array,
): number {
  let sum = 0
  for (let place = 0; place < count; place++) {
    const index = indices[place] as number
    const at = index * STRIDE
    const scaled = ((values[place] as number) - (moments[at + MEAN] as number)) * (moments[at + FACTOR] as number)
    sum += (weights[index] as number) * scaled
  }
  return sum
}

/**
 * `learnMoments`, `scale` and `projectScaled` of each number at once. Divisions take most of its time, so numbers that were seen equally
 * often share one.
 */
function learnScaled(
  indices: Int32Array,
  values: Float64Array,
  count: number,
  moments: Float64Array,
  weights: Float64Array,
  intoIndices: Int32Array,
  intoValues: Float64Array,
): number {
  let lastSeen = 0
  let share = 0
  let sum = 0
  for (let place = 0; place < count; place++) {
    const index = indices[place] as number
    const at = index * STRIDE
    const value = values[place] as number
    const seen = (moments[at + COUNT] as number) + 1
    if (seen !== lastSeen) share = 1 / seen
    lastSeen = seen
    const gap = value - (moments[at + MEAN] as number)
    const mean = (moments[at + MEAN] as number) + gap * share
    const old = moments[at + VARIANCE] as number
    const variance = old + (gap * (value - mean) - old) * share
    const factor = factorOf(variance)
    moments[at + COUNT] = seen
    moments[at + MEAN] = mean
    moments[at + VARIANCE] = variance
    moments[at + FACTOR] = factor
    const scaled = (value - mean) * factor
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
