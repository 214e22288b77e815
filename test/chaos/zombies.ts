import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Random } from '../../src/base/random.ts'
import { readOutputLog } from '../../src/sinks/output-log.ts'
import { finish, keepFeeding, type Scene, startRun, withScene } from './scene.ts'
import type { ChaosOptions, ChaosReport, ChaosSuite } from './suite.ts'
import { Watcher } from './watcher.ts'

/**
 * A running job is stopped as a machine does that sleeps, a second process takes its checkpoint over, and the first wakes up: it must end
 * by itself, and nothing more of it may be seen. Over files and PostgreSQL: whoever takes over a DuckDB file ends its holder first.
 */
export const suite: ChaosSuite = {
  summary: 'SIGSTOP, a second process with --take-over, SIGCONT: the first one publishes nothing any more',
  run: (options) => withScene(options, { durable: false, store: false }, (scene) => haunt(scene, options)),
}

const STEP_MS_MAX = 20_000
const LIFE_MS_MAX = 700
const STALE = 4
/** As few as show a mistake: what takes time here is to start. */
const EVENTS_A_TURN = 30

async function haunt(scene: Scene, { count, seed, budgetMs, say }: ChaosOptions): Promise<ChaosReport> {
  const random = new Random(seed)
  const deadlineMs = performance.now() + budgetMs
  const problems: string[] = []
  const stopFeeding = keepFeeding(scene, EVENTS_A_TURN)
  const watcher = new Watcher(scene.server.url, join(scene.folder, 'out'))
  watcher.start()
  scene.endings.push(() => watcher.stop())
  let zombies = 0
  let published = 0
  let running = startRun(scene, [])
  await untilCommitted(scene)
  while (zombies < count && performance.now() < deadlineMs && problems.length === 0) {
    await sleep(random.below(LIFE_MS_MAX))
    const zombie = running
    zombie.kill('SIGSTOP')
    const fence = await newestFence(scene)
    running = startRun(scene, ['--take-over'])
    await untilCommitted(scene, fence)
    const before = await writtenUnder(scene, fence)
    zombie.kill('SIGCONT')
    const ended = await Promise.race([zombie.ended, sleep(STEP_MS_MAX, undefined)])
    if (!ended) {
      zombie.kill('SIGKILL')
      const { stderr } = await zombie.ended
      problems.push(`process ${fence} went on although it was taken over: ${stderr.slice(-500)}`)
    }
    if (ended && ended.code !== STALE)
      problems.push(`process ${fence} ended with ${ended.code}: ${ended.stderr.slice(-500)}`)
    const after = await writtenUnder(scene, fence)
    if (after !== before) published++
    zombies++
    if (zombies % 10 === 0) say(`${zombies} zombies, ${scene.feed.sent} events`)
  }
  running.kill('SIGKILL')
  await running.ended
  await stopFeeding()
  const found = await finish(scene)
  await watcher.stop()
  problems.push(...found.problems, ...watcher.problems.slice(0, 20))
  const { lost, duplicated, hangs } = found
  const { length: torn } = watcher.problems
  return {
    counts: { zombies, published, events: scene.feed.sent, lost, duplicated, torn, hangs },
    mustBeZero: ['published', 'lost', 'duplicated', 'torn', 'hangs'],
    problems,
  }
}

/** Until the newest process, with a fence behind the one given, has made an epoch visible. */
async function untilCommitted(scene: Scene, fence = 0): Promise<void> {
  const startMs = performance.now()
  for (;;) {
    const now = await newestFence(scene)
    if (now > fence && (await fenceSeen(scene)) === now) return
    if (performance.now() - startMs > STEP_MS_MAX) throw new Error(`process ${now} commits nothing`)
    await sleep(20)
  }
}

/** Which process has written the newest entry of the output's log. */
async function fenceSeen({ folder }: Scene): Promise<number | undefined> {
  const output = join(folder, 'out', 'closed')
  return (await readOutputLog(output)).at(-1)?.fence
}

async function newestFence({ folder }: Scene): Promise<number> {
  const names = await readdir(join(folder, 'checkpoint')).catch(() => [])
  return Math.max(0, ...names.filter((name) => name.startsWith('journal-')).map((name) => Number(name.split('-')[1])))
}

/** What readers see of a process: entries of the output's logs, and dead letters. */
async function writtenUnder({ folder }: Scene, fence: number): Promise<string> {
  const seen: unknown[] = []
  for (const output of ['closed', 'closed-parquet', 'rolled']) {
    seen.push((await readOutputLog(join(folder, 'out', output))).filter((entry) => entry.fence === fence))
  }
  const letters = join(folder, 'checkpoint', 'dead-letters')
  const suffix = `-${String(fence).padStart(10, '0')}.ndjson`
  for (const name of await readdir(letters).catch(() => [])) {
    if (name.endsWith(suffix)) seen.push(await readFile(join(letters, name), 'utf8'))
  }
  return JSON.stringify(seen)
}
