import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { Random } from '../../src/base/random.ts'
import { startEmbeddedPostgres } from '../../src/cli/embedded-postgres.ts'
import { openEmbeddedLog } from '../../src/log/embedded-log.ts'
import { readOutputLog } from '../../src/sinks/file-sink.ts'
import { DELAY_MS, EventFeed } from './event-feed.ts'
import { difference, expectedRows, query, type RowText, rowText } from './oracle.ts'
import type { ChaosOptions, ChaosReport, ChaosSuite } from './suite.ts'
import { Watcher } from './watcher.ts'

/** One job, killed again and again at random moments while events keep coming; then all that it wrote is compared with the oracle. */
export const suite: ChaosSuite = {
  summary: 'kill -9 at random moments: files, PostgreSQL and DuckDB, fed from the embedded log',
  run: killAgainAndAgain,
}

const COMMAND = fileURLToPath(new URL('../../bin/millrace.js', import.meta.url))
const PIPELINE = `
import { count, decimal, defineSchema, duckdb, jsonLines, logSource, parquet, pipeline, postgres, stream, sum, text, timestamp, tumbling } from 'millrace'

const schema = defineSchema({ event_time: timestamp({ required: true }), page_url: text(), amount: decimal(2) })
const windows = stream(logSource('events'), schema)
  .withWatermark('event_time', '${DELAY_MS}ms', { idleTimeout: '1h' })
  .groupBy('page_url')
  .window(tumbling('1s'))
  .aggregate({ events: count(), revenue: sum('amount') })

export default pipeline('storm')
  .query('closed', windows, [jsonLines('out/closed'), parquet('out/closed-parquet'), postgres('closed', { key: [] }), duckdb('closed', { key: [] })])
  .query('live', windows, [postgres('live', { mode: 'update' }), duckdb('live', { mode: 'update' })])
`
const RUN = ['run', 'pipeline.ts', '--checkpoint', 'checkpoint', '--trigger', '10ms', '--snapshot-interval', '250ms']
/** A run that has not ended by then hangs. */
const RUN_MS_MAX = 60_000
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
  'postgres:after-mark',
  'postgres:before-commit',
  'postgres:after-commit',
  'duckdb:after-mark',
  'duckdb:before-commit',
  'duckdb:after-commit',
]
const STEP_COUNT_MAX = 8
const EVENTS_A_TURN = 150
const TURN_MS = 40

interface Scene {
  readonly folder: string
  readonly url: string
  readonly feed: EventFeed
  readonly watcher: Watcher
}

async function killAgainAndAgain(options: ChaosOptions): Promise<ChaosReport> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-chaos-'))
  const server = await startEmbeddedPostgres(join(await reachableFolder(folder), 'postgres'), { durable: false })
  await mkdir(join(folder, 'home'))
  const log = await openEmbeddedLog(join(folder, 'home', 'log'), { mode: 'write' })
  const scene: Scene = {
    folder,
    url: server.url,
    feed: new EventFeed(log, join(folder, 'raw.ndjson'), options.seed),
    watcher: new Watcher(server.url, join(folder, 'out')),
  }
  try {
    await writeFile(join(folder, 'pipeline.ts'), PIPELINE)
    await scene.feed.begin()
    return await storm(scene, options)
  } finally {
    await scene.watcher.stop()
    await log.close()
    await server.stop('immediate')
    await rm(folder, { recursive: true, force: true })
  }
}

async function storm(scene: Scene, { count, seed, budgetMs, say }: ChaosOptions): Promise<ChaosReport> {
  const random = new Random(seed)
  const startMs = performance.now()
  const problems: string[] = []
  const feeding = new AbortController()
  const fed = feed(scene.feed, feeding.signal)
  scene.watcher.start()
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
  feeding.abort()
  await fed
  await scene.feed.closeWindows()
  const last = await finalRun(scene)
  await scene.watcher.stop()
  if (last.code !== 0) problems.push(`the last run ended with ${last.code}: ${last.stderr.slice(-1_000)}`)
  const found =
    last.code === 0 ? await judge(scene, JSON.parse(last.stdout) as Summary) : { lost: 0, duplicated: 0, problems: [] }
  problems.push(...found.problems, ...scene.watcher.problems.slice(0, 20))
  const { looks } = scene.watcher
  const counts = {
    kills,
    steps: stepsHit.size,
    events: scene.feed.sent,
    looks,
    lost: found.lost,
    duplicated: found.duplicated,
    torn: scene.watcher.problems.length,
    hangs: last.hung ? 1 : 0,
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

/** Events keep coming until the signal. */
async function feed(events: EventFeed, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await events.send(EVENTS_A_TURN)
    await sleep(TURN_MS)
  }
}

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly hung: boolean
}

function startRun(
  { folder, url }: Scene,
  args: readonly string[],
  armed: Readonly<Record<string, string>> = {},
): { readonly ended: Promise<Ended>; kill(): void } {
  const env = { ...process.env, MILLRACE_HOME: join(folder, 'home'), MILLRACE_POSTGRES_URL: url, ...armed }
  const child = spawn(process.execPath, [COMMAND, ...RUN, ...args], { cwd: folder, env })
  let stdout = ''
  let stderr = ''
  let hung = false
  child.stdout.on('data', (text: Buffer) => {
    stdout += text.toString()
  })
  child.stderr.on('data', (text: Buffer) => {
    stderr += text.toString()
  })
  const timer = setTimeout(() => {
    hung = true
    child.kill('SIGKILL')
  }, RUN_MS_MAX)
  const ended = new Promise<Ended>((done) => {
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      done({ code, signal, stdout, stderr, hung })
    })
  })
  return { ended, kill: () => child.kill('SIGKILL') }
}

