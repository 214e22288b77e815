import { MillraceError } from '../base/error.ts'
import { MS_PER_MINUTE, MS_PER_SECOND } from '../base/time.ts'
import { PARTITIONS_MAX } from '../log/topic-settings.ts'

/**
 * What makes a sequence of generated events, apart from the time at which it begins: two generators with equal settings and start
 * time write the same bytes. Plain numbers, so that a topic can carry them as a label. Fractions and probabilities are 0 to 1.
 */
export interface GeneratorSettings {
  /** A whole number in [0, 2^32). */
  readonly seed: number
  readonly partitions: number
  /** Density of event time, on the average of a day: without a curve, event `i` happens `i / eventsPerSecond` seconds after the start. */
  readonly eventsPerSecond: number
  /** How much busier the busy hours of a day are: 0 all hours are alike, 1 the evening has nine times the events of the night. */
  readonly diurnalStrength: number
  /** Registered users; the popularity of rank `r` falls with `r ^ -userZipfExponent`. */
  readonly users: number
  readonly userZipfExponent: number
  /** Size of the session pool. A newcomer to a full pool takes the place of a session that ends without a word. */
  readonly activeSessionsMax: number
  /** Chance that an event begins a session; all others extend one of the pool. */
  readonly newSessionProbability: number
  /** A session with `n` events sets out to buy at its next one with probability `base + scaling * n`. */
  readonly purchaseProbabilityBase: number
  readonly purchaseProbabilityScaling: number
  /** Each of the twelve categories has so many product pages, with a Zipf popularity. */
  readonly productsPerCategory: number
  /** Share of events whose time lies `lateMinMs` to `lateMaxMs` behind the moment they are sent. */
  readonly lateFraction: number
  readonly lateMinMs: number
  readonly lateMaxMs: number
  /** Share of events whose time lies up to `outOfOrderMaxMs` behind the moment they are sent. */
  readonly outOfOrderFraction: number
  readonly outOfOrderMaxMs: number
  /** Share of events that are sent twice, the second time within about `duplicateWithinMs`. */
  readonly duplicateFraction: number
  readonly duplicateWithinMs: number
  /** Share of events whose bytes are no JSON object. */
  readonly malformedFraction: number
  /** Share of events that are JSON but break a rule of the canonical event. */
  readonly invalidFraction: number
  /** This partition gets nothing from `silentAfterMs` after the start on; -1 for none. */
  readonly silentPartition: number
  readonly silentAfterMs: number
  /** Sessions are spread over so many producers, as the collectors of a large site are. */
  readonly producers: number
  /** The clock of one producer is fast by so much. */
  readonly fastClockMs: number
}

/** Clean traffic of a middling shop. */
export const DEFAULT_SETTINGS: GeneratorSettings = Object.freeze({
  seed: 1,
  partitions: 4,
  eventsPerSecond: 2_000,
  diurnalStrength: 0,
  users: 100_000,
  userZipfExponent: 0.9,
  activeSessionsMax: 10_000,
  newSessionProbability: 0.05,
  purchaseProbabilityBase: 0.001,
  purchaseProbabilityScaling: 0.0005,
  productsPerCategory: 40,
  lateFraction: 0,
  lateMinMs: 10 * MS_PER_MINUTE,
  lateMaxMs: 20 * MS_PER_MINUTE,
  outOfOrderFraction: 0,
  outOfOrderMaxMs: 5 * MS_PER_SECOND,
  duplicateFraction: 0,
  duplicateWithinMs: 2 * MS_PER_SECOND,
  malformedFraction: 0,
  invalidFraction: 0,
  silentPartition: -1,
  silentAfterMs: MS_PER_MINUTE,
  producers: 16,
  fastClockMs: 0,
})

/**
 * Complete settings from some of them, the rest by default. `given` may come from a label or a file.
 * Throws one `invalid-option` that lists every problem.
 */
