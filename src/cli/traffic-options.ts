import { type Command, InvalidArgumentError, Option } from 'commander'
import type { GeneratorSettings } from '../generator/settings.ts'
import { duration, fraction, wholeNumber } from './options.ts'

/** What the options below were set to, by the names that commander gives them. */
export type TrafficOptions = Readonly<Record<string, unknown>>

interface TrafficOption {
  readonly flags: string
  readonly text: string
  readonly parse: (text: string) => number
  readonly setting: keyof GeneratorSettings
  readonly env?: string
}

/** Options for what the generator's traffic is like; each is a setting of a topic. */
const OPTIONS: readonly TrafficOption[] = [
  { flags: '--users <count>', text: 'registered users', parse: wholeNumber, setting: 'users' },
  {
    flags: '--user-skew <exponent>',
    text: 'how much more the popular users visit: 0 all alike, 0.9 as a rule',
    parse: plainNumber,
    setting: 'userZipfExponent',
  },
  {
    flags: '--max-active-sessions <count>',
    text: 'size of the session pool',
    parse: wholeNumber,
    setting: 'activeSessionsMax',
    env: 'MAX_ACTIVE_SESSIONS',
  },
  {
    flags: '--new-session-probability <share>',
    text: 'events that begin a session',
    parse: fraction,
    setting: 'newSessionProbability',
    env: 'NEW_SESSION_PROBABILITY',
  },
  {
    flags: '--base-purchase-probability <share>',
    text: 'chance that a session sets out to buy',
    parse: fraction,
    setting: 'purchaseProbabilityBase',
    env: 'BASE_PURCHASE_PROBABILITY',
  },
  {
    flags: '--purchase-scaling <share>',
    text: 'what each event of the session adds to that chance',
    parse: fraction,
    setting: 'purchaseProbabilityScaling',
    env: 'PURCHASE_SCALING',
  },
  { flags: '--products <count>', text: 'per category', parse: wholeNumber, setting: 'productsPerCategory' },
  {
    flags: '--day-curve <share>',
    text: 'how much busier the busy hours of a day are, 0 to 1',
    parse: fraction,
    setting: 'diurnalStrength',
  },
  {
    flags: '--late <share>',
    text: 'events that come far too late, such as 2%',
    parse: fraction,
    setting: 'lateFraction',
  },
  { flags: '--late-min <duration>', text: 'by how much at least', parse: duration, setting: 'lateMinMs' },
  { flags: '--late-max <duration>', text: 'and at most', parse: duration, setting: 'lateMaxMs' },
  {
    flags: '--out-of-order <share>',
    text: 'events that come a little late',
    parse: fraction,
    setting: 'outOfOrderFraction',
  },
  { flags: '--out-of-order-max <duration>', text: 'by how much at most', parse: duration, setting: 'outOfOrderMaxMs' },
  { flags: '--duplicates <share>', text: 'events that come twice', parse: fraction, setting: 'duplicateFraction' },
  { flags: '--duplicates-within <duration>', text: 'how soon', parse: duration, setting: 'duplicateWithinMs' },
  { flags: '--malformed <share>', text: 'events that are no JSON', parse: fraction, setting: 'malformedFraction' },
  { flags: '--invalid <share>', text: 'events that break a rule', parse: fraction, setting: 'invalidFraction' },
  {
    flags: '--silent-partition <number>',
    text: 'partition that falls silent',
    parse: wholeNumber,
    setting: 'silentPartition',
  },
  { flags: '--silent-after <duration>', text: 'after so long', parse: duration, setting: 'silentAfterMs' },
  {
    flags: '--fast-clock <duration>',
    text: 'by how much the clock of one producer is fast',
    parse: duration,
    setting: 'fastClockMs',
  },
]

/** Adds the options for the generator's traffic to a command. */
export function addTrafficOptions(command: Command): Command {
  for (const option of OPTIONS) command.addOption(commanderOption(option))
  return command
    .option('--late-data', 'one event in 50 comes far too late')
    .option('--no-late-data', 'none does')
    .addOption(new Option('--workers <count>', 'machines that send events').argParser(wholeNumber).env('NUM_WORKERS'))
    .addOption(
      new Option('--tasks-per-worker <count>', 'producers on each of them')
        .argParser(wholeNumber)
        .env('TASKS_PER_WORKER'),
    )
}

/** The traffic that the options say, where they say nothing as in `base`. */
export function trafficSettings(options: TrafficOptions, base: GeneratorSettings): GeneratorSettings {
  const settings: Record<keyof GeneratorSettings, number> = { ...base }
  if (options['lateData'] === true) settings.lateFraction = LATE_FRACTION
  for (const option of OPTIONS) settings[option.setting] = numberIn(options, option) ?? settings[option.setting]
  if (options['lateData'] === false) settings.lateFraction = 0
  const { workers, tasksPerWorker } = options
  if (workers !== undefined || tasksPerWorker !== undefined) {
    settings.producers = Number(workers ?? WORKERS) * Number(tasksPerWorker ?? TASKS_PER_WORKER)
  }
  return settings
}

const LATE_FRACTION = 1 / 50
const WORKERS = 4
const TASKS_PER_WORKER = 4

function commanderOption({ flags, text, parse, env }: TrafficOption): Option {
  const option = new Option(flags, text).argParser(parse)
  return env === undefined ? option : option.env(env)
}

function numberIn(options: TrafficOptions, option: TrafficOption): number | undefined {
  const value = options[commanderOption(option).attributeName()]
  return typeof value === 'number' ? value : undefined
}

function plainNumber(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError('Write a number such as 0.9.')
  return Number(text)
}
