import { unreachable } from '../base/assert.ts'

/** How large a step is. */
export type LearningRateOptions =
  | { readonly kind: 'constant'; readonly rate: number }
  /** rate / (steps + 1)^power */
  | { readonly kind: 'inverse-scaling'; readonly rate: number; readonly power: number }
  /** 1 / (alpha (t0 + steps)): L. Bottou, "Stochastic Gradient Descent Tricks" (2012), as River and scikit-learn choose t0. */
  | { readonly kind: 'optimal'; readonly alpha: number }

/** The rate of the step after so many. */
export function learningRateAt(options: LearningRateOptions, steps: number): number {
  switch (options.kind) {
    case 'constant':
      return options.rate
    case 'inverse-scaling':
      return options.rate / (steps + 1) ** options.power
    case 'optimal': {
      const typicalWeight = Math.sqrt(1 / Math.sqrt(options.alpha))
      return 1 / (options.alpha * (1 / (typicalWeight * options.alpha) + steps))
    }
    default:
      return unreachable(options)
  }
}
