import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/cli/embedded-postgres.ts'
import { openEmbeddedLog } from '../../src/log/embedded-log.ts'
import { PROGRAM } from '../support/run-millrace.ts'
import { DELAY_MS, EventFeed } from './event-feed.ts'
import { judge, type Summary } from './judge.ts'

/** As the command has it that nobody bundled. */
const COMPILE_CACHE = join(tmpdir(), 'node-compile-cache')
/** Kept apart from the rest: whoever takes a job over that writes to DuckDB ends the process that has the file. */
const STORE_SINKS = { closed: ", duckdb('closed', { key: [] })", live: ", duckdb('live', { mode: 'update' })" }
const pipelineText = (store: boolean): string => `
import { count, decimal, defineSchema, duckdb, jsonLines, logSource, parquet, pipeline, postgres, stream, sum, text, timestamp, tumbling } from 'millrace'

const schema = defineSchema({ event_time: timestamp({ required: true }), page_url: text(), amount: decimal(2) })
const windows = stream(logSource('events'), schema)
  .withWatermark('event_time', '${DELAY_MS}ms', { idleTimeout: '1h' })
  .groupBy('page_url')
  .window(tumbling('1s'))
  .aggregate({ events: count(), revenue: sum('amount') })

export default pipeline('storm')
  .query('closed', windows, [jsonLines('out/closed'), parquet('out/closed-parquet'), jsonLines('out/rolled', { name: 'rolled', roll: { every: '700ms' } }), postgres('closed', { key: [] })${store ? STORE_SINKS.closed : ''}])
  .query('live', windows, [postgres('live', { mode: 'update' })${store ? STORE_SINKS.live : ''}])
`
const RUN = ['run', 'pipeline.ts', '--checkpoint', 'checkpoint', '--trigger', '10ms', '--snapshot-interval', '250ms']
/** A process that has not come so far by then hangs, however busy the machine is. */
export const PATIENCE_MS: number = 180_000
/** For a process that lives as long as its suite, however long that is. */
export const LIFE_MS_MAX: number = 86_400_000
/** As few as show a mistake: what takes time here is to start. */
const EVENTS_A_TURN = 30
const TURN_MS = 40

/** A job's world: its folder with the pipeline, a PostgreSQL server, and events that can be made to come. */
export interface Scene {
  readonly folder: string
  readonly feed: EventFeed
  readonly server: EmbeddedPostgres
  /** The result store is among the sinks. */
  readonly store: boolean
  /** Ends whatever was begun in this scene, when the scene is over. */
  readonly endings: (() => Promise<unknown>)[]
  /** Stops the server as a power cut would, and starts it again where it was. */
  restartServer(): Promise<void>
}

/** Sets a scene up, and clears it away whatever happens. */
export async function withScene<T>(
  seed: number,
  { store = true, ...server }: { durable: boolean; store?: boolean },
  play: (scene: Scene) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-chaos-'))
  // The server may run as another user, who has to get through.
  await chmod(folder, 0o711)
  const data = join(folder, 'postgres')
  let running = await startEmbeddedPostgres(data, server)
  const port = Number(new URL(running.url).port)
  await mkdir(join(folder, 'home'))
  const log = await openEmbeddedLog(join(folder, 'home', 'log'), { mode: 'write' })
  const feed = new EventFeed(log, join(folder, 'raw.ndjson'), seed)
  const endings: (() => Promise<unknown>)[] = []
  try {
    await writeFile(join(folder, 'pipeline.ts'), pipelineText(store))
    await feed.begin()
    return await play({
      folder,
      feed,
      store,
      endings,
      get server() {
        return running
      },
      async restartServer() {
        await running.stop('immediate')
        running = await startEmbeddedPostgres(data, { ...server, port })
      },
    })
  } finally {
    await Promise.allSettled(endings.map((end) => end()))
    await log.close()
    await running.stop('immediate')
    await rm(folder, { recursive: true, force: true })
  }
}

/** Events keep coming until the returned function is called, which resolves when the last are sent, or the scene is over. */
export function keepFeeding({ feed, endings }: Scene): () => Promise<void> {
  let stopped = false
  const feeding = (async () => {
    while (!stopped) {
      await feed.send(EVENTS_A_TURN)
      await sleep(TURN_MS)
    }
  })()
  // Whoever stops it is told.
  feeding.catch(() => {})
  const stop = (): Promise<void> => {
    stopped = true
    return feeding
  }
  endings.push(stop)
  return stop
}

/** How a run ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly hung: boolean
}

/** A process of the job. */
export interface JobProcess {
  readonly pid: number
  readonly ended: Promise<Ended>
  kill(signal?: NodeJS.Signals): void
}

/** Starts the job as a user would, with failpoints armed, and where its servers are. */
export function startRun(
  { folder, endings, server }: Pick<Scene, 'folder' | 'endings'> & { readonly server?: { readonly url: string } },
  args: readonly string[],
  settings: Readonly<Record<string, string>> = {},
  runMsMax: number = PATIENCE_MS,
): JobProcess {
  const postgres = server && { MILLRACE_POSTGRES_URL: server.url }
  const env = {
    NODE_COMPILE_CACHE: COMPILE_CACHE,
    NODE_OPTIONS: `--report-on-signal --report-directory=${tmpdir()}`,
    ...process.env,
    MILLRACE_HOME: join(folder, 'home'),
    ...postgres,
    ...settings,
  }
  const child = spawn(process.execPath, [PROGRAM, ...RUN, ...args], { cwd: folder, env })
  let stdout = ''
  let stderr = ''
  let hung = false
  child.stdout.on('data', (text: Buffer) => {
    stdout += text.toString()
  })
  child.stderr.on('data', (text: Buffer) => {
    stderr += text.toString()
  })
  const timer = setTimeout(async () => {
    hung = true
    stderr += await waitingFor(child)
    child.kill('SIGKILL')
  }, runMsMax)
  const ended = new Promise<Ended>((done) => {
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      done({ code, signal, stdout, stderr, hung })
    })
  })
  endings.push(() => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    return ended
  })
  return { pid: child.pid ?? Number.NaN, ended, kill: (signal = 'SIGKILL') => child.kill(signal) }
}

/** What a process that hangs was doing, as far as Node knows; its whole report stays in the folder for temporary files. */
async function waitingFor(child: ChildProcess): Promise<string> {
  child.kill('SIGUSR2')
  for (let attempt = 0; attempt < 50; attempt++) {
    await sleep(200)
    const name = (await readdir(tmpdir())).find((one) => one.startsWith('report.') && one.includes(`.${child.pid}.`))
    if (name !== undefined) return `it hung; what Node knows of it is in ${join(tmpdir(), name)}`
  }
  return 'it hung, and does not answer signals'
}

/** What is wrong with everything that a job wrote. */
export interface Verdict {
  readonly lost: number
  readonly duplicated: number
  readonly hangs: number
  readonly problems: readonly string[]
}

/** Lets the job run to the end of its input, closes all windows, and judges. */
export async function finish(scene: Scene): Promise<Verdict> {
  await scene.feed.closeWindows()
  const last = await startRun(scene, ['--once', '--json']).ended
  const hangs = last.hung ? 1 : 0
  if (last.code !== 0) {
    const problem = `the last run ended with ${last.code}: ${last.stderr.slice(-1_000)}`
    return { lost: 0, duplicated: 0, hangs, problems: [problem] }
  }
  return { hangs, ...(await judge(scene, JSON.parse(last.stdout) as Summary)) }
}
