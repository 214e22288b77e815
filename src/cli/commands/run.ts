import { type Command, Option } from 'commander'
import { systemClock } from '../../base/clock.ts'
import { MillraceError } from '../../base/error.ts'
import type { Job } from '../../job/job.ts'
import type { JobSettings } from '../../job/job-parts.ts'
import { openJob } from '../../job/open-job.ts'
import type { JobStatus } from '../../job/status.ts'
import { fileSource, type LogSourceSpec, logSource, type SourceSpec } from '../../plan/connectors.ts'
import type { PipelinePlan } from '../../plan/node.ts'
import { sourceOf } from '../../plan/plan-source.ts'
import { queryChain } from '../../plan/query-chain.ts'
import { createSource } from '../../sources/index.ts'
import type { Source } from '../../sources/source.ts'
import { withOutput, withSource, withWatermarkDelay } from '../adapt-plan.ts'
import { withAlerts } from '../alerts/watch-job.ts'
import { settingOption } from '../config/apply.ts'
import type { DefineCommand } from '../define-command.ts'
import { showExamples } from '../help.ts'
import { type Home, homeAt, openInputLog, openKafka } from '../home.ts'
import { collect } from '../options.ts'
import { say, whenNobodyReads } from '../output.ts'
import { type PageOptions, startPage } from '../page.ts'
import { assertQuery } from '../plan-queries.ts'
import { POSTGRES_OPTION, startPostgres } from '../postgres-option.ts'
import { addPresetOptions, choosePipeline, type PresetOptions, pipelineWords } from '../preset-options.ts'
import { FORMATS, type PrintFormat, printSink } from '../print-rows.ts'
import { reportModels, reportProgress, reportRecovery, reportTrouble } from '../progress.ts'
import { clearEarlierRuns, type PlaceOptions, placeOf, type RunPlace } from '../run-place.ts'
import { onStop } from '../signals.ts'
import { openStoreApi, type StoreApi, serveStore } from '../store-api.ts'
import { rowsAtStart, type Summary, summaryOf, summaryText } from '../summary.ts'

interface RunOptions extends PageOptions, PlaceOptions, PresetOptions {
  readonly input?: readonly string[]
  readonly topic?: string
  readonly from?: LogSourceSpec['from']
  readonly watermarkDelay?: number
  readonly output?: string
  readonly print?: string
  readonly format: PrintFormat
  readonly bootstrapServers?: string
  readonly home: string
  readonly replace?: boolean
  readonly resetSink?: readonly string[]
  readonly takeOver?: boolean
  readonly postgres?: 'embedded'
  readonly serve?: boolean
  readonly alerts?: string
  readonly json?: boolean
  readonly failOnBad?: boolean
  readonly trigger: number
  readonly rowsPerEpoch: number
  readonly parallelism?: number
  readonly snapshotInterval: number
}

/** `millrace run`: runs a pipeline file or plan. */
export const defineRun: DefineCommand = (program, exit) => {
  const command = program
    .command('run')
    .description('run a pipeline')
    .argument('[pipeline]', 'a pipeline file (.ts, .js) or a plan (.json), unless a preset is named')
    .argument('[topic]', 'topic to read instead of the one in the pipeline')
    .option('--input <file>', 'read NDJSON (plain, .gz, .zst, patterns, - for stdin) instead of the source', collect)
    .option('--once', 'stop at the end of the input; without a checkpoint, every window closes there')
    .addOption(settingOption('output'))
    .option('--replace', 'remove what an earlier run left in the output folders')
    .addOption(POSTGRES_OPTION)
    .option('--reset-sink <name>', 'go on with this sink at the next epoch, whatever its mark says', collect)
    .option('--take-over', 'take the checkpoint from a process that has it and hangs')
    .option('--print <query>', "write a query's rows to stdout")
    .addOption(new Option('--format <format>', 'of --print').choices(FORMATS).default('ndjson'))
    .option('--serve', 'show the run live on a page')
    .option('--alerts <file>', 'watch metrics and results by the rules of this YAML file')
    .option('--json', 'end with a summary as JSON on stdout (on stderr with --print)')
    .option('--fail-on-bad', 'exit with 1 when a row was not accepted')
    .option('--checkpoint <folder>', 'keep a checkpoint in this very folder, to go on from')
  addPresetOptions(command)
  for (const name of RUN_SETTINGS) command.addOption(settingOption(name))
  command.action(async (first: string | undefined, second: string | undefined, options: RunOptions, own: Command) => {
    const { path, topic } = pipelineWords(options, [first, second])
    const origin = own.getOptionValueSource('topic') ?? ''
    exit(await run(path, topic === undefined ? options : { ...options, topic }, topic === undefined ? origin : 'cli'))
  })
  showExamples(command, [
    ['millrace run pipeline.ts', 'live, from the log; the next start goes on'],
    ["millrace run pipeline.ts --input 'logs/*.gz' --once", 'files, to their end'],
    ['millrace run pipeline.ts --input - --print page_views --format csv', ''],
    ['millrace run pipeline.ts clicks --from latest --serve', 'another topic, with a page'],
    ['millrace run --preset page-geo-sessions', 'a pipeline that Millrace brings'],
  ])
}

