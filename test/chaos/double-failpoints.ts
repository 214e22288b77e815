import { Random } from '../../src/base/random.ts'
import { dieAt, RECOVERED, stepsOfSource } from './die-at.ts'
import { NO_DAMAGE, storm } from './storm.ts'
import { type ChaosOptions, type ChaosReport, type ChaosSuite, Rounds } from './suite.ts'

/** Jobs die at a step, and the next process at another one, mostly while it recovers. */
export const suite: ChaosSuite = {
  summary: 'kill -9 at two named failpoints in a row, the second one met by the process that recovers',
  counted: 'doubles',
  run: dieTwice,
}

/** Of the second steps, how many are such as a recovery takes for certain. */
const CERTAIN_SHARE = 0.5
const CERTAIN = ['append:before-write', 'append:write:torn', 'append:before-sync', 'append:after-sync', RECOVERED]
const VISITS_MAX = 4

async function dieTwice(options: ChaosOptions): Promise<ChaosReport> {
  const pattern = new RegExp(options.name)
  const steps = stepsOfSource().filter((step) => pattern.test(step))
  const rounds = new Rounds(options.count, options.budgetMs)
  let [doubles, whileRecovering] = [0, 0]
  const damage = await storm(options, { durable: false }, rounds, async (scene) => {
    for (let round = rounds.next(); round !== undefined; round = rounds.next()) {
      const random = new Random(options.seed * 1_000_003 + round)
      await dieAt(scene, random.pick(steps), 1 + random.below(VISITS_MAX), rounds.problems)
      const second = random.chance(CERTAIN_SHARE) ? random.pick(CERTAIN) : random.pick(steps)
      const visited = await dieAt(scene, second, 1 + random.below(2), rounds.problems)
      if (visited && (second === RECOVERED || !visited.has(RECOVERED))) whileRecovering++
      if (++doubles % 20 === 0) options.say(`${doubles} times two steps`)
    }
  })
  return { counts: { doubles, whileRecovering, ...damage }, mustBeZero: NO_DAMAGE, problems: rounds.problems }
}
