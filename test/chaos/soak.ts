import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/cli/embedded-postgres.ts'
import { growthPerHour, type Sample, sampleOf, troughs } from './resources.ts'
import { type Ended, type JobProcess, LIFE_MS_MAX, PATIENCE_MS, startRun } from './scene.ts'
import { judgeSoak } from './soak-judge.ts'
import { closeWindows, fill, openSoakWorld, type SoakWorld, TOPIC } from './soak-world.ts'
import type { ChaosOptions, ChaosReport, ChaosSuite } from './suite.ts'

/**
 * Generator, log and a job with three sinks for a long time, at 60 % of what the job can do here. In the first half of the budget the job is
 * killed `count` times, in the second it runs on undisturbed and is watched: memory, descriptors and files must not grow.
 */
export const suite: ChaosSuite = {
  summary:
    'generator -> log -> Parquet, PostgreSQL, DuckDB for the whole --budget: half of it with --count kills, half undisturbed',
  counted: 'kills',
  run: withWorld,
}

const LOAD_SHARE = 0.6
const RUN = ['--trigger', '500ms', '--snapshot-interval', '10s', '--parallelism', '1']
const TRIAL_ROWS = 1_000_000
const SAMPLE_MS = 2_000
/** Of the undisturbed half, how much is not looked at: caches and the compiler are still at work. */
const WARM_UP_SHARE = 0.3
/** What a shorter look says of an hour is chance. */
const GROWTH_MS_MIN = 5 * 60_000

interface Soak {
  readonly folder: string
  readonly world: SoakWorld
  readonly server: EmbeddedPostgres
  readonly endings: (() => Promise<unknown>)[]
}

async function withWorld(options: ChaosOptions): Promise<ChaosReport> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-soak-'))
  // The server may run as another user, who has to get through.
  await chmod(folder, 0o711)
  const server = await startEmbeddedPostgres(join(folder, 'postgres'), { durable: true })
  const endings: (() => Promise<unknown>)[] = []
  try {
    const rate = LOAD_SHARE * (await sustainedRate(join(folder, 'trial'), endings))
    options.say(`${Math.round(rate)} events a second, ${LOAD_SHARE} of what the job can do`)
    const own = join(folder, 'soak')
    await mkdir(join(own, 'home'), { recursive: true })
    const world = await openSoakWorld(own)
    endings.push(() => world.log.close())
    return await play({ folder: own, world, server, endings }, rate, options)
  } finally {
    for (const end of endings.reverse()) await end().catch(() => {})
    await server.stop('immediate')
    await rm(folder, { recursive: true, force: true })
  }
}

/** Events a second that the job reads when they are all there. */
async function sustainedRate(folder: string, endings: Soak['endings']): Promise<number> {
  await mkdir(join(folder, 'home'), { recursive: true })
  await chmod(folder, 0o711)
  const server = await startEmbeddedPostgres(join(folder, 'postgres'), { durable: true })
  const world = await openSoakWorld(folder)
  try {
    await fill(world, 100_000, { rows: TRIAL_ROWS })
    const run = startRun({ folder, endings, server }, [...RUN, '--once', '--json'])
    const ended = await run.ended
    if (ended.code !== 0) throw new Error(`the trial run ended with ${ended.code}: ${ended.stderr.slice(-1_000)}`)
    return (JSON.parse(ended.stdout) as { eventsPerSecond: number }).eventsPerSecond
  } finally {
    await world.log.close()
    await server.stop('immediate')
  }
}

