import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { MillraceError } from '../../base/error.ts'
import { formatTime } from '../../base/time.ts'
import { fileSource } from '../../plan/connectors.ts'
import type { PipelinePlan } from '../../plan/node.ts'
import { sourceOf } from '../../plan/plan-source.ts'
import { createSource } from '../../sources/index.ts'
import { withOutput, withSource, withWatermarkDelay } from '../adapt-plan.ts'
import { settingOption } from '../config/apply.ts'
import type { DefineCommand } from '../define-command.ts'
import { showExamples } from '../help.ts'
import { homeAt, openInputLog, openKafka } from '../home.ts'
import { collect, port, wholeNumber } from '../options.ts'
import { printJson, say } from '../output.ts'
import { onlyQueries } from '../plan-queries.ts'
import { POSTGRES_OPTION, startPostgres } from '../postgres-option.ts'
import { addPresetOptions, choosePipeline, type PresetOptions, pipelineWords } from '../preset-options.ts'
import type { QueryVerdict } from '../spark/verify.ts'

/** As our own sink makes them. */
const NEW_TOPIC_PARTITIONS = 4

interface SparkOptions extends PresetOptions {
  readonly remote: string
  readonly only?: readonly string[]
  readonly input?: readonly string[]
  readonly topic?: string
  readonly from?: 'earliest' | 'latest'
  readonly watermarkDelay?: number
  readonly output?: string
  readonly bootstrapServers?: string
  readonly home: string
  readonly shufflePartitions: number
  readonly json?: boolean
}

interface RunOptions extends SparkOptions {
  readonly checkpointRoot?: string
  readonly relay?: string
  readonly trigger: number
  readonly once?: boolean
  readonly metricsPort?: number
  readonly host: string
  readonly tokenFile?: string
}

interface VerifyOptions extends SparkOptions {
  readonly work?: string
  readonly cuts: number
}

/** `millrace spark`: the same pipelines on a cluster. */
export const defineSpark: DefineCommand = (program, exit) => {
  const spark = program
    .command('spark')
    .description('run a pipeline on Spark, and compare what both engines make of it')
  showExamples(spark, [
    ['millrace plan pipeline.ts --spark', 'what Spark would do, and what it cannot'],
    ["millrace spark verify pipeline.ts --input 'logs/*.gz'", 'the same events on both'],
    ['millrace spark run pipeline.ts', 'live, from Kafka'],
  ])
  defineSparkRun(spark)
  defineSparkVerify(spark, exit)
}

function defineSparkRun(spark: Command): void {
  const command = withSparkOptions(
    spark
      .command('run')
      .description('run a pipeline on Spark, from its checkpoint on')
      .argument('[pipeline]', 'a pipeline file (.ts, .js) or a plan (.json), unless a preset is named')
      .argument('[topic]', 'topic to read instead of the one in the pipeline')
      .option('--once', 'take what there is, then end')
      .option(
        '--relay <folder>',
        'where rows for tables wait; Spark and this machine both need it (default: in the home)',
      )
      .option(
        '--metrics-port <port>',
        'serve the page, and /metrics for Prometheus, while it runs; 0 takes a free one',
        port,
      )
      .addOption(POSTGRES_OPTION),
  )
  for (const name of ['checkpoint-root', 'output', 'trigger', 'host', 'token-file'] as const)
    command.addOption(settingOption(name))
  command.action(async (first: string | undefined, second: string | undefined, options: RunOptions) => {
    await runSpark(await planOf([first, second], options), options)
  })
}

function defineSparkVerify(spark: Command, exit: (code: number) => void): void {
  withSparkOptions(
    spark
      .command('verify')
      .description('run recorded input on Spark and here, and compare every window')
      .argument('[pipeline]', 'a pipeline file (.ts, .js) or a plan (.json), unless a preset is named')
      .argument('[topic]', 'topic of Kafka to read instead of the one in the pipeline')
      .option('--work <folder>', 'new folder that Spark and this machine both have (default: a temporary one)')
      .option('--cuts <count>', 'micro-batches that the input is cut into', wholeNumber, 8),
  ).action(async (first: string | undefined, second: string | undefined, options: VerifyOptions) => {
    exit(await verifySpark(await planOf([first, second], options), options))
  })
}

