import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { systemClock } from '../../base/clock.ts'
import type { GeneratorSettings } from '../../generator/settings.ts'
import type { Job } from '../../job/job.ts'
import { openJob } from '../../job/open-job.ts'
import type { JobStatus } from '../../job/status.ts'
import { demoPipeline } from '../../pipelines/demo.ts'
import type { PipelinePlan } from '../../plan/node.ts'
import { createSource } from '../../sources/index.ts'
import { settingOption } from '../config/apply.ts'
import type { DefineCommand } from '../define-command.ts'
import type { EmbeddedPostgres } from '../embedded-postgres.ts'
import { firstResult } from '../first-result.ts'
import { showExamples } from '../help.ts'
import { batchBytesFor, type Home, homeAt, openLog } from '../home.ts'
import { openBrowser } from '../open-browser.ts'
import { duration, wholeNumber } from '../options.ts'
import { printJson, say } from '../output.ts'
import { type PageOptions, startPage } from '../page.ts'
import { POSTGRES_OPTION, startPostgres } from '../postgres-option.ts'
import { onStop } from '../signals.ts'
import { openStoreApi, type StoreApi } from '../store-api.ts'
import { rowsAtStart, summaryOf, summaryText } from '../summary.ts'
import { addTrafficOptions, type TrafficOptions, trafficSettings } from '../traffic-options.ts'

interface DemoOptions extends PageOptions, TrafficOptions {
  readonly duration?: number
  readonly rate?: number
  readonly seed: number
  readonly bootstrapServers?: string
  readonly home: string
  readonly open: boolean
  readonly json?: boolean
  readonly postgres?: 'embedded'
}

const TOPIC = 'events'
const RATE = 2_000

/** `millrace demo`: generator, log, engine, files and page in one process. */
export const defineDemo: DefineCommand = (program) => {
  const command = program
    .command('demo')
    .description('synthetic events through the whole pipeline, live on a page')
    .option('--duration <duration>', 'end the generator after so long, then finish', duration)
    .addOption(settingOption('rate', 'events per second, 2000 when left out'))
    .option('--seed <number>', 'same seed, same events', wholeNumber, 1)
    .option('--home <folder>', 'keep everything here, and go on from there the next time')
    .addOption(settingOption('bootstrap-servers'))
    .addOption(settingOption('host'))
    .addOption(settingOption('port'))
    .addOption(settingOption('token-file'))
    .option('--no-open', 'do not open the page in a browser')
    .addOption(POSTGRES_OPTION)
    .option('--json', 'end with a summary as JSON on stdout')
    .action(demo)
  addTrafficOptions(command)
  showExamples(command, [
    ['millrace demo', 'until Ctrl-C; nothing is kept'],
    ['millrace demo --home demo --rate 10000', 'goes on where it stopped the next time'],
    ['millrace demo --duration 10s --no-open --json', 'ends by itself, with a summary'],
  ])
}

async function demo(options: DemoOptions, command: Command): Promise<void> {
  // A home that is set for everything else is not for synthetic events.
  const chosen = command.getOptionValueSource('home') === 'cli'
  const temporary = chosen ? undefined : await mkdtemp(join(tmpdir(), 'millrace-demo-'))
  // An embedded server of another user has to get through, and needs to see nothing.
  if (temporary !== undefined && options.postgres) await chmod(temporary, 0o711)
  let kept = chosen
  try {
    // The files of a bounded run without --home are kept: they are what it was run for.
    await runDemo(options, homeAt(temporary ?? options.home), !chosen, chosen || options.duration !== undefined)
    kept ||= options.duration !== undefined
    if (!kept) say('nothing of this is kept; --home FOLDER keeps it, and goes on from there')
  } finally {
    if (temporary !== undefined && !kept) await rm(temporary, { recursive: true, force: true })
  }
}

