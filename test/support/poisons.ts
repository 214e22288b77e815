import type { Random } from '../../src/base/random.ts'
import { addNumber, type FeatureVector } from '../../src/ml/feature-vector.ts'
import { adaGrad, adam, ftrl, rmsProp, sgd } from '../../src/ml/model-spec.ts'
import type { OptimizerOptions } from '../../src/ml/optimizer.ts'

/** Numbers of two features that no model should have to bear, by what is wrong with them; `likely` is half of the rows. */
export const POISONS: Readonly<Record<string, (random: Random, likely: boolean) => readonly number[]>> = {
  'features that never change': () => [3, 0],
  'no features at all': () => [],
  'numbers that are none': (random) => [Number.NaN, random.fraction()],
  'infinite numbers': (random, likely) => [
    likely ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY,
    random.fraction(),
  ],
  'huge numbers of both signs': (random, likely) => [likely ? 1e308 : -1e308, random.fraction() * 1e200],
  'the smallest numbers': (random) => [5e-324, random.fraction() * 1e-300],
  'one huge number among small ones': (random) => [random.chance(0.01) ? 1e300 : random.fraction(), 1],
}

/** One of each kind, at a rate at which it learns from two thousand rows. */
export const POISONED_OPTIMIZERS: Readonly<Record<string, OptimizerOptions>> = {
  sgd: sgd(0.1),
  adaGrad: adaGrad(),
  rmsProp: rmsProp(),
  adam: adam(),
  ftrl: ftrl(),
}

/** Puts a row's numbers into a vector, in place of what is there. */
export function fill(row: FeatureVector, values: readonly number[]): void {
  row.count = 0
  row.numbers = 0
  for (const [slot, value] of values.entries()) addNumber(row, slot, value)
}
