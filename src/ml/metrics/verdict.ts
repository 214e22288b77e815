import type { Metrics } from './prequential.ts'

/**
 * What can be said for sure of a model beside the base rate.
 *
 *   better      it knows more
 *   no better   what it says may be had without it, as far as these outcomes can tell
 *   worse       it knows less: do not use it
 */
export type Verdict = 'better' | 'no better' | 'worse'

/** The verdict of the last outcomes. Too few of them speak for nothing. */
export function verdictOf({ skill, skillMargin }: Metrics): Verdict {
  if (skillMargin === null || Math.abs(skill) <= skillMargin) return 'no better'
  return skill > 0 ? 'better' : 'worse'
}
