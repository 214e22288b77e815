import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { Random } from '../../src/base/random.ts'
import { finish, keepFeeding, LIFE_MS_MAX, type Scene, startRun, withScene } from './scene.ts'
import type { ChaosOptions, ChaosReport, ChaosSuite } from './suite.ts'

/**
 * The job runs on while its PostgreSQL server is stopped as by a power cut, again and again. The server does not wait for its disk, so it
 * forgets transactions that it had confirmed: the job has to notice and to send those epochs again.
 */
export const suite: ChaosSuite = {
  summary: 'PostgreSQL stopped as by a power cut while the job runs; it forgets what it had confirmed',
  counted: 'restarts',
  run: (options) => withScene(options.seed, { durable: false }, (scene) => restartAgainAndAgain(scene, options)),
}

const PAUSE_MS_MAX = 1_500

async function restartAgainAndAgain(scene: Scene, { count, seed, budgetMs, say }: ChaosOptions): Promise<ChaosReport> {
  const random = new Random(seed)
  const startMs = performance.now()
  const problems: string[] = []
  const stopFeeding = keepFeeding(scene)
  const run = startRun(scene, [], {}, LIFE_MS_MAX)
  await untilTablesLast(scene)
  let restarts = 0
  let forgetful = 0
  while (restarts < count && performance.now() - startMs < budgetMs) {
    await sleep(500 + random.below(PAUSE_MS_MAX))
    const before = await marks(scene)
    await scene.restartServer()
    if ((await marks(scene)) < before) forgetful++
    restarts++
    if (restarts % 10 === 0) say(`${restarts} restarts, ${scene.feed.sent} events`)
  }
  await stopFeeding()
  run.kill('SIGTERM')
  const ended = await run.ended
  // A stop while the server is away leaves the last epoch for the next start.
  if (ended.code !== 0 && ended.code !== 3)
    problems.push(`the run ended with ${ended.code}: ${ended.stderr.slice(-1_000)}`)
  const found = await finish(scene)
  problems.push(...found.problems)
  const { lost, duplicated, hangs } = found
  return {
    counts: { restarts, forgetful, events: scene.feed.sent, lost, duplicated, hangs },
    mustBeZero: ['lost', 'duplicated', 'hangs'],
    problems,
  }
}

/** A server that forgets that there ever were tables is another server, which a job refuses. */
async function untilTablesLast(scene: Scene): Promise<void> {
  while ((await marks(scene)) === 0) await sleep(50)
  const client = new pg.Client({ connectionString: scene.server.url })
  await client.connect()
  await client.query('checkpoint').finally(() => client.end())
}

/** Sum of the epochs that the sinks have confirmed; smaller after the server has forgotten some. */
async function marks({ server: { url } }: Scene): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const there = await client.query<{ name: string | null }>("select to_regclass('millrace_progress')::text as name")
    if (there.rows[0]?.name == null) return 0
    const { rows } = await client.query<{ sum: string }>('select coalesce(sum(epoch), 0) as sum from millrace_progress')
    return Number(rows[0]?.sum)
  } finally {
    await client.end()
  }
}
