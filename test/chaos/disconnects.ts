import { setTimeout as sleep } from 'node:timers/promises'
import { Random } from '../../src/base/random.ts'
import { type CuttingProxy, cuttingProxy } from '../support/cutting-proxy.ts'
import { untilCommitted, untilItGoesOn } from './progress.ts'
import { LIFE_MS_MAX, PATIENCE_MS, type Scene, startRun } from './scene.ts'
import { NO_DAMAGE, storm } from './storm.ts'
import { type ChaosOptions, type ChaosReport, type ChaosSuite, Rounds } from './suite.ts'

/**
 * The connection to PostgreSQL breaks at COMMIT, again and again: before the server has got it, or when it has done it and is about to say
 * so. The job cannot know which, and has to find out.
 */
export const suite: ChaosSuite = {
  summary: 'connections to PostgreSQL cut at COMMIT, before or after the server has done it',
  counted: 'cuts',
  run: disconnectAll,
}

const COMMIT = /^Q....commit\0/s
const PAUSE_MS_MAX = 400

async function disconnectAll(options: ChaosOptions): Promise<ChaosReport> {
  const rounds = new Rounds(options.count, options.budgetMs)
  const cuts = { before: 0, after: 0 }
  const damage = await storm(options, { durable: false }, rounds, async (scene) => {
    const proxy = await cuttingProxy(Number(new URL(scene.server.url).port))
    scene.endings.push(async () => proxy.close())
    const run = startRun(scene, [], { MILLRACE_POSTGRES_URL: through(proxy, scene) }, LIFE_MS_MAX)
    // A server that is not there when a job starts ends it.
    await untilCommitted(scene)
    for (let round = rounds.next(); round !== undefined; round = rounds.next()) {
      const random = new Random(options.seed * 1_000_003 + round)
      const when = random.pick(['before', 'after'] as const)
      await sleep(random.below(PAUSE_MS_MAX))
      if (await cutOnce(proxy, when)) cuts[when]++
      else rounds.problems.push(`no transaction within ${PATIENCE_MS} ms`)
      if ((cuts.before + cuts.after) % 20 === 0) options.say(`${cuts.before + cuts.after} cuts`)
    }
    // Who is told to stop while a sink is in trouble does not wait for it.
    await untilItGoesOn(scene)
    run.kill('SIGTERM')
    const ended = await run.ended
    if (ended.code !== 0) rounds.problems.push(`the run ended with ${ended.code}: ${ended.stderr.slice(-1_000)}`)
  })
  return {
    counts: { cuts: cuts.before + cuts.after, ...cuts, ...damage },
    mustBeZero: NO_DAMAGE,
    problems: rounds.problems,
  }
}

function through(proxy: CuttingProxy, { server }: Scene): string {
  const url = new URL(server.url)
  url.hostname = '127.0.0.1'
  url.port = String(proxy.port)
  return url.href
}

async function cutOnce(proxy: CuttingProxy, when: 'before' | 'after'): Promise<boolean> {
  const before = proxy.cuts()
  const startMs = performance.now()
  proxy.cut(COMMIT, when)
  while (proxy.cuts() === before && performance.now() - startMs < PATIENCE_MS) await sleep(5)
  return proxy.cuts() > before
}
