import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Random } from '../../src/base/random.ts'
import { viewCheckpoint } from '../../src/job/checkpoint-view.ts'
import { readOutputLog } from '../../src/sinks/output-log.ts'
import { newestFence, untilCommitted } from './progress.ts'
import { type JobProcess, PATIENCE_MS, type Scene, startRun } from './scene.ts'
import { NO_DAMAGE, storm } from './storm.ts'
import { type ChaosOptions, type ChaosReport, type ChaosSuite, Rounds } from './suite.ts'

/**
 * A running job is stopped as a machine does that sleeps, a second process takes its checkpoint over, and the first wakes up: it must end
 * by itself, and nothing more of it may be seen. Over files and PostgreSQL: whoever takes over a DuckDB file ends its holder first.
 */
export const suite: ChaosSuite = {
  summary: 'SIGSTOP, a second process with --take-over, SIGCONT: the first one publishes nothing any more',
  counted: 'zombies',
  run: haunt,
}

const LIFE_MS_MAX = 700
const STALE = 4

async function haunt(options: ChaosOptions): Promise<ChaosReport> {
  const rounds = new Rounds(options.count, options.budgetMs)
  let [zombies, published] = [0, 0]
  const damage = await storm(options, { durable: false, store: false }, rounds, async (scene) => {
    let running = startRun(scene, [])
    await untilCommitted(scene)
    for (let round = rounds.next(); round !== undefined; round = rounds.next()) {
      await sleep(new Random(options.seed * 1_000_003 + round).below(LIFE_MS_MAX))
      const next = await replace(scene, running, rounds.problems)
      running = next.running
      if (next.published) published++
      if (++zombies % 10 === 0) options.say(`${zombies} zombies`)
    }
    running.kill('SIGKILL')
    await running.ended
  })
  return {
    counts: { zombies, published, ...damage },
    mustBeZero: ['published', ...NO_DAMAGE],
    problems: rounds.problems,
  }
}

/** Stops a process, lets another one take over, and wakes the first one up. Tells whether that has published anything since. */
async function replace(
  scene: Scene,
  zombie: JobProcess,
  problems: string[],
): Promise<{ readonly running: JobProcess; readonly published: boolean }> {
  zombie.kill('SIGSTOP')
  const fence = await newestFence(scene)
  const running = startRun(scene, ['--take-over'])
  await untilCommitted(scene, fence)
  const before = await writtenUnder(scene, fence)
  zombie.kill('SIGCONT')
  const ended = await Promise.race([zombie.ended, sleep(PATIENCE_MS, undefined, { ref: false })])
  if (!ended) {
    zombie.kill('SIGKILL')
    const { stderr } = await zombie.ended
    problems.push(`process ${fence} went on although it was taken over: ${stderr.slice(-500)}`)
  } else if (ended.code !== STALE) {
    problems.push(`process ${fence} ended with ${ended.code}: ${ended.stderr.slice(-500)}`)
  }
  const since = (await writtenUnder(scene, fence)).filter((one) => !before.includes(one))
  for (const one of since) problems.push(`process ${fence} published after it was taken over: ${one.slice(-500)}`)
  return { running, published: since.length > 0 }
}

/** What readers see of a process: entries of the output's logs, and dead letters as far as the checkpoint says that they count. */
async function writtenUnder({ folder }: Scene, fence: number): Promise<string[]> {
  const seen: unknown[] = []
  for (const output of ['closed', 'closed-parquet', 'rolled']) {
    seen.push((await readOutputLog(join(folder, 'out', output))).filter((entry) => entry.fence === fence))
  }
  const { deadLetters } = await viewCheckpoint(join(folder, 'checkpoint'))
  const suffix = `-${String(fence).padStart(10, '0')}.ndjson`
  for (const [name, length] of deadLetters) {
    if (!name.endsWith(suffix)) continue
    const bytes = await readFile(join(folder, 'checkpoint', 'dead-letters', name))
    seen.push(bytes.toString('utf8', 0, length))
  }
  return seen.map((one) => JSON.stringify(one))
}