export function generatorSettings(given: unknown = {}): GeneratorSettings {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new MillraceError('invalid-option', 'generator settings are not an object', {
      hint: `give an object with some of: ${Object.keys(LIMITS).join(', ')}`,
    })
  }
  const settings: Record<keyof GeneratorSettings, number> = { ...DEFAULT_SETTINGS }
  const problems: string[] = []
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    if (!isSetting(name)) problems.push(`${name} is no setting`)
    else if (!within(LIMITS[name], value)) problems.push(`${name} is ${shown(value)}, ${expected(LIMITS[name])}`)
    else settings[name] = value
  }
  if (problems.length === 0) problems.push(...contradictions(settings))
  if (problems.length > 0) {
    throw new MillraceError('invalid-option', `generator settings: ${problems.join('; ')}`, {
      hint: `settings are: ${Object.keys(LIMITS).join(', ')}`,
    })
  }
  return Object.freeze(settings)
}

interface Limit {
  readonly min: number
  readonly max: number
  readonly whole: boolean
}

const DURATION: Limit = { min: 0, max: 366 * 24 * 60 * MS_PER_MINUTE, whole: true }
const FRACTION: Limit = { min: 0, max: 1, whole: false }

const LIMITS: Readonly<Record<keyof GeneratorSettings, Limit>> = {
  seed: { min: 0, max: 0xffff_ffff, whole: true },
  partitions: { min: 1, max: PARTITIONS_MAX, whole: true },
  eventsPerSecond: { min: 0.001, max: 1e9, whole: false },
  diurnalStrength: FRACTION,
  users: { min: 2, max: 10_000_000, whole: true },
  userZipfExponent: { min: 0, max: 4, whole: false },
  activeSessionsMax: { min: 1, max: 4_000_000, whole: true },
  newSessionProbability: FRACTION,
  purchaseProbabilityBase: FRACTION,
  purchaseProbabilityScaling: FRACTION,
  productsPerCategory: { min: 1, max: 8_000, whole: true },
  lateFraction: FRACTION,
  lateMinMs: DURATION,
  lateMaxMs: DURATION,
  outOfOrderFraction: FRACTION,
  outOfOrderMaxMs: DURATION,
  duplicateFraction: { min: 0, max: 0.5, whole: false },
  duplicateWithinMs: DURATION,
  malformedFraction: FRACTION,
  invalidFraction: FRACTION,
  silentPartition: { min: -1, max: PARTITIONS_MAX - 1, whole: true },
  silentAfterMs: DURATION,
  producers: { min: 1, max: 1_000_000, whole: true },
  fastClockMs: DURATION,
}

function isSetting(name: string): name is keyof GeneratorSettings {
  return Object.hasOwn(LIMITS, name)
}

function within(limit: Limit, value: unknown): value is number {
  if (typeof value !== 'number' || !(value >= limit.min && value <= limit.max)) return false
  return !limit.whole || Number.isInteger(value)
}

/** NaN and infinities have no JSON. */
function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : JSON.stringify(value)
}

function expected({ min, max, whole }: Limit): string {
  return `expected a ${whole ? 'whole ' : ''}number from ${min} to ${max}`
}

function contradictions(settings: GeneratorSettings): string[] {
  const problems: string[] = []
  const { lateMinMs, lateMaxMs, silentPartition, partitions } = settings
  if (lateMinMs > lateMaxMs) problems.push(`lateMinMs is ${lateMinMs}, more than lateMaxMs, ${lateMaxMs}`)
  if (silentPartition >= partitions) {
    problems.push(`silentPartition is ${silentPartition}, but there are ${partitions} partitions, counted from 0`)
  }
  if (silentPartition >= 0 && partitions === 1) problems.push('silentPartition is 0, but there is no other partition')
  const { malformedFraction, invalidFraction, lateFraction, outOfOrderFraction } = settings
  const planted = malformedFraction + invalidFraction + lateFraction + outOfOrderFraction
  if (planted > 1)
    problems.push(`the fractions of malformed, invalid, late and out-of-order events add up to ${planted}, more than 1`)
  return problems
}
