import { availableParallelism } from 'node:os'
import { Option } from 'commander'
import { MillraceError } from '../../base/error.ts'
import type { Log } from '../../log/log.ts'
import { settingOption } from '../config/apply.ts'
import type { DefineCommand } from '../define-command.ts'
import { showExamples } from '../help.ts'
import { homeAt, openLog } from '../home.ts'
import { LoadTally } from '../load-target.ts'
import { type LoadShare, type LoadShareResult, runLoadShare, startLoadThread } from '../load-worker.ts'
import { assertion, bytes, collectWith, duration, fraction, type LoadAssertion, wholeNumber } from '../options.ts'
import { onStop } from '../signals.ts'

interface LoadTestOptions {
  readonly topic: string
  readonly bootstrapServers?: string
  readonly home?: string
  readonly bytes: number
  readonly workers: number
  readonly tasksPerWorker: number
  readonly maxActiveSessions: number
  readonly newSessionProbability: number
  readonly basePurchaseProbability: number
  readonly purchaseScaling: number
  readonly partitions: number
  readonly linger: number
  readonly batchBytes: number
  readonly seed: number
  readonly assert?: readonly LoadAssertion[]
  readonly json?: boolean
}

const PROGRESS_INTERVAL_MS = 2_000

/** `millrace loadtest`: fills a topic as fast as possible, and says how fast that was. */
export const defineLoadTest: DefineCommand = (program, exit) => {
  const command = program
    .command('loadtest')
    .description('fill a topic with generated sessions as fast as possible, and report the throughput')
    .option('--topic <name>', 'made when it is missing', 'clickstream_loadtest')
    .addOption(settingOption('bootstrap-servers'))
    .addOption(settingOption('home'))
  for (const [flags, help, name, parse, standing, text] of KNOBS) {
    command.addOption(new Option(flags, help).env(name).argParser(parse).default(standing, text))
  }
  command
    .option('--partitions <count>', 'of a new topic', wholeNumber, 4)
    .option('--seed <number>', 'same seed, same events', wholeNumber, 1)
    .option(
      '--assert <condition>',
      `fail unless it holds: "rate>=1e6", mbps, p50, p90, p99, max (ms), errors`,
      collectWith(assertion),
    )
    .option('--json', 'end with the report as JSON')
    .action(async (options: LoadTestOptions) => exit(await loadTest(options)))
  showExamples(command, [
    ['millrace loadtest --bytes 1GB', 'into the embedded log'],
    ['millrace loadtest --bootstrap-servers localhost:9092', 'into Kafka, from 16 producers'],
    ["millrace loadtest --bytes 1GB --assert 'rate>=85000'", 'fails when it is slower'],
  ])
}

type Knob = readonly [
  flags: string,
  help: string,
  name: string,
  parse: (text: string) => number,
  standing: number,
  text?: string,
]

/** What a load test can be given in the environment too, under the names of the load test that this one replaces. */
const KNOBS: readonly Knob[] = [
  ['--bytes <size>', 'stop after so much JSON', 'TARGET_BYTES', bytes, 5e9, '5GB'],
  [
    '--workers <count>',
    'groups of producers; into Kafka each in its thread while there are cores',
    'NUM_WORKERS',
    wholeNumber,
    4,
  ],
  ['--tasks-per-worker <count>', 'producers in each', 'TASKS_PER_WORKER', wholeNumber, 4],
  ['--max-active-sessions <count>', 'in the pools together', 'MAX_ACTIVE_SESSIONS', wholeNumber, 10_000],
  ['--new-session-probability <share>', 'of events that begin one', 'NEW_SESSION_PROBABILITY', fraction, 0.05],
  ['--base-purchase-probability <share>', 'at the first event', 'BASE_PURCHASE_PROBABILITY', fraction, 0.001],
  ['--purchase-scaling <share>', 'more with each event of the session', 'PURCHASE_SCALING', fraction, 0.0005],
  ['--linger <duration>', 'longest wait for a full batch', 'LINGER', duration, 20, '20ms'],
  ['--batch-bytes <size>', 'of a full batch', 'BATCH_BYTES', bytes, 400_000, '400KB'],
]

