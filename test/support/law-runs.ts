/** Cases that each law of the engine is tried with, for each window or end of a session it is about. */
export const LAW_RUNS = {
  rowsOfDefinition: 30,
  viewsOfDefinition: 25,
  sameState: 18,
  damagedState: 12,
  shards: 40,
  sessionEnds: 300,
  floatSums: 200,
  models: 60,
  modelJobs: 15,
  funnels: 60,
} as const

/** The full suite tries as many times more. */
export const FULL_FACTOR = 25

const FULL = process.env['MILLRACE_TEST_SCALE'] === 'full'

/** How many cases a law is tried with. */
export function lawRuns(law: keyof typeof LAW_RUNS): number {
  return FULL ? LAW_RUNS[law] * FULL_FACTOR : LAW_RUNS[law]
}