function finalRun(scene: Scene): Promise<Ended> {
  return startRun(scene, ['--once', '--json']).ended
}

interface Summary {
  readonly rowsRead: number
  readonly fates: Readonly<Record<string, number>>
}

/** Compares every sink, the dead letters and the counts with what they have to be. */
async function judge(
  scene: Scene,
  summary: Summary,
): Promise<{ lost: number; duplicated: number; problems: string[] }> {
  const { folder, url, feed: fed } = scene
  const expected = await expectedRows(join(folder, 'raw.ndjson'), DELAY_MS)
  const store = join(folder, 'home', 'results.duckdb')
  const problems: string[] = []
  const found: [string, readonly RowText[], readonly RowText[]][] = [
    ['closed in files', expected.closed, await fileRows(join(folder, 'out', 'closed'))],
    [
      'closed in Parquet',
      expected.closed,
      await duckRows(undefined, `read_parquet('${join(folder, 'out', 'closed-parquet')}/*.parquet')`),
    ],
    ['closed in PostgreSQL', expected.closed, await postgresRows(url, 'closed')],
    ['closed in DuckDB', expected.closed, await duckRows(store, 'closed')],
    ['live in PostgreSQL', expected.live, await postgresRows(url, 'live')],
    ['live in DuckDB', expected.live, await duckRows(store, 'live')],
  ]
  let lost = 0
  let duplicated = 0
  for (const [where, wanted, there] of found) {
    if (wanted.length === 0) problems.push(`${where}: the oracle has no rows, so nothing was tested`)
    const differing = difference(wanted, there)
    lost += differing.lost.length
    duplicated += differing.surplus.length
    if (differing.lost.length > 0) problems.push(`${where}: lost ${differing.lost.slice(0, 3).join(', ')}`)
    if (differing.surplus.length > 0) problems.push(`${where}: surplus ${differing.surplus.slice(0, 3).join(', ')}`)
  }
  problems.push(...(await unlistedFiles(join(folder, 'out', 'closed'))))
  const letters = await deadLetters(join(folder, 'home', 'dead-letters', 'storm'))
  if (letters !== fed.malformed) problems.push(`${letters} dead letters for ${fed.malformed} broken lines`)
  const fates = Object.values(summary.fates).reduce((sum, rows) => sum + rows, 0)
  if (summary.rowsRead !== fed.sent || fates !== fed.sent) {
    problems.push(`${fed.sent} events sent, ${summary.rowsRead} read, ${fates} with a fate`)
  }
  return { lost, duplicated, problems }
}

async function fileRows(folder: string): Promise<RowText[]> {
  const rows: RowText[] = []
  for (const { files } of await readOutputLog(folder)) {
    for (const { path } of files) {
      for (const line of (await readFile(join(folder, path), 'utf8')).split('\n').filter((one) => one !== '')) {
        const row = JSON.parse(line) as Record<string, unknown>
        rows.push(rowText(Date.parse(String(row['window_start'])), row['page_url'], row['events'], row['revenue']))
      }
    }
  }
  return rows.sort()
}

async function unlistedFiles(folder: string): Promise<string[]> {
  const listed = new Set((await readOutputLog(folder)).flatMap(({ files }) => files.map(({ path }) => path)))
  const there = (await readdir(folder)).filter((name) => name.endsWith('.ndjson'))
  return there.filter((name) => !listed.has(name)).map((name) => `${name} is there but not listed`)
}

async function duckRows(file: string | undefined, table: string): Promise<RowText[]> {
  const rows = await query(file, `select epoch_ms(window_start) as start_ms, page_url, events, revenue from ${table}`)
  return rows.map((row) => rowText(Number(row['start_ms']), row['page_url'], row['events'], row['revenue'])).sort()
}

async function postgresRows(url: string, table: string): Promise<RowText[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<Record<string, unknown>>(
      `select extract(epoch from window_start) * 1000 as start_ms, page_url, events, revenue from ${table}`,
    )
    return rows.map((row) => rowText(Number(row['start_ms']), row['page_url'], row['events'], row['revenue'])).sort()
  } finally {
    await client.end()
  }
}

async function deadLetters(folder: string): Promise<number> {
  if (!existsSync(folder)) return 0
  const seen = new Set<string>()
  let lines = 0
  for (const name of await readdir(folder)) {
    for (const line of (await readFile(join(folder, name), 'utf8')).split('\n').filter((one) => one !== '')) {
      seen.add((JSON.parse(line) as { raw: string }).raw)
      lines++
    }
  }
  return seen.size === lines ? lines : Number.NaN
}

/** The server may run as another user, who has to get through. */
async function reachableFolder(folder: string): Promise<string> {
  await chmod(folder, 0o711)
  return folder
}

/** `name:torn` at the n-th time is `name:n:torn`. */
function atCount(step: string, count: number): string {
  return step.endsWith(':torn') ? step.replace(/torn$/, `${count}:torn`) : `${step}:${count}`
}