async function loadTest(options: LoadTestOptions): Promise<number> {
  const log = await openLog(homeAt(options.home), 'write', 'millrace loadtest', options.bootstrapServers)
  const stop = new Int32Array(new SharedArrayBuffer(4))
  const ended = onStop(() => Atomics.store(stop, 0, 1))
  try {
    const partitions = await partitionsOf(log, options)
    // The embedded log has one writer.
    const groups = log.kind === 'kafka' ? Math.max(1, options.workers) : 1
    const shares = await sharesOf(options, partitions, groups, stop.buffer as SharedArrayBuffer)
    const works = await Promise.all(shares.map((share) => ready(log, options.bootstrapServers, share)))
    const tallies = shares.flatMap((share) => share.tallies.map((memory) => new LoadTally(memory)))
    const startMs = performance.now()
    const progress = reportProgress(tallies)
    const results = await Promise.all(works.map((work) => work())).finally(progress)
    const report = reportOf(options.topic, results, tallies, performance.now() - startMs)
    if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`)
    else process.stderr.write(text(report))
    const failed = (options.assert ?? []).filter((condition) => !condition.holds(report))
    for (const { source, name } of failed) process.stderr.write(`FAILED  ${source}: it is ${report[name]}\n`)
    return failed.length > 0 ? 1 : 0
  } finally {
    ended()
    await log.close()
  }
}

/** What is measured begins with the call of the result: starting threads and connecting is not. */
async function ready(log: Log, servers: string | undefined, share: LoadShare): Promise<() => Promise<LoadShareResult>> {
  return log.kind === 'kafka' && servers ? startLoadThread(servers, share) : () => runLoadShare(log, share)
}

async function partitionsOf(log: Log, { topic, partitions }: LoadTestOptions): Promise<number> {
  const known = await log.describeTopic(topic)
  if (known) return known.offsets.length
  await log.createTopic(topic, { partitions })
  return partitions
}

/** What producers send depends on their number alone: how they share threads does not matter to it. */
async function sharesOf(
  options: LoadTestOptions,
  partitions: number,
  groups: number,
  stop: SharedArrayBuffer,
): Promise<LoadShare[]> {
  const { generatorSettings } = await import('../../generator/settings.ts')
  const producers = groups * Math.max(1, options.tasksPerWorker)
  const settings = Array.from({ length: producers }, (_, producer) =>
    generatorSettings({
      seed: (options.seed + producer) % 2 ** 32,
      partitions,
      activeSessionsMax: Math.max(1, Math.round(options.maxActiveSessions / producers)),
      newSessionProbability: options.newSessionProbability,
      purchaseProbabilityBase: options.basePurchaseProbability,
      purchaseProbabilityScaling: options.purchaseScaling,
    }),
  )
  // More threads than cores only compile the same code more often.
  const threads = Math.min(groups, availableParallelism())
  return Array.from({ length: threads }, (_, thread) => {
    const own = settings.filter((__, producer) => producer % threads === thread)
    return {
      topic: options.topic,
      settings: own,
      tallies: own.map(() => new LoadTally().memory),
      bytesPerProducer: Math.ceil(options.bytes / producers),
      lingerMs: options.linger,
      batchBytes: options.batchBytes,
      stop,
    }
  })
}

function reportProgress(tallies: readonly LoadTally[]): () => void {
  let before = { timeMs: performance.now(), rows: 0, bytes: 0 }
  const timer = setInterval(() => {
    const now = { timeMs: performance.now(), ...totals(tallies) }
    const seconds = (now.timeMs - before.timeMs) / 1000
    const rate = Math.round((now.rows - before.rows) / seconds).toLocaleString('en-US')
    const megabytes = ((now.bytes - before.bytes) / 1e6 / seconds).toFixed(1)
    process.stderr.write(`${megabytes} MB/s  ${rate} events/s  ${(now.bytes / 1e6).toFixed(0)} MB in all\n`)
    before = now
  }, PROGRESS_INTERVAL_MS)
  return () => clearInterval(timer)
}

function totals(tallies: readonly LoadTally[]): { rows: number; bytes: number } {
  return {
    rows: tallies.reduce((sum, tally) => sum + tally.rows, 0),
    bytes: tallies.reduce((sum, tally) => sum + tally.bytes, 0),
  }
}

/** Rates are per second, of events and of MB of JSON; latencies are of batches, from sending to being in the log, ms. */
interface LoadReport {
  readonly topic: string
  readonly events: number
  readonly bytes: number
  readonly seconds: number
  readonly rate: number
  readonly mbps: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
  readonly errors: number
  readonly errorsByText: Readonly<Record<string, number>>
}

function reportOf(
  topic: string,
  results: readonly LoadShareResult[],
  tallies: readonly LoadTally[],
  elapsedMs: number,
): LoadReport {
  const events = results.reduce((sum, { rows }) => sum + rows, 0)
  const written = results.reduce((sum, result) => sum + result.bytes, 0)
  if (events !== totals(tallies).rows) {
    throw new MillraceError('data-loss', `${events} events were generated, ${totals(tallies).rows} are in the log`, {
      hint: 'look at the log of the broker',
    })
  }
  const errorsByText: Record<string, number> = Object.create(null)
  for (const [what, count] of results.flatMap(({ troubles }) => troubles)) {
    errorsByText[what] = (errorsByText[what] ?? 0) + count
  }
  const [p50, p90, p99, max] = LoadTally.latencies(tallies, [0.5, 0.9, 0.99, 1]).map((ms) => Math.round(100 * ms) / 100)
  return {
    topic,
    events,
    bytes: written,
    seconds: elapsedMs / 1000,
    rate: Math.round((events * 1000) / elapsedMs),
    mbps: Math.round(written / elapsedMs) / 1000,
    ...{ p50, p90, p99, max },
    errors: Object.values(errorsByText).reduce((sum, count) => sum + count, 0),
    errorsByText,
  }
}

function text(report: LoadReport): string {
  const { topic, events, bytes: written, seconds, rate, mbps, p50, p90, p99, max, errorsByText } = report
  const lines = [
    `${topic}: ${events.toLocaleString('en-US')} events, ${(written / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s`,
    `  throughput  ${rate.toLocaleString('en-US')} events/s, ${mbps.toFixed(1)} MB/s`,
    `  latency     of batches: half ${p50} ms, 90 % ${p90} ms, 99 % ${p99} ms, all ${max} ms`,
    ...Object.entries(errorsByText).map(([what, count]) => `  overcome    ${count} times: ${what}`),
  ]
  return `${lines.join('\n')}\n`
}
