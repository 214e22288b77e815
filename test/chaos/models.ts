import { setTimeout as sleep } from 'node:timers/promises'
import { Random } from '../../src/base/random.ts'
import { differences, type ModelWorld, startLearning, withModelWorlds } from './model-world.ts'
import { newestFence } from './progress.ts'
import { PATIENCE_MS } from './scene.ts'
import { type ChaosOptions, type ChaosReport, type ChaosSuite, Rounds } from './suite.ts'

/** A job that learns, killed again and again; then all that it has learned and said is compared with a run that nobody disturbed. */
export const suite: ChaosSuite = {
  summary: 'kill -9 at random moments and named steps: a champion with challengers, detectors, exports',
  counted: 'kills',
  run: killAll,
}

/** Of the kills, how many come at a named step instead of a random moment. */
const STEP_SHARE = 0.6
const STEPS = [
  'append:before-write',
  'append:write:torn',
  'append:before-sync',
  'append:after-sync',
  'job:before-plan',
  'job:after-plan',
  'job:after-compute',
  'job:before-prepared',
  'job:after-prepared',
  'job:after-commit',
  'job:before-snapshot',
  'job:after-snapshot',
  'sink:after-stage',
  'sink:after-link',
  'sink:before-log',
  'outbox:after-write',
  'latest:before-move',
  'latest:after-move',
  'latest-file:after-texts',
]
const STEP_COUNT_MAX = 4
/** A run that has not come to its step by then is killed where it is: a snapshot is made four times a second only. */
const STEP_MS_MAX = 8_000
const LIFE_MS_MAX = 300

async function killAll(options: ChaosOptions): Promise<ChaosReport> {
  const rounds = new Rounds(options.count, options.budgetMs)
  const steps = new Set<string>()
  let [kills, different] = [0, 0]
  const happened = await withModelWorlds(options, async ({ undisturbed, stormy }) => {
    for (let round = rounds.next(); round !== undefined; round = rounds.next()) {
      const random = new Random(options.seed * 1_000_003 + round)
      const step = await killOnce(stormy, random, rounds.problems)
      if (step !== undefined) steps.add(step)
      if (++kills % 20 === 0) options.say(`${kills} kills`)
    }
    for (const world of [undisturbed, stormy]) {
      const { code, stderr } = await startLearning(world, ['--once']).ended
      if (code !== 0) rounds.problems.push(`a run to the end ended with ${code}: ${stderr.slice(-1_000)}`)
    }
    if (rounds.problems.length > 0) return {}
    const { found, counts } = await differences(undisturbed, stormy)
    different = found.length
    rounds.problems.push(...found)
    return counts
  })
  const counts = { kills, steps: steps.size, ...happened, different }
  return { counts, mustBeZero: ['different'], problems: rounds.problems }
}

/** Resolves to the step that the run has died at, if it was one. */
async function killOnce(world: ModelWorld, random: Random, problems: string[]): Promise<string | undefined> {
  const step = random.chance(STEP_SHARE) ? random.pick(STEPS) : undefined
  const count = 1 + random.below(STEP_COUNT_MAX)
  const armed = step?.endsWith(':torn') ? step.replace(/torn$/, `${count}:torn`) : `${step}:${count}`
  const run = startLearning(world, [], step === undefined ? {} : { MILLRACE_FAILPOINT: armed })
  const life = step === undefined ? lifeOf(world, random.below(LIFE_MS_MAX)) : sleep(STEP_MS_MAX, undefined)
  const ended = await Promise.race([run.ended, life])
  run.kill()
  await run.ended
  if (ended?.signal === 'SIGKILL') return step
  if (ended) problems.push(`a run ended by itself with ${ended.code}: ${ended.stderr.slice(-500)}`)
  return undefined
}

/** Until so long after the run has begun to recover. */
async function lifeOf(world: ModelWorld, lifeMs: number): Promise<undefined> {
  const before = await newestFence(world)
  const startMs = performance.now()
  while ((await newestFence(world)) === before && performance.now() - startMs < PATIENCE_MS) await sleep(10)
  return sleep(lifeMs, undefined)
}