const SETTINGS = ['home', 'bootstrap-servers', 'topic', 'from', 'watermark-delay'] as const

function withSparkOptions(command: Command): Command {
  command
    .addOption(
      new Option('--remote <address>', 'the Connect server, sc://HOST:PORT;use_ssl=true;token=...')
        .default('sc://127.0.0.1:15002')
        .env('SPARK_REMOTE'),
    )
    .option('--input <file>', 'read NDJSON (plain or .gz, patterns) instead of the source', collect)
    .option('--only <query>', 'leave out all other queries', collect)
    .option('--shuffle-partitions <count>', "partitions of each query's state", wholeNumber, 8)
    .option('--json', 'end with a summary as JSON on stdout')
  addPresetOptions(command)
  for (const name of SETTINGS) command.addOption(settingOption(name))
  return command
}

async function planOf(words: readonly (string | undefined)[], options: SparkOptions): Promise<PipelinePlan> {
  const { path, topic } = pipelineWords(options, words)
  const chosen = { ...options, ...(topic !== undefined && { topic }) }
  let plan = onlyQueries(await choosePipeline(path, chosen), options.only)
  const source = sourceOf(plan)
  if (options.input) plan = withSource(plan, fileSource(...options.input))
  else if (source.kind === 'log')
    plan = withSource(plan, { ...source, topic: chosen.topic ?? source.topic, from: options.from ?? source.from })
  if (options.watermarkDelay !== undefined) plan = withWatermarkDelay(plan, options.watermarkDelay)
  if (options.output !== undefined && options.preset === undefined) plan = withOutput(plan, options.output)
  if (sourceOf(plan).kind === 'log' && options.bootstrapServers === undefined) throw noServers(plan.name)
  return plan
}

async function runSpark(plan: PipelinePlan, options: RunOptions): Promise<void> {
  const { sparkPlan } = await import('../../spark/capability.ts')
  const { assertAllRuns, runOnSpark } = await import('../spark/run-on-spark.ts')
  const { sparkFeed } = await import('../spark/spark-feed.ts')
  const { sparkMetrics } = await import('../spark/spark-metrics.ts')
  const { startPage } = await import('../page.ts')
  const { fullPath, withFullPaths } = await import('../spark/spark-plan.ts')
  const spark = sparkPlan(withFullPaths(plan, process.cwd()))
  assertAllRuns(spark)
  const watch = await watchSettings(options)
  tellChanges(spark.changes)
  const home = homeAt(options.home)
  const checkpoints = fullPath(process.cwd(), options.checkpointRoot ?? join(home.path, 'spark', 'checkpoints'))
  const postgres = options.postgres && (await startPostgres(home))
  try {
    await createTopics(spark.plan, options.bootstrapServers)
    const summary = await runOnSpark({
      spark,
      settings: {
        checkpointRoot: `${checkpoints.replace(/\/+$/, '')}/${plan.name}`,
        relayRoot: resolve(options.relay ?? join(home.path, 'spark', 'relay'), plan.name),
        ...(options.bootstrapServers !== undefined && { bootstrapServers: options.bootstrapServers }),
        ...(!options.once && { triggerMs: options.trigger }),
      },
      watch,
      relay: {
        pipeline: plan.name,
        homeFolder: home.path,
        env: postgres ? { ...process.env, MILLRACE_POSTGRES_URL: postgres.url } : process.env,
        tell: say,
      },
      onStart: async (run, relays) => {
        if (options.metricsPort === undefined) return async () => {}
        const page = { ...options, port: options.metricsPort }
        const families = () => sparkMetrics(run.states(), relays)
        const server = await startPage(
          sparkFeed(plan.name, () => run.states(), relays),
          page,
          { families },
        )
        say(`page     ${server.url}\nmetrics  ${server.url}/metrics`)
        return () => server.close()
      },
    })
    if (options.json) printJson(summary)
    else for (const one of summary.queries) say(`${one.name}: ${one.state}, ${one.batches} micro-batches`)
  } finally {
    await postgres?.stop()
  }
}

