import { resolve } from 'node:path'
import { InvalidArgumentError, Option } from 'commander'
import { encodeText } from '../../base/bytes.ts'
import { writeDurableFile } from '../../base/durable-file.ts'
import { formatDuration, MS_PER_MINUTE } from '../../base/time.ts'
import type { LoadProgress, LoadResult } from '../../generator/load.ts'
import type { Origin } from '../../generator/origin.ts'
import type { Profile } from '../../generator/profile.ts'
import type { GeneratorSettings } from '../../generator/settings.ts'
import type { Log } from '../../log/log.ts'
import { CLOCK_SKEW_MAX_MS } from '../../plan/stream.ts'
import { settingOption } from '../config/apply.ts'
import { countedLog } from '../counted-log.ts'
import type { DefineCommand } from '../define-command.ts'
import { showExamples } from '../help.ts'
import { batchBytesFor, homeAt, openLog } from '../home.ts'
import { serveMetrics } from '../metrics.ts'
import { bytes, duration, port, wholeNumber } from '../options.ts'
import { say } from '../output.ts'
import { onStop } from '../signals.ts'
import { addTrafficOptions, type TrafficOptions, trafficSettings } from '../traffic-options.ts'

interface GenerateOptions extends TrafficOptions {
  readonly preset?: string
  readonly topic: string
  readonly home?: string
  readonly bootstrapServers?: string
  readonly numEvents?: number
  readonly rate?: number
  readonly interval?: number
  readonly bytes?: number
  readonly duration?: number
  readonly seed?: number
  readonly flatOut?: boolean
  readonly start?: number
  readonly partitions?: number
  readonly linger?: number
  readonly batchBytes?: number
  readonly truth?: string
  readonly metricsPort?: number
  readonly host: string
  readonly token?: string
  readonly tokenFile?: string
  readonly json?: boolean
}

/** `millrace generate`: synthetic events into the log. */
export const defineGenerate: DefineCommand = (program) => {
  const command = program
    .command('generate')
    .description('write synthetic events to a topic of the log')
    .option('--topic <name>', 'made when it is missing', 'events')
    .addOption(settingOption('bootstrap-servers'))
    .option('--num-events <count>', 'stop after so many; 0 goes on for ever', wholeNumber)
    .addOption(new Option('--bytes <size>', 'stop after so much, such as 5GB').argParser(bytes).env('TARGET_BYTES'))
    .option('--duration <duration>', 'stop after so long', duration)
    .option('--rate <events>', 'events per second; as fast as possible when left out', wholeNumber)
    .addOption(
      new Option('--interval <seconds>', 'the same as time between events').argParser(interval).conflicts('rate'),
    )
    .option('--flat-out', 'as fast as possible, whatever the rate: event times run ahead of the clock')
    .option('--start <time>', 'when the first event of a new topic happens, in ISO-8601; now when left out', time)
    .option('--seed <number>', 'same seed, same events', wholeNumber)
    .option('--partitions <count>', 'of a new topic', wholeNumber)
    .option('--linger <duration>', 'with a rate: how long events wait for others to share their batch', duration)
    .option('--batch-bytes <size>', 'a batch is sent when it has this size', bytes)
  command.addOption(settingOption('preset', "events of a source system's own shape, as many as it has"))
  addTrafficOptions(command)
    .addOption(new Option('--home <folder>', 'where the log is (MILLRACE_HOME, .millrace)'))
    .option('--truth <file>', 'write what is in the topic, known without reading it, as JSON')
    .option('--metrics-port <port>', 'serve /metrics for Prometheus while it runs; 0 takes a free one', port)
    .addOption(settingOption('host'))
    .addOption(settingOption('token-file'))
    .option('--json', 'end with the totals as JSON')
    .action(generate)
  showExamples(command, [
    ['millrace generate --num-events 1000000', 'as fast as possible'],
    ['millrace generate --topic clicks --rate 5000 --late 2%', 'until Ctrl-C'],
    ['millrace generate --preset user-activity --interval 0.5', 'events of that system'],
  ])
}

