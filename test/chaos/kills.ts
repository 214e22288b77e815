import { setTimeout as sleep } from 'node:timers/promises'
import { Random } from '../../src/base/random.ts'
import { newestFence } from './progress.ts'
import { PATIENCE_MS, type Scene, startRun } from './scene.ts'
import { NO_DAMAGE, storm } from './storm.ts'
import { type ChaosOptions, type ChaosReport, type ChaosSuite, Rounds } from './suite.ts'

/** Jobs, killed again and again at random moments while events keep coming; then all that they wrote is compared with the oracle. */
export const suite: ChaosSuite = {
  summary: 'kill -9 at random moments: files, PostgreSQL and DuckDB, fed from the embedded log',
  counted: 'kills',
  run: killAll,
}

/** Of the kills, how many come at once after the start, while the job recovers. */
const EARLY_SHARE = 0.1
const EARLY_MS_MAX = 1_000
const LIFE_MS_MAX = 800
/** A run that has not come to its step by then is killed where it is. */
const STEP_MS_MAX = 30_000
/** Of the kills, how many come at a named step instead of a random moment: between two steps lies less than a millisecond. */
const STEP_SHARE = 0.6
const STEPS = [
  'append:before-write',
  'append:write:torn',
  'append:before-sync',
  'append:after-sync',
  'job:after-plan',
  'job:after-compute',
  'job:before-prepared',
  'job:after-prepared',
  'job:after-commit',
  'job:before-snapshot',
  'job:after-snapshot',
  'outbox:after-write',
  'sink:after-stage',
  'sink:after-link',
  'sink:before-log',
  'roll:after-segment',
  'roll:after-publish',
  'postgres:after-mark',
  'postgres:before-commit',
  'postgres:after-commit',
  'duckdb:after-mark',
  'duckdb:before-commit',
  'duckdb:after-commit',
]
const STEP_COUNT_MAX = 8

async function killAll(options: ChaosOptions): Promise<ChaosReport> {
  const rounds = new Rounds(options.count, options.budgetMs)
  const steps = new Set<string>()
  let kills = 0
  const damage = await storm(options, { durable: false }, rounds, async (scene) => {
    for (let round = rounds.next(); round !== undefined; round = rounds.next()) {
      const random = new Random(options.seed * 1_000_003 + round)
      const step = await killOnce(scene, random, rounds.problems)
      if (step !== undefined) steps.add(step)
      if (++kills % 20 === 0) options.say(`${kills} kills`)
    }
  })
  return { counts: { kills, steps: steps.size, ...damage }, mustBeZero: NO_DAMAGE, problems: rounds.problems }
}

/** Resolves to the step that the run has died at, if it was one. */
async function killOnce(scene: Scene, random: Random, problems: string[]): Promise<string | undefined> {
  const early = random.chance(EARLY_SHARE)
  const step = !early && random.chance(STEP_SHARE) ? random.pick(STEPS) : undefined
  const armed = step === undefined ? {} : { MILLRACE_FAILPOINT: atCount(step, 1 + random.below(STEP_COUNT_MAX)) }
  const run = startRun(scene, [], armed)
  const ended = await Promise.race([run.ended, lifeOf(scene, step, early, random)])
  run.kill()
  await run.ended
  if (ended?.signal === 'SIGKILL' && step !== undefined) return step
  if (ended) problems.push(`a run ended by itself with ${ended.code}: ${ended.stderr.slice(-500)}`)
  return undefined
}

/** How long a run may live: until its step kills it, or some time after it has begun to recover, or hardly at all. */
async function lifeOf(scene: Scene, step: string | undefined, early: boolean, random: Random): Promise<undefined> {
  if (step !== undefined) return sleep(STEP_MS_MAX, undefined)
  if (early) return sleep(random.below(EARLY_MS_MAX), undefined)
  const lifeMs = random.below(LIFE_MS_MAX) * random.fraction()
  const before = await newestFence(scene)
  const startMs = performance.now()
  while ((await newestFence(scene)) === before && performance.now() - startMs < PATIENCE_MS) await sleep(10)
  return sleep(lifeMs, undefined)
}

/** `name:torn` at the n-th time is `name:n:torn`. */
function atCount(step: string, count: number): string {
  return step.endsWith(':torn') ? step.replace(/torn$/, `${count}:torn`) : `${step}:${count}`
}
