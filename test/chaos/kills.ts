import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Random } from '../../src/base/random.ts'
import { finish, keepFeeding, type Scene, startRun, withScene } from './scene.ts'
import type { ChaosOptions, ChaosReport, ChaosSuite } from './suite.ts'
import { Watcher } from './watcher.ts'

/** One job, killed again and again at random moments while events keep coming; then all that it wrote is compared with the oracle. */
export const suite: ChaosSuite = {
  summary: 'kill -9 at random moments: files, PostgreSQL and DuckDB, fed from the embedded log',
  run: (options) => withScene(options, { durable: false }, (scene) => storm(scene, options)),
}

/** Of the kills, how many come at once after the start, while the job recovers. */
const EARLY_SHARE = 0.1
const EARLY_MS_MAX = 1_500
const LIFE_MS_MAX = 800
/** A run that has not come to its step by then is killed where it is. */
const STEP_MS_MAX = 15_000
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
async function storm(scene: Scene, { count, seed, budgetMs, say }: ChaosOptions): Promise<ChaosReport> {
  const random = new Random(seed)
  const startMs = performance.now()
  const problems: string[] = []
  const stopFeeding = keepFeeding(scene)
  const watcher = new Watcher(scene.server.url, join(scene.folder, 'out'))
  watcher.start()
  scene.endings.push(() => watcher.stop())
  const stepsHit = new Set<string>()
  let kills = 0
  while (kills < count && performance.now() - startMs < budgetMs && problems.length === 0) {
    const early = random.chance(EARLY_SHARE)
    const step = !early && random.chance(STEP_SHARE) ? random.pick(STEPS) : undefined
    const run = startRun(
      scene,
      [],
      step === undefined ? {} : { MILLRACE_FAILPOINT: atCount(step, 1 + random.below(STEP_COUNT_MAX)) },
    )
    const ended = await Promise.race([run.ended, lifeOf(scene, step, early, random)])
    if (ended?.signal === 'SIGKILL' && step !== undefined) stepsHit.add(step)
    else if (ended) problems.push(`a run ended by itself with ${ended.code}: ${ended.stderr.slice(-500)}`)
    run.kill()
    await run.ended
    kills++
    if (kills % 20 === 0) say(`${kills} kills, ${scene.feed.sent} events`)
  }
  await stopFeeding()
  const found = await finish(scene)
  await watcher.stop()
  problems.push(...found.problems, ...watcher.problems.slice(0, 20))
  const counts = {
    kills,
    steps: stepsHit.size,
    events: scene.feed.sent,
    looks: watcher.looks,
    lost: found.lost,
    duplicated: found.duplicated,
    torn: watcher.problems.length,
    hangs: found.hangs,
  }
  return { counts, mustBeZero: ['lost', 'duplicated', 'torn', 'hangs'], problems }
}

/** How long a run may live: until its step kills it, or some time after it has begun to recover, or hardly at all. */
async function lifeOf(scene: Scene, step: string | undefined, early: boolean, random: Random): Promise<undefined> {
  if (step !== undefined) return sleep(STEP_MS_MAX, undefined)
  if (early) return sleep(random.below(EARLY_MS_MAX), undefined)
  const lifeMs = random.below(LIFE_MS_MAX)
  const before = await journals(scene)
  const startMs = performance.now()
  while ((await journals(scene)) === before && performance.now() - startMs < STEP_MS_MAX) await sleep(10)
  return sleep(lifeMs, undefined)
}

/** Name of the newest journal: each process begins one. */
async function journals({ folder }: Scene): Promise<string | undefined> {
  const names = await readdir(join(folder, 'checkpoint')).catch(() => [])
  return names
    .filter((name) => name.startsWith('journal-'))
    .sort()
    .at(-1)
    ?.slice(0, 'journal-0000000000'.length)
}

/** `name:torn` at the n-th time is `name:n:torn`. */
function atCount(step: string, count: number): string {
  return step.endsWith(':torn') ? step.replace(/torn$/, `${count}:torn`) : `${step}:${count}`
}