/** Makes the topics that are written: Spark waits a minute for one that is missing, and fails. */
async function createTopics({ queries }: PipelinePlan, servers: string | undefined): Promise<void> {
  const topics = queries.flatMap(({ sinks }) => sinks.flatMap((sink) => (sink.kind === 'kafka' ? [sink.topic] : [])))
  if (topics.length === 0) return
  if (servers === undefined) {
    throw new MillraceError('invalid-option', `topics are written, and nobody says where: ${topics.join(', ')}`, {
      hint: 'name brokers with --bootstrap-servers',
    })
  }
  const log = await openKafka(servers)
  try {
    for (const topic of topics) {
      if (!(await log.describeTopic(topic))) await log.createTopic(topic, { partitions: NEW_TOPIC_PARTITIONS })
    }
  } finally {
    await log.close()
  }
}

async function verifySpark(plan: PipelinePlan, options: VerifyOptions): Promise<number> {
  const { sparkPlan } = await import('../../spark/capability.ts')
  const { verify } = await import('../spark/verify.ts')
  const spark = sparkPlan(plan)
  tellChanges(spark.changes)
  for (const { query, what, instead } of spark.refusals) say(`not compared: ${query}: ${what}: ${instead}`)
  const { bootstrapServers } = options
  const log =
    sourceOf(plan).kind === 'log'
      ? await openInputLog(homeAt(options.home), 'millrace spark verify', bootstrapServers)
      : undefined
  try {
    const source = await createSource(sourceOf(plan), {
      workingFolder: process.cwd(),
      stdin: process.stdin,
      openLog: async () => log as NonNullable<typeof log>,
      report: say,
    })
    const verdicts = await verify({
      plan: spark.plan,
      source,
      workFolder: resolve(options.work ?? join(tmpdir(), `millrace-verify-${process.pid}-${Date.now().toString(36)}`)),
      cutCount: options.cuts,
      read: bootstrapServers === undefined ? {} : { bootstrapServers },
      watch: { ...(await watchSettings(options)), restartsMax: 0 },
      tell: say,
    })
    if (options.json) printJson(verdicts)
    else process.stdout.write(verdicts.map(verdictText).join(''))
    return verdicts.every(({ first }) => first === undefined) ? 0 : 1
  } finally {
    await log?.close()
  }
}

async function watchSettings({ remote, shufflePartitions }: SparkOptions) {
  const { parseRemote } = await import('../../spark/remote.ts')
  const connect = parseRemote(remote, process.env)
  return { connect, shufflePartitions, pollMs: 1_000, restartsMax: 5, patienceMs: 600_000 }
}

function tellChanges(changes: readonly { readonly what: string; readonly instead: string }[]): void {
  for (const text of new Set(changes.map(({ what, instead }) => `${what}: ${instead}`))) say(`on Spark: ${text}`)
}

/** How a query compares, for people: the first difference with the events that it is made of. */
function verdictText({ query, rows, equal, batches, lateRows, first, events }: QueryVerdict): string {
  const head = `${query}: ${equal} of ${rows} rows are equal, in ${batches} micro-batches with ${lateRows} late rows\n`
  if (!first) return head
  const side = (name: string, one: typeof first.here): string =>
    `  ${name.padEnd(6)} ${one ? `${JSON.stringify(one.row)} in micro-batch ${one.epoch}` : 'has no such row'}\n`
  const lines = events.map(
    ({ partition, offset, epoch, eventTimeMs, late }) =>
      `    ${formatTime(eventTimeMs)} in micro-batch ${epoch}${late ? ', late' : ''}: ${partition} ${offset}\n`,
  )
  const what = first.columns.length > 0 ? ` in ${first.columns.join(', ')}` : ''
  return [head, `  first difference${what}\n`, side('here', first.here), side('Spark', first.spark), ...lines].join('')
}

function noServers(pipeline: string): MillraceError {
  return new MillraceError('invalid-option', `"${pipeline}" reads a topic, and Spark cannot read the embedded log`, {
    hint: 'name brokers with --bootstrap-servers, or files with --input',
  })
}