async function generate(options: GenerateOptions): Promise<void> {
  const { generateInto } = await import('../../generator/load.ts')
  const { DEFAULT_SETTINGS, generatorSettings } = await import('../../generator/settings.ts')
  const { originOf } = await import('../../generator/origin.ts')
  const opened = await openLog(homeAt(options.home), 'write', 'millrace generate', options.bootstrapServers)
  const { log, families } = countedLog(opened)
  const stopping = new AbortController()
  const ended = onStop(() => stopping.abort())
  let metrics: { close(): void } | undefined
  let aheadMs = 0
  try {
    if (options.metricsPort !== undefined) metrics = await serveMetrics(options, families)
    const profile = await profileOf(options)
    const known = await log.describeTopic(options.topic)
    // A topic goes on as it began: what is said anew must be the same, or the generator refuses it.
    const settings = generatorSettings(
      settingsFrom(options, known ? originOf(known).settings : { ...DEFAULT_SETTINGS, ...profile?.settings }),
    )
    const result = await generateInto(log, options.topic, settings, {
      pace: paceOf(options),
      ...given('startTimeMs', options.start),
      signal: stopping.signal,
      ...rowsOf(options, profile),
      ...(profile && { shape: profile.shape }),
      ...batchBytesFor(log),
      ...given('bytes', options.bytes),
      ...given('durationMs', options.duration),
      ...given('lingerMs', options.linger),
      ...given('batchBytes', options.batchBytes),
      onProgress: (progress) => {
        process.stderr.write(`${progressText(progress)}\n`)
        aheadMs = -progress.behindMs
      },
    })
    if (aheadMs > CLOCK_SKEW_MAX_MS) say(aheadNotice(aheadMs))
    if (options.truth !== undefined) await writeTruth(log, options.topic, result.origin, options.truth)
    if (options.json) process.stdout.write(`${JSON.stringify(totals(options.topic, result))}\n`)
  } finally {
    ended()
    metrics?.close()
    await log.close()
  }
}

function settingsFrom(options: GenerateOptions, base: GeneratorSettings): GeneratorSettings {
  const { rate, interval: intervalMs } = options
  return {
    ...trafficSettings(options, base),
    seed: options.seed ?? base.seed,
    partitions: options.partitions ?? base.partitions,
    // The rate may be that of a preset; both on the command line are refused.
    eventsPerSecond: intervalMs === undefined ? (rate ?? base.eventsPerSecond) : 1000 / intervalMs,
  }
}

function paceOf({ flatOut, rate, interval: intervalMs }: GenerateOptions): 'flat-out' | 'schedule' {
  return flatOut || (rate === undefined && intervalMs === undefined) ? 'flat-out' : 'schedule'
}

async function profileOf({ preset }: GenerateOptions): Promise<Profile | undefined> {
  if (preset === undefined) return undefined
  const { PROFILES } = await import('../../generator/profiles.ts')
  return PROFILES.get(preset)
}

/** How many rows end the run; 0 goes on for ever, also where the preset would end. */
function rowsOf({ numEvents }: GenerateOptions, profile: Profile | undefined): { rows?: number } {
  const rows = numEvents ?? profile?.rows
  return rows ? { rows } : {}
}

/** A time with its offset from UTC, in ms since 1970. */
function time(text: string): number {
  const ms = /^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : Number.NaN
  if (!(ms >= 0)) throw new InvalidArgumentError('Write a time such as 2026-11-24T08:00:00Z.')
  return ms
}

/** Seconds, or a duration with its unit; in ms. */
function interval(text: string): number {
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : duration(text)
  if (!(ms > 0)) throw new InvalidArgumentError('Write seconds, such as 0.5, or a duration such as 20ms.')
  return ms
}

function given<Name extends string, T>(name: Name, value: T | undefined): { readonly [name in Name]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [name in Name]: T })
}

function progressText({ rows, bytes: written, eventsPerSecond, megabytesPerSecond }: LoadProgress): string {
  const rate = `${Math.round(eventsPerSecond).toLocaleString('en-US')} events/s  ${megabytesPerSecond.toFixed(1)} MB/s`
  return `${rate}  ${rows.toLocaleString('en-US')} events  ${(written / 1e6).toFixed(1)} MB`
}

/** Whoever reads such a topic now refuses most of it. */
function aheadNotice(aheadMs: number): string {
  return `notice: event times run ${formatDuration(Math.round(aheadMs / 1_000) * 1_000)} ahead of the clock; rows more than ${formatDuration(CLOCK_SKEW_MAX_MS)} ahead are refused as future: name an earlier time with --start`
}

function totals(topic: string, { rows, bytes: written, elapsedMs, endedBy }: LoadResult): object {
  return { topic, rows, bytes: written, elapsedMs, endedBy }
}

/** For comparing a pipeline's answers with: counts by type, page and minute up to where the partitions end. */
async function writeTruth(log: Log, topic: string, origin: Origin, path: string): Promise<void> {
  const { truth } = await import('../../generator/truth.ts')
  const ends = (await log.describeTopic(topic))?.offsets.map(({ end }) => end) ?? []
  const answer = truth(origin, ends, { windowSizeMs: MS_PER_MINUTE })
  await writeDurableFile(resolve(path), encodeText(`${JSON.stringify(answer)}\n`), { overwrite: true })
}
