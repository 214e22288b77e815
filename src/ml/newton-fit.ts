import type { FeatureVector } from './feature-vector.ts'
import { sigmoid } from './logistic-regression.ts'

/** Weights and intercept of a fit. */
export interface LogisticFit {
  readonly weights: Float64Array
  readonly intercept: number
}

const ROUNDS_MAX = 50
const HALVINGS_MAX = 30
/** A round that brings less than this share has arrived. */
const TOLERANCE = 1e-10
/** Keeps the intercept's part of the system solvable when all probabilities are 0 or 1. */
const RIDGE = 1e-9

/**
 * The weights with the least mean log loss plus l2 / 2 times their squares (the intercept is free), by Newton's method with halved steps.
 * For few features: each round solves a system of `size` + 1 equations.
 */
export function fitLogistic(
  rows: readonly FeatureVector[],
  labels: readonly boolean[],
  size: number,
  l2: number,
): LogisticFit {
  const width = size + 1
  const data = rows.map((row) => dense(row, width))
  let weights = new Float64Array(width)
  let cost = costOf(data, labels, weights, l2)
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const step = newtonStep(data, labels, weights, l2)
    let share = 1
    let next = moved(weights, step, share)
    let nextCost = costOf(data, labels, next, l2)
    for (let halving = 0; nextCost > cost && halving < HALVINGS_MAX; halving++) {
      share /= 2
      next = moved(weights, step, share)
      nextCost = costOf(data, labels, next, l2)
    }
    if (!(nextCost < cost)) break
    const gain = cost - nextCost
    weights = next
    cost = nextCost
    if (gain <= TOLERANCE * cost) break
  }
  return { weights: weights.slice(0, size), intercept: weights[size] as number }
}

/** A row with all its slots, and a one for the intercept. */
function dense({ indices, values, count }: FeatureVector, width: number): Float64Array {
  const row = new Float64Array(width)
  for (let place = 0; place < count; place++) row[indices[place] as number] = values[place] as number
  row[width - 1] = 1
  return row
}

function costOf(data: readonly Float64Array[], labels: readonly boolean[], weights: Float64Array, l2: number): number {
  let loss = 0
  for (const [index, row] of data.entries()) {
    const margin = labels[index] ? product(row, weights) : -product(row, weights)
    loss += margin > 0 ? Math.log1p(Math.exp(-margin)) : Math.log1p(Math.exp(margin)) - margin
  }
  const free = weights.subarray(0, weights.length - 1)
  return loss / data.length + (l2 / 2) * product(free, free)
}

function newtonStep(
  data: readonly Float64Array[],
  labels: readonly boolean[],
  weights: Float64Array,
  l2: number,
): Float64Array {
  const width = weights.length
  const gradient = new Float64Array(width)
  const curvature = Array.from({ length: width }, () => new Float64Array(width))
  for (const [index, row] of data.entries()) {
    const probability = sigmoid(product(row, weights))
    addScaled(gradient, row, (probability - (labels[index] ? 1 : 0)) / data.length)
    const spread = (probability * (1 - probability)) / data.length
    for (const [slot, value] of row.entries()) addScaled(curvature[slot] as Float64Array, row, spread * value)
  }
  addScaled(gradient.subarray(0, width - 1), weights, l2)
  for (const [slot, line] of curvature.entries())
    line[slot] = (line[slot] as number) + (slot < width - 1 ? l2 : 0) + RIDGE
  return solved(curvature, gradient)
}

/** Solves a symmetric positive system, by elimination. */
function solved(lines: readonly Float64Array[], right: Float64Array): Float64Array {
  const width = right.length
  for (let pivot = 0; pivot < width; pivot++) {
    const line = lines[pivot] as Float64Array
    for (let below = pivot + 1; below < width; below++) {
      const other = lines[below] as Float64Array
      const factor = (other[pivot] as number) / (line[pivot] as number)
      addScaled(other, line, -factor)
      right[below] = (right[below] as number) - factor * (right[pivot] as number)
    }
  }
  const solution = new Float64Array(width)
  for (let pivot = width - 1; pivot >= 0; pivot--) {
    const line = lines[pivot] as Float64Array
    solution[pivot] = ((right[pivot] as number) - product(line, solution)) / (line[pivot] as number)
  }
  return solution
}

function moved(weights: Float64Array, step: Float64Array, share: number): Float64Array<ArrayBuffer> {
  return Float64Array.from(weights, (weight, index) => weight - share * (step[index] as number))
}

function addScaled(to: Float64Array, from: Float64Array, factor: number): void {
  for (let index = 0; index < to.length; index++) to[index] = (to[index] as number) + factor * (from[index] as number)
}

function product(left: Float64Array, right: Float64Array): number {
  let sum = 0
  for (let index = 0; index < left.length; index++) sum += (left[index] as number) * (right[index] as number)
  return sum
}
