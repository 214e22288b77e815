/**
 * What becomes of a row that was read. Each row has exactly one fate, decided in the order of this list;
 * over all rows of an epoch the fates add up to the rows read.
 */
export const FATES = ['malformed', 'invalid', 'filtered', 'future', 'expired', 'duplicate', 'late', 'accepted'] as const

/** One of the fates by name. */
export type Fate = (typeof FATES)[number]

/** Fates that leave a dead letter behind; the others are what the pipeline asked for. */
export function leavesDeadLetter(fate: Fate): boolean {
  return fate !== 'accepted' && fate !== 'filtered'
}