async function play(soak: Soak, rate: number, { count, budgetMs, say }: ChaosOptions): Promise<ChaosReport> {
  const problems: string[] = []
  const stop = new AbortController()
  let sent = 0
  const filling = fill(soak.world, rate, { signal: stop.signal }, (rows) => {
    sent = rows
  })
  filling.catch((error: unknown) => problems.push(`the generator failed: ${String(error)}`))
  const fails = (ended: Ended | undefined): void => {
    if (ended) problems.push(`a run ended by itself with ${ended.code}: ${ended.stderr.slice(-1_000)}`)
  }
  let kills = 0
  for (; kills < count && problems.length === 0; kills++) {
    const run = startRun(soak, RUN, {}, LIFE_MS_MAX)
    fails(await Promise.race([run.ended, sleep(budgetMs / 2 / count, undefined)]))
    run.kill()
    await run.ended
    if ((kills + 1) % 10 === 0) say(`${kills + 1} kills, ${sent} events`)
  }
  const calm = startRun(soak, RUN, {}, LIFE_MS_MAX)
  const calmMs = problems.length === 0 ? budgetMs / 2 : 0
  const samples = await watched(soak, calm, calmMs, fails, (text) => say(`${text}, ${sent} events`))
  stop.abort()
  const result = await filling
  calm.kill('SIGTERM')
  const last = await calm.ended
  if (last.code !== 0) problems.push(`the undisturbed run ended with ${last.code}: ${last.stderr.slice(-1_000)}`)
  const rowsRead = await readToEnd(soak, problems)
  const sentRows = (await soak.world.log.describeTopic(TOPIC))?.offsets.reduce((sum, { end }) => sum + end, 0)
  if (rowsRead !== sentRows) problems.push(`${sentRows} events sent, ${rowsRead} read`)
  const { lost, duplicated } = await judgeSoak(soak, result, problems)
  return {
    counts: { kills, events: result.rows, eventsPerSecond: Math.round(rate), lost, duplicated, ...grown(samples) },
    mustBeZero: ['lost', 'duplicated'],
    problems,
  }
}

/** Closes all windows; resolves to the rows that the job has read since it began. */
async function readToEnd(soak: Soak, problems: string[]): Promise<number | undefined> {
  await closeWindows(soak.world)
  const last = await startRun(soak, [...RUN, '--once', '--json'], {}, 2 * PATIENCE_MS).ended
  if (last.code === 0) return (JSON.parse(last.stdout) as { rowsRead: number }).rowsRead
  problems.push(`the last run ended with ${last.code}: ${last.stderr.slice(-1_000)}`)
  return undefined
}

/** Looks at a process again and again while it runs. */
async function watched(
  { folder }: Soak,
  run: JobProcess,
  durationMs: number,
  fails: (ended: Ended | undefined) => void,
  say: (text: string) => void,
): Promise<Sample[]> {
  const samples: Sample[] = []
  const endMs = performance.now() + durationMs
  for (let turn = 1; performance.now() < endMs; turn++) {
    const ended = await Promise.race([run.ended, sleep(SAMPLE_MS, undefined)])
    if (ended) {
      fails(ended)
      break
    }
    const sample = await sampleOf(run.pid, [join(folder, 'checkpoint'), join(folder, 'home', 'log')])
    if (sample) samples.push(sample)
    if (sample && turn % 30 === 0) {
      say(`${megabytes(sample.residentBytes)} MB, ${sample.descriptors} descriptors, ${sample.files} files`)
    }
  }
  return samples.slice(Math.floor(samples.length * WARM_UP_SHARE))
}

function grown(samples: readonly Sample[]): Record<string, number> {
  const [first, last] = [samples.at(0), samples.at(-1)]
  if (!first || !last) return {}
  const memory = ({ residentBytes }: Sample): number => residentBytes
  const descriptors = (sample: Sample): number => sample.descriptors
  const files = (sample: Sample): number => sample.files
  const most = {
    megabytes: megabytes(Math.max(...samples.map(memory))),
    descriptors: Math.max(...samples.map(descriptors)),
    files: Math.max(...samples.map(files)),
  }
  if (last.atMs - first.atMs < GROWTH_MS_MIN) return most
  return {
    ...most,
    megabytesPerHour: megabytes(growthPerHour(troughs(samples, memory), memory)),
    descriptorsPerHour: Math.round(growthPerHour(samples, descriptors)),
    filesPerHour: Math.round(growthPerHour(samples, files)),
  }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6)
}
