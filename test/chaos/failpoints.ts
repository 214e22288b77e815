import { Random } from '../../src/base/random.ts'
import { dieAt, stepsOfSource } from './die-at.ts'
import { NO_DAMAGE, storm } from './storm.ts'
import { type ChaosOptions, type ChaosReport, type ChaosSuite, Rounds } from './suite.ts'

/** Jobs die at each named step, the first time that they come to it; then at steps drawn at random, some time later. */
export const suite: ChaosSuite = {
  summary: 'kill -9 at every named failpoint of job and sinks',
  counted: 'singles',
  run: dieEverywhere,
}

const VISITS_MAX = 4

async function dieEverywhere(options: ChaosOptions): Promise<ChaosReport> {
  const pattern = new RegExp(options.name)
  const steps = stepsOfSource().filter((step) => pattern.test(step))
  const reached = new Set<string>()
  const rounds = new Rounds(Math.max(options.count, steps.length), options.budgetMs)
  let singles = 0
  const damage = await storm(options, { durable: false }, rounds, async (scene) => {
    for (let round = rounds.next(); round !== undefined; round = rounds.next()) {
      const random = new Random(options.seed * 1_000_003 + round)
      const step = steps[round] ?? random.pick(steps)
      const visited = await dieAt(scene, step, round < steps.length ? 1 : 1 + random.below(VISITS_MAX), rounds.problems)
      if (visited) reached.add(step)
      if (++singles % 20 === 0) options.say(`${singles} times one step`)
    }
  })
  const missed = steps.filter((step) => !reached.has(step))
  const counts = { singles, reached: reached.size, missed: missed.length, ...damage }
  const problems = [...rounds.problems, ...(missed.length > 0 ? [`never reached: ${missed.join(', ')}`] : [])]
  return { counts, mustBeZero: ['missed', ...NO_DAMAGE], problems }
}
