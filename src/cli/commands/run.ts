import { resolve } from 'node:path'
import { Option } from 'commander'
import { systemClock } from '../../base/clock.ts'
import { MillraceError } from '../../base/error.ts'
import { openJob } from '../../job/open-job.ts'
import { fileSource } from '../../plan/connectors.ts'
import { nameHint } from '../../plan/nearest-name.ts'
import type { PipelinePlan } from '../../plan/node.ts'
import { queryChain } from '../../plan/query-chain.ts'
import { createSource } from '../../sources/index.ts'
import { homeAt, openLog } from '../home.ts'
import { loadPipeline, withOutput, withSource } from '../load-pipeline.ts'
import { collect, duration } from '../options.ts'
import { POSTGRES_OPTION, startPostgres } from '../postgres-option.ts'
import { FORMATS, type PrintFormat, printSink } from '../print-rows.ts'
import { onStop } from '../signals.ts'
import { openStoreApi, type StoreApi, serveStore } from '../store-api.ts'
import { summaryOf, summaryText } from '../summary.ts'
import type { DefineCommand } from './index.ts'

interface RunOptions {
  readonly input?: readonly string[]
  readonly once?: boolean
  readonly output?: string
  readonly print?: string
  readonly format: PrintFormat
  readonly home?: string
  readonly checkpoint?: string
  readonly replace?: boolean
  readonly resetSink?: readonly string[]
  readonly postgres?: 'embedded'
  readonly json?: boolean
  readonly failOnBad?: boolean
  readonly trigger: number
  readonly snapshotInterval: number
}

/** `millrace run`: runs a pipeline file or plan. */
export const defineRun: DefineCommand = (program, exit) => {
  program
    .command('run')
    .description('run a pipeline')
    .argument('<pipeline>', 'a pipeline file (.ts, .js) or a plan (.json)')
    .option('--input <file>', 'read NDJSON (plain, .gz, .zst, patterns, - for stdin) instead of the source', collect)
    .option('--once', 'stop at the end of the input')
    .option('--output <folder>', "put the file sinks' folders below this one")
    .option('--replace', 'remove what an earlier run left in the output folders')
    .addOption(POSTGRES_OPTION)
    .option('--reset-sink <name>', 'go on with this sink at the next epoch, whatever its mark says', collect)
    .option('--print <query>', "write a query's rows to stdout")
    .addOption(new Option('--format <format>', 'of --print').choices(FORMATS).default('ndjson'))
    .option('--home <folder>', 'where the embedded log and checkpoints are (MILLRACE_HOME, .millrace)')
    .option('--checkpoint <folder>', 'keep a checkpoint here, to go on from')
    .option('--trigger <duration>', 'least time between epochs of a live run', duration, 100)
    .option('--snapshot-interval <duration>', 'time between snapshots', duration, 30_000)
    .option('--json', 'end with a summary as JSON on stdout (on stderr with --print)')
    .option('--fail-on-bad', 'exit with 1 when a row was not accepted')
    .action(async (path: string, options: RunOptions) => {
      exit(await run(path, options))
    })
}

async function run(path: string, options: RunOptions): Promise<number> {
  const startMs = performance.now()
  const home = homeAt(options.home)
  const plan = adapted(await loadPipeline(path), options)
  const spec = queryChain((plan.queries[0] as PipelinePlan['queries'][number]).root).source.source
  const log = spec.kind === 'log' ? await openLog(home, 'read', `millrace run ${plan.name}`) : undefined
  let storeApi: StoreApi | undefined
  let storeServer: Awaited<ReturnType<typeof serveStore>> | undefined
  const postgres = options.postgres && (await startPostgres(home))
  try {
    const source = await createSource(spec, {
      workingFolder: process.cwd(),
      stdin: process.stdin,
      openLog: async () => log as NonNullable<typeof log>,
    })
    const ephemeral = options.checkpoint === undefined && (source.bounded || options.once === true)
    if (options.checkpoint !== undefined && source.identity === 'stdin') throw stdinCheckpoint()
    const deadLetterFolder = home.deadLetters(plan.name)
    if (options.replace) await clearOutputs(plan)
    if (options.print !== undefined) assertQuery(plan, options.print)
    storeApi = await openStoreApi(plan, home.path)
    const job = await openJob({
      plan,
      source,
      checkpointFolder: ephemeral ? undefined : resolve(options.checkpoint ?? home.checkpoint(plan.name)),
      deadLetterFolder,
      workingFolder: process.cwd(),
      homeFolder: home.path,
      env: postgres ? { ...process.env, MILLRACE_POSTGRES_URL: postgres.url } : process.env,
      resetSinks: options.resetSink ?? [],
      settings: {
        triggerMs: options.trigger,
        snapshotIntervalMs: options.snapshotInterval,
        rowsPerEpochMax: 1_000_000,
        prefetchBytesMax: 128 << 20,
        once: options.once ?? false,
        flushAtEnd: ephemeral,
      },
      live: false,
      clock: systemClock,
      print: (text) => process.stdout.write(text),
      views: options.print === undefined ? [] : [{ query: options.print, sink: printSink(options.format) }],
    })
    storeServer = storeApi && (await serveStore(storeApi, job))
    const ended = onStop(() => job.stop())
    const status = await job.run().finally(ended)
    const summary = summaryOf(status, 0, performance.now() - startMs, null)
    const out = options.print === undefined ? process.stdout : process.stderr
    if (options.json) out.write(`${JSON.stringify(summary)}\n`)
    else process.stderr.write(summaryText(summary, status, deadLetterFolder))
    const refused = summary.rowsRead - summary.fates.accepted - summary.fates.filtered
    return options.failOnBad && refused > 0 ? 1 : 0
  } finally {
    await storeServer?.close()
    await storeApi?.close()
    await log?.close()
    await postgres?.stop()
  }
}

function adapted(plan: PipelinePlan, options: RunOptions): PipelinePlan {
  let result = plan
  if (options.input) result = withSource(result, fileSource(...options.input))
  if (options.output !== undefined) result = withOutput(result, options.output)
  return result
}

async function clearOutputs(plan: PipelinePlan): Promise<void> {
  const { clearOutputFolder } = await import('../../sinks/output-log.ts')
  for (const sink of plan.queries.flatMap((query) => query.sinks)) {
    if ('path' in sink) await clearOutputFolder(resolve(sink.path))
  }
}

function assertQuery(plan: PipelinePlan, name: string): void {
  const names = plan.queries.map((query) => query.name)
  if (names.includes(name)) return
  throw new MillraceError('invalid-option', `the pipeline "${plan.name}" has no query "${name}"`, {
    hint: nameHint(name, names),
  })
}

function stdinCheckpoint(): MillraceError {
  return new MillraceError(
    'invalid-option',
    'standard input cannot be read again, so a checkpoint of it is worth nothing',
    {
      hint: 'leave out --checkpoint, or `millrace produce - --topic T` first and run from there',
    },
  )
}
