import biasTables from './hll-bias.json' with { type: 'json' }

/*
 * How many different values there were, from a few hundred bytes: HyperLogLog++ [1], which is HyperLogLog [2] with 64 bits of hash and its
 * bias corrected. Half of all hashes begin with a 1, a quarter with 01, and so on: the longest run of zeros that was seen tells how many
 * there were. One run tells little, so each hash goes to one of m = 2^p registers, and each register keeps the longest of its runs:
 *
 *       hash        first p bits: which register | the others, 0 0 1 x x x ...: rank 3, the place of the first 1, at most 64 - p + 1
 *       registers   | 3 | 0 | 1 | 5 | 0 | ...      one byte each, 0 where no hash came; m = 512 bytes for 5 % of deviation
 *
 * A byte where six bits would do takes a third more room and spares masks for each row; few values are kept as a set, which is what the
 * sparse form of [1] is for (`approx-count-distinct.ts`). The maximum of two states is the state of all their values, in any order.
 * Estimates are the numbers of Apache Spark: its hash, its steps, and the constants of [1] as they stand there (Apache License 2.0).
 *
 * [1] S. Heule, M. Nunkesser, A. Hall: HyperLogLog in Practice, EDBT 2013.
 * [2] P. Flajolet, E. Fusy, O. Gandouet, F. Meunier: HyperLogLog, the analysis of a near-optimal cardinality estimation algorithm, 2007.
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
  // A 1 behind the last bit ends a run of nothing but zeros.
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

/**
 * Estimate from the number of registers of each rank, from 0 up; they add up to m = 2^precision. It is the harmonic mean of what the registers
 * say, times m, less its bias where that was measured; while registers are empty and there are few values, how many are says more.
 */
export function estimateFrom(counts: Int32Array, precision: number): number {
  const registerCount = 1 << precision
  let inverseSum = 0
  for (let rank = RANK_END - 1; rank >= 0; rank--) inverseSum += (counts[rank] as number) * 2 ** -rank
  const zeros = counts[0] as number
  const raw = (alpha(precision) * registerCount * registerCount) / inverseSum
  const corrected = raw < BIAS_KNOWN_BELOW * registerCount ? raw - bias(raw, precision) : raw
  if (zeros > 0) {
    const linear = linearCount(registerCount, zeros)
    const threshold = THRESHOLDS[String(precision)] ?? 0
    if (linear <= threshold || raw <= LINEAR_UP_TO * registerCount) return Math.floor(linear + 0.5)
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

/** Values per register: below, the bias was measured [1]. */
const BIAS_KNOWN_BELOW = 5
/** Values per register: up to here empty registers are counted [2]. */
const LINEAR_UP_TO = 2.5
/** By precision: estimates from empty registers are the better ones up to here [1]. */
const THRESHOLDS: Readonly<Record<string, number>> = biasTables.thresholds
/** By precision: estimates without correction, rising, and the bias of each [1]. */
const RAW_ESTIMATES: Readonly<Record<string, readonly number[]>> = biasTables.rawEstimate
const BIASES: Readonly<Record<string, readonly number[]>> = biasTables.bias
const NEIGHBOURS = 6

/** What the harmonic mean is too large by, because hashes fall on the same registers [2]. */
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
