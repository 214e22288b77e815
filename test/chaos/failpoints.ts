import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Random } from '../../src/base/random.ts'
import { failpointsIn } from '../support/failpoint-names.ts'
import { finish, keepFeeding, type Scene, startRun, withScene } from './scene.ts'
import type { ChaosOptions, ChaosReport, ChaosSuite } from './suite.ts'
import { Watcher } from './watcher.ts'

/** The job dies once at each named step; then `count` times at two steps in a row, the second one met by the process that recovers. */
export const suite: ChaosSuite = {
  summary: 'kill -9 at every named failpoint of job and sinks, then at two in a row',
  run: (options) => withScene(options, { durable: false }, (scene) => dieEverywhere(scene, options)),
}

/** The last step of a recovery: who gets there has recovered. */
const RECOVERED = 'job:recovered'
/** Of doubled kills, how many come at a step that recoveries take for certain. */
const CERTAIN_SHARE = 0.5
const CERTAIN = ['append:before-write', 'append:write:torn', 'append:before-sync', 'append:after-sync', RECOVERED]
const VISITS_MAX = 4
/** As few as show a mistake: what takes time here is to start. */
const EVENTS_A_TURN = 30

/** Every step that a process of this scene can die at, read out of the source, so that none can be forgotten. Kafka has tests of its own. */
function steps(): string[] {
  const names = ['base', 'job', 'sinks', 'sinks/postgres', 'sinks/duckdb'].flatMap((folder) => failpointsIn(folder))
  return [...new Set(names)]
    .filter((name) => !name.startsWith('kafka-'))
    .map((name) => (name === 'append:write' ? `${name}:torn` : name))
    .sort()
}

async function dieEverywhere(scene: Scene, options: ChaosOptions): Promise<ChaosReport> {
  const { count, seed, budgetMs, say } = options
  const random = new Random(seed)
  const deadlineMs = performance.now() + budgetMs
  const problems: string[] = []
  const stopFeeding = keepFeeding(scene, EVENTS_A_TURN)
  const watcher = new Watcher(scene.server.url, join(scene.folder, 'out'))
  watcher.start()
  scene.endings.push(() => watcher.stop())
  const pattern = new RegExp(options.name)
  const names = steps().filter((name) => pattern.test(name))
  const reached = new Set<string>()
  let [singles, doubles, whileRecovering] = [0, 0, 0]
  for (const name of names) {
    if (performance.now() > deadlineMs || problems.length > 0) break
    const visited = await dieAt(scene, name, 1, problems)
    if (visited) reached.add(name)
    singles++
  }
  say(`${singles} steps`)
  while (doubles < count && performance.now() < deadlineMs && problems.length === 0) {
    await dieAt(scene, random.pick(names), 1 + random.below(VISITS_MAX), problems)
    const second = random.chance(CERTAIN_SHARE) ? random.pick(CERTAIN) : random.pick(names)
    const visited = await dieAt(scene, second, 1 + random.below(2), problems)
    if (visited && (second === RECOVERED || !visited.has(RECOVERED))) whileRecovering++
    doubles++
    if (doubles % 20 === 0) say(`${doubles} times two steps, ${scene.feed.sent} events`)
  }
  await stopFeeding()
  const found = await finish(scene)
  await watcher.stop()
  problems.push(...found.problems, ...watcher.problems.slice(0, 20))
  const missed = names.filter((name) => !reached.has(name))
  if (missed.length > 0) problems.push(`never reached: ${missed.join(', ')}`)
  const { lost, duplicated, hangs } = found
  const { length: torn } = watcher.problems
  const counts = { singles, reached: reached.size, missed: missed.length, doubles, whileRecovering }
  return {
    counts: { ...counts, events: scene.feed.sent, lost, duplicated, torn, hangs },
    mustBeZero: ['missed', 'lost', 'duplicated', 'torn', 'hangs'],
    problems,
  }
}

/** Runs the job until it dies at a step. Resolves to the steps that it has visited; undefined when it did not die there. */
async function dieAt(
  scene: Scene,
  step: string,
  visit: number,
  problems: string[],
): Promise<ReadonlySet<string> | undefined> {
  const trace = join(scene.folder, 'trace')
  await rm(trace, { force: true })
  const armed =
    step === RECOVERED ? step : step.endsWith(':torn') ? step.replace(/torn$/, `${visit}:torn`) : `${step}:${visit}`
  const run = startRun(scene, [], { MILLRACE_FAILPOINT: armed, MILLRACE_FAILPOINT_TRACE: trace })
  const ended = await run.ended
  const visited = new Set((await readFile(trace, 'utf8').catch(() => '')).split('\n'))
  if (ended.hung) problems.push(`${armed} was not reached within a minute`)
  else if (ended.signal !== 'SIGKILL') problems.push(`${armed}: ended with ${ended.code}: ${ended.stderr.slice(-500)}`)
  else if (visited.has(step.replace(/:torn$/, ''))) return visited
  else problems.push(`${armed}: died before it was reached`)
  return undefined
}
