import biasTables from './hll-bias.json' with { type: 'json' }

/*
 * HyperLogLog++ without the sparse form (Heule, Nunkesser, Hall: HyperLogLog in Practice, EDBT 2013). The empirical constants in
 * hll-bias.json are those of the paper as they stand in Apache Spark (Apache License 2.0), so that estimates are the same numbers.
 */

/** Bits of the register index for a relative standard deviation that is tolerated. */
export function precisionFor(rsd: number): number {
  return Math.max(4, Math.ceil(2 * Math.log2(1.106 / rsd)))
}

/** Index of the register that a 64-bit hash falls into. */
export function registerIndex(hashHigh: number, precision: number): number {
  return hashHigh >>> (32 - precision)
}

/** Position of the first set bit behind the index bits, from 1. */
export function registerRank(hashHigh: number, hashLow: number, precision: number): number {
  const high = (hashHigh << precision) | (hashLow >>> (32 - precision))
  if (high !== 0) return Math.clz32(high) + 1
  const low = (hashLow << precision) | (1 << (precision - 1))
  return 32 + Math.clz32(low) + 1
}

/** Estimate from `registers[start, start + 2^precision)`, rounded half up. */
export function estimate(registers: Uint8Array, start: number, precision: number): number {
  const registerCount = 1 << precision
  const counts = new Int32Array(RANK_END)
  for (let index = start; index < start + registerCount; index++) {
    const rank = registers[index] as number
    counts[rank] = (counts[rank] as number) + 1
  }
  return estimateFrom(counts, precision)
}

/** Estimate from the number of registers of each rank, from 0 up; they add up to 2^precision. */
export function estimateFrom(counts: Int32Array, precision: number): number {
  const registerCount = 1 << precision
  let inverseSum = 0
  for (let rank = RANK_END - 1; rank >= 0; rank--) inverseSum += (counts[rank] as number) * 2 ** -rank
  const zeros = counts[0] as number
  const raw = (alpha(precision) * registerCount * registerCount) / inverseSum
  const corrected = raw < 5 * registerCount ? raw - bias(raw, precision) : raw
  if (zeros > 0) {
    const linear = linearCount(registerCount, zeros)
    const threshold = THRESHOLDS[String(precision)] ?? 0
    if (linear <= threshold || raw <= 2.5 * registerCount) return Math.floor(linear + 0.5)
  }
  return Math.floor(corrected + 0.5)
}

/** The estimate while no more than a quarter of the registers have a rank: by linear counting then, whatever the ranks are. */
export function estimateFew(ranked: number, precision: number): number {
  const registerCount = 1 << precision
  return Math.floor(linearCount(registerCount, registerCount - ranked) + 0.5)
}

function linearCount(registerCount: number, zeros: number): number {
  return registerCount * Math.log(registerCount / zeros)
}

/** Ranks are smaller. */
export const RANK_END = 64

const THRESHOLDS: Readonly<Record<string, number>> = biasTables.thresholds
const RAW_ESTIMATES: Readonly<Record<string, readonly number[]>> = biasTables.rawEstimate
const BIASES: Readonly<Record<string, readonly number[]>> = biasTables.bias
const NEIGHBOURS = 6

function alpha(precision: number): number {
  if (precision === 4) return 0.673
  if (precision === 5) return 0.697
  if (precision === 6) return 0.709
  return 0.7213 / (1 + 1.079 / (1 << precision))
}

/** Mean of the biases at the six raw estimates that are nearest to the one given. */
function bias(raw: number, precision: number): number {
  const estimates = RAW_ESTIMATES[String(precision)] ?? []
  const biases = BIASES[String(precision)] ?? []
  let insertion = estimates.findIndex((one) => one >= raw)
  if (insertion < 0) insertion = estimates.length
  let low = Math.max(0, insertion - NEIGHBOURS + 1)
  let high = Math.min(low + NEIGHBOURS, estimates.length)
  const distance = (index: number): number => Math.abs(raw - (estimates[index] as number))
  while (high < estimates.length && distance(high) < distance(low)) {
    low++
    high++
  }
  let sum = 0
  for (let index = low; index < high; index++) sum += biases[index] as number
  return sum / (high - low)
}
