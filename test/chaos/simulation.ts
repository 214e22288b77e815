import { simulate } from '../sim/simulate.ts'
import { failpointsIn } from '../support/failpoint-names.ts'
import { type ChaosOptions, type ChaosReport, type ChaosSuite, Rounds } from './suite.ts'

/** Whole jobs on a disk in memory that forgets what was not synced: one seed after the other, from `--seed` on. */
export const suite: ChaosSuite = {
  summary: 'jobs on a simulated disk, dying at any step and in any call, one seed each',
  counted: 'seeds',
  run: simulateAll,
}

/** So many seeds come to every failpoint. */
const SEEDS_OF_A_SAMPLE = 20

async function simulateAll({ count, seed, budgetMs, say }: ChaosOptions): Promise<ChaosReport> {
  const rounds = new Rounds(count, budgetMs)
  const reached = new Set<string>()
  let seeds = 0
  for (let round = rounds.next(); round !== undefined; round = rounds.next()) {
    await simulate(seed + round, reached).catch((error: unknown) => {
      const what = error instanceof Error ? error.stack : String(error)
      rounds.problems.push(`npm run chaos -- simulation --count 1 --seed ${seed + round}: ${what}`)
    })
    if (++seeds % 100 === 0) say(`${seeds} seeds`)
  }
  const steps = [...failpointsIn('job'), ...failpointsIn('sinks', 'file-sink.ts')]
  const missed = seeds < SEEDS_OF_A_SAMPLE ? [] : steps.filter((step) => !reached.has(step))
  const problems = [...rounds.problems, ...(missed.length > 0 ? [`never reached: ${missed.join(', ')}`] : [])]
  return { counts: { seeds, failed: rounds.problems.length, missed: missed.length }, mustBeZero: ['missed'], problems }
}