async function runDemo(options: DemoOptions, home: Home, fresh: boolean, kept: boolean): Promise<void> {
  const startMs = performance.now()
  const { generateInto } = await import('../../generator/load.ts')
  const log = await openLog(home, 'write', 'millrace demo', options.bootstrapServers)
  let storeApi: StoreApi | undefined
  const postgres = options.postgres && (await startPostgres(home))
  const stopping = new AbortController()
  try {
    const topic = await log.describeTopic(TOPIC)
    const settings = topic ? undefined : await demoTraffic(options)
    const generating = generateInto(log, TOPIC, settings, {
      signal: stopping.signal,
      lingerMs: 20,
      ...batchBytesFor(log),
      ...(options.duration === undefined ? {} : { durationMs: options.duration }),
      topicSettings: { retentionBytesMax: 256 << 20 },
    })
    generating.catch(() => stopping.abort())
    while (!(await log.describeTopic(TOPIC)) && !stopping.signal.aborted) await systemClock.sleep(2)
    const plan = demoPipeline(TOPIC, join(home.path, 'output'), { postgres: postgres !== undefined })
    storeApi = await openStoreApi(plan, home.path)
    const job = await openDemoJob(plan, home, log, fresh && options.duration !== undefined, postgres)
    const rowsBefore = rowsAtStart(job)
    const server = await startPage(job, options, { store: storeApi }).catch(async (error: unknown) => {
      stopping.abort()
      await Promise.allSettled([generating, job.close()])
      throw error
    })
    const ended = onStop(() => {
      stopping.abort()
      job.stop()
    })
    const seen = firstResult(server.url, stopping.signal)
    sayWhere(server.url, home)
    if (options.duration === undefined) say('Ctrl-C ends it')
    if (options.open && process.stdout.isTTY) openBrowser(server.url)
    const status = await runBoth(job, generating, fresh && options.duration !== undefined, stopping)
    ended()
    const summary = summaryOf(status, rowsBefore(), performance.now() - startMs, await seen)
    await server.close()
    if (options.json) printJson(summary)
    else say(summaryText(summary, status, kept ? home.deadLetters('demo') : null))
  } finally {
    stopping.abort()
    await storeApi?.close()
    await log.close()
    await postgres?.stop()
  }
}

function sayWhere(url: string, home: Home): void {
  say(`page     ${url}`)
  say(`results  ${join(home.path, 'output')} (Parquet)`)
  say(`tables   ${join(home.path, 'results.duckdb')} (DuckDB)`)
  say(`windows  of 10 s; the first closes about 12 s after the first event`)
}

/** Runs the job beside its generator. Whichever fails first, the other is ended before anything is closed. */
async function runBoth(
  job: Job,
  generating: Promise<unknown>,
  flush: boolean,
  stopping: AbortController,
): Promise<JobStatus> {
  const running = job.run().finally(() => stopping.abort())
  const draining = generating
    .then(() => job.drain({ flush }))
    .catch((error: unknown) => {
      job.stop()
      throw error
    })
  const [ran, drained] = await Promise.allSettled([running, draining])
  if (ran.status === 'rejected') throw ran.reason
  if (drained.status === 'rejected') throw drained.reason
  return ran.value
}

async function demoTraffic(options: DemoOptions): Promise<GeneratorSettings> {
  const { DEFAULT_SETTINGS, generatorSettings } = await import('../../generator/settings.ts')
  const { seed, rate: eventsPerSecond = RATE } = options
  const base = { ...DEFAULT_SETTINGS, seed, eventsPerSecond, malformedFraction: 0.0005 }
  return generatorSettings(trafficSettings(options, base))
}

async function openDemoJob(
  plan: PipelinePlan,
  home: Home,
  log: Awaited<ReturnType<typeof openLog>>,
  flush: boolean,
  postgres: EmbeddedPostgres | undefined,
): Promise<Job> {
  const spec = { kind: 'log', topic: TOPIC, from: 'earliest' } as const
  return openJob({
    plan,
    source: await createSource(spec, { workingFolder: home.path, stdin: process.stdin, openLog: async () => log }),
    checkpointFolder: home.checkpoint(plan.name),
    deadLetterFolder: home.deadLetters(plan.name),
    workingFolder: home.path,
    homeFolder: home.path,
    env: postgres ? { ...process.env, MILLRACE_POSTGRES_URL: postgres.url } : process.env,
    resetSinks: [],
    settings: {
      triggerMs: 100,
      snapshotIntervalMs: 30_000,
      rowsPerEpochMax: 1_000_000,
      prefetchBytesMax: 64 << 20,
      once: false,
      flushAtEnd: flush,
    },
    live: true,
    // A demo is to start at once and to leave the other processors alone.
    parallelism: 1,
    clock: systemClock,
    print: (text) => process.stderr.write(text),
    views: [],
  })
}