const RUN_SETTINGS = [
  'home',
  'bootstrap-servers',
  'checkpoint-root',
  'run-id',
  'topic',
  'from',
  'watermark-delay',
  'trigger',
  'rows-per-epoch',
  'parallelism',
  'snapshot-interval',
  'host',
  'port',
  'token-file',
] as const

async function run(path: string | undefined, options: RunOptions, topicOrigin: string): Promise<number> {
  const startMs = performance.now()
  const home = homeAt(options.home)
  const plan = adapted(await choosePipeline(path, options), options, topicOrigin)
  if (options.print !== undefined) assertQuery(plan, options.print)
  const spec = sourceOf(plan)
  const { bootstrapServers: servers } = options
  const log = spec.kind === 'log' ? await openInputLog(home, `millrace run ${plan.name}`, servers) : undefined
  const kafka = servers && writesToKafka(plan) ? await openKafka(servers) : undefined
  let storeApi: StoreApi | undefined
  const postgres = options.postgres && (await startPostgres(home))
  try {
    const source = await createSource(spec, {
      workingFolder: process.cwd(),
      stdin: process.stdin,
      openLog: async () => log as NonNullable<typeof log>,
      report: say,
    })
    const place = placeOf(plan.name, source, home, options)
    if (options.replace) await clearEarlierRuns(plan, home, place, kafka)
    storeApi = await openStoreApi(plan, home.path)
    const job = await openJob({
      plan,
      source,
      checkpointFolder: place.checkpoint,
      deadLetterFolder: place.deadLetters,
      workingFolder: process.cwd(),
      homeFolder: home.path,
      env: postgres ? { ...process.env, MILLRACE_POSTGRES_URL: postgres.url } : process.env,
      resetSinks: options.resetSink ?? [],
      takeOver: options.takeOver ?? false,
      settings: settingsOf(options, place, source),
      live: options.serve === true || options.alerts !== undefined,
      ...(kafka && { openKafka: async () => kafka }),
      ...(options.parallelism !== undefined && { parallelism: options.parallelism }),
      clock: systemClock,
      print: (text) => process.stdout.write(text),
      views: options.print === undefined ? [] : [{ query: options.print, sink: printSink(options.format) }],
    })
    // Files are to be complete whether somebody looks on or not; what has no end stops with its reader.
    const bounded = source.bounded || options.once === true
    whenNobodyReads(() => {
      if (!bounded) job.stop()
    })
    reportTrouble(job)
    reportRecovery(job)
    if (!bounded && !options.json) reportProgress(job)
    if (!options.json && hasModel(plan)) reportModels(job)
    const rowsBefore = rowsAtStart(job)
    const status = await runWatched(job, options, home, storeApi)
    return report(summaryOf(status, rowsBefore(), performance.now() - startMs, null), status, place, options)
  } finally {
    await storeApi?.close()
    await kafka?.close()
    await log?.close()
    await postgres?.stop()
  }
}

