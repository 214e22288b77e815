import { resolve } from 'node:path'
import { Option } from 'commander'
import { encodeText } from '../../base/bytes.ts'
import { writeDurableFile } from '../../base/durable-file.ts'
import { MillraceError } from '../../base/error.ts'
import { MS_PER_MINUTE } from '../../base/time.ts'
import type { Origin } from '../../generator/origin.ts'
import type { GeneratorSettings } from '../../generator/settings.ts'
import type { Log } from '../../log/log.ts'
import { showExamples } from '../help.ts'
import { homeAt, openLog } from '../home.ts'
import { bytes, duration, fraction, wholeNumber } from '../options.ts'
import { onStop } from '../signals.ts'
import type { DefineCommand } from './index.ts'

interface GenerateOptions {
  readonly topic: string
  readonly home?: string
  readonly numEvents?: number
  readonly rate?: number
  readonly bytes?: number
  readonly duration?: number
  readonly seed?: number
  readonly partitions?: number
  readonly late?: number
  readonly duplicates?: number
  readonly malformed?: number
  readonly truth?: string
  readonly json?: boolean
}

/** `millrace generate`: synthetic events into the log. */
export const defineGenerate: DefineCommand = (program) => {
  const command = program
    .command('generate')
    .description('write synthetic events to a topic of the log')
    .option('--topic <name>', 'made when it is missing', 'events')
    .option('--num-events <count>', 'stop after so many; 0 goes on for ever', wholeNumber)
    .option('--bytes <size>', 'stop after so much, such as 5GB', bytes)
    .option('--duration <duration>', 'stop after so long', duration)
    .option('--rate <events>', 'events per second; as fast as possible when left out', wholeNumber)
    .option('--seed <number>', 'same seed, same events', wholeNumber)
    .option('--partitions <count>', 'of a new topic', wholeNumber)
    .option('--late <share>', 'events that come far too late, such as 2%', fraction)
    .option('--duplicates <share>', 'events that come twice', fraction)
    .option('--malformed <share>', 'events that are no JSON', fraction)
    .addOption(new Option('--home <folder>', 'where the log is (MILLRACE_HOME, .millrace)'))
    .option('--truth <file>', 'write what is in the topic, known without reading it, as JSON')
    .option('--json', 'end with the totals as JSON')
    .action(generate)
  showExamples(command, [
    ['millrace generate --num-events 1000000', 'as fast as possible'],
    ['millrace generate --topic clicks --rate 5000 --late 2%', 'until Ctrl-C'],
  ])
}

async function generate(options: GenerateOptions): Promise<void> {
  const { generateInto } = await import('../../generator/load.ts')
  const { DEFAULT_SETTINGS } = await import('../../generator/settings.ts')
  const log = await openLog(homeAt(options.home), 'write', 'millrace generate')
  const stopping = new AbortController()
  const ended = onStop(() => stopping.abort())
  try {
    const known = await log.describeTopic(options.topic)
    if (known && given(options)) throw settingsFixed(options.topic)
    const result = await generateInto(log, options.topic, known ? undefined : settingsFrom(options, DEFAULT_SETTINGS), {
      pace: options.rate === undefined ? 'flat-out' : 'schedule',
      signal: stopping.signal,
      ...(options.numEvents ? { rows: options.numEvents } : {}),
      ...(options.bytes === undefined ? {} : { bytes: options.bytes }),
      ...(options.duration === undefined ? {} : { durationMs: options.duration }),
      onProgress: ({ rows, eventsPerSecond, megabytesPerSecond }) => {
        const rate = `${Math.round(eventsPerSecond).toLocaleString('en-US')} events/s  ${megabytesPerSecond.toFixed(1)} MB/s`
        process.stderr.write(`${rate}  ${rows.toLocaleString('en-US')} events\n`)
      },
    })
    const { rows, bytes: written, elapsedMs, endedBy } = result
    if (options.truth !== undefined) await writeTruth(log, options.topic, result.origin, options.truth)
    if (options.json)
      process.stdout.write(`${JSON.stringify({ topic: options.topic, rows, bytes: written, elapsedMs, endedBy })}\n`)
  } finally {
    ended()
    await log.close()
  }
}

function settingsFrom(options: GenerateOptions, defaults: GeneratorSettings): GeneratorSettings {
  return {
    ...defaults,
    seed: options.seed ?? defaults.seed,
    partitions: options.partitions ?? defaults.partitions,
    eventsPerSecond: options.rate ?? defaults.eventsPerSecond,
    lateFraction: options.late ?? defaults.lateFraction,
    duplicateFraction: options.duplicates ?? defaults.duplicateFraction,
    malformedFraction: options.malformed ?? defaults.malformedFraction,
  }
}

function given({ seed, partitions, late, duplicates, malformed }: GenerateOptions): boolean {
  return [seed, partitions, late, duplicates, malformed].some((value) => value !== undefined)
}

function settingsFixed(topic: string): MillraceError {
  return new MillraceError(
    'invalid-option',
    `the topic "${topic}" is there already, and its events go on as they began`,
    {
      hint: 'leave out --seed, --partitions, --late, --duplicates and --malformed, or choose another --topic',
    },
  )
}

/** For comparing a pipeline's answers with: counts by type, page and minute up to where the partitions end. */
async function writeTruth(log: Log, topic: string, origin: Origin, path: string): Promise<void> {
  const { truth } = await import('../../generator/truth.ts')
  const ends = (await log.describeTopic(topic))?.offsets.map(({ end }) => end) ?? []
  const answer = truth(origin, ends, { windowSizeMs: MS_PER_MINUTE })
  await writeDurableFile(resolve(path), encodeText(`${JSON.stringify(answer)}\n`), { overwrite: true })
}