/** Of a file, read and not yet computed: an epoch takes in no more. As much again is being computed, and both are resident. */
const FILE_BYTES_MAX = 16 << 20
/** Of a topic: an epoch goes on with what comes meanwhile. */
const TOPIC_BYTES_MAX = 8 << 20

function settingsOf(options: RunOptions, place: RunPlace, source: Source): JobSettings {
  return {
    triggerMs: options.trigger,
    snapshotIntervalMs: options.snapshotInterval,
    rowsPerEpochMax: options.rowsPerEpoch,
    prefetchBytesMax: source.bounded ? FILE_BYTES_MAX : TOPIC_BYTES_MAX,
    once: options.once ?? false,
    flushAtEnd: place.checkpoint === undefined,
  }
}

function hasModel(plan: PipelinePlan): boolean {
  return plan.queries.some(({ root }) => queryChain(root).stepsAfter.some(({ kind }) => kind === 'predict'))
}

function writesToKafka(plan: PipelinePlan): boolean {
  return plan.queries.some(({ sinks }) => sinks.some(({ kind }) => kind === 'kafka'))
}

/** With the page and the alerts that the options ask for. */
function runWatched(job: Job, options: RunOptions, home: Home, storeApi?: StoreApi): Promise<JobStatus> {
  const toEnd = (): Promise<JobStatus> => (options.serve ? runServed(job, options, storeApi) : runToEnd(job, storeApi))
  return options.alerts === undefined ? toEnd() : withAlerts(job, options.alerts, home, toEnd)
}

async function runToEnd(job: Job, storeApi?: StoreApi): Promise<JobStatus> {
  const store = storeApi && (await serveStore(storeApi, job))
  const ended = onStop(() => job.stop())
  return job.run().finally(() => {
    ended()
    return store?.close()
  })
}

async function runServed(job: Job, options: PageOptions, storeApi: StoreApi | undefined): Promise<JobStatus> {
  const server = await startPage(job, options, { store: storeApi }).catch(async (error: unknown) => {
    await job.close()
    throw error
  })
  say(`page     ${server.url}`)
  return runToEnd(job).finally(() => server.close())
}

function report(summary: Summary, status: JobStatus, place: RunPlace, options: RunOptions): number {
  const out = options.print === undefined ? process.stdout : process.stderr
  if (options.json) out.write(`${JSON.stringify(summary)}\n`)
  else say(summaryText(summary, status, place.deadLetters))
  if (status.state === 'stopped' && place.checkpoint === undefined)
    say('stopped before the end of its input: without a checkpoint, the next start begins anew')
  const refused = summary.rowsRead - summary.fates.accepted - summary.fates.filtered
  return options.failOnBad && refused > 0 ? 1 : 0
}

function adapted(plan: PipelinePlan, options: RunOptions, topicOrigin: string): PipelinePlan {
  let result = plan
  const spec = sourceOf(plan)
  if (options.input) result = withSource(result, fileSource(...options.input))
  else if (spec.kind === 'log') result = withSource(result, adaptedTopic(spec, options, topicOrigin))
  else if (options.topic !== undefined && topicOrigin === 'cli') throw noTopic(plan.name, options.topic)
  if (options.watermarkDelay !== undefined) result = withWatermarkDelay(result, options.watermarkDelay)
  // A preset was built with its folder.
  const { output, preset } = options
  return output === undefined || preset !== undefined ? result : withOutput(result, output)
}

function adaptedTopic(spec: LogSourceSpec, { topic, from }: RunOptions, topicOrigin: string): SourceSpec {
  if (topic !== undefined && topic !== spec.topic && topicOrigin !== 'cli')
    say(`notice: reading the topic "${topic}" (${topicOrigin}) instead of the pipeline's "${spec.topic}"`)
  return from === undefined ? { ...spec, topic: topic ?? spec.topic } : logSource(topic ?? spec.topic, { from })
}

function noTopic(pipeline: string, topic: string): MillraceError {
  return new MillraceError('invalid-option', `the pipeline "${pipeline}" reads files, not the topic "${topic}"`, {
    hint: 'leave the topic out, or let the pipeline read `logSource(...)`',
  })
}
