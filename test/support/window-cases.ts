import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  boolean,
  col,
  decimal,
  defineSchema,
  eq,
  float64,
  global,
  int32,
  logSource,
  type Pipeline,
  pipeline,
  session,
  sliding,
  stream,
  text,
  timestamp,
  tumbling,
  uuid,
  type WindowSpec,
} from '../../src/index.ts'
import type { Event } from './events.ts'
import { NAIVE_AGGREGATES, type PlacedEvent } from './naive-aggregates.ts'
import {
  type KeyColumn,
  labelled,
  naiveSessions,
  naiveWindows,
  type ResultRow,
  slidingOf,
  type WindowsOf,
} from './naive-windows.ts'

/** Events are at most so many units of time apart, and at most so many behind the newest. */
const UNITS = 600
const DELAY_UNITS = 30
const SECOND = 1_000
const HOUR = 3_600 * SECOND
const DAY = 24 * HOUR

/** A window with all aggregates over it, and the rows that it gives in the end. */
export interface WindowCase {
  readonly name: string
  readonly plan: Pipeline
  readonly keys: readonly KeyColumn[]
  readonly startMs: number
  readonly unitMs: number
  naive(events: readonly PlacedEvent[]): Map<string, ResultRow>
}

const schema = defineSchema({
  ts: timestamp({ format: 'epoch-ms', required: true }),
  page: text(),
  user: text({ cardinality: 'high' }),
  amount: decimal(2),
  n: int32(),
  x: float64(),
  flag: boolean(),
  id: uuid(),
  seen: timestamp({ format: 'epoch-ms' }),
})

/** Every kind of window. */
export const WINDOW_CASES: readonly WindowCase[] = [
  overGrid('tumbling', tumbling('1 minute'), ['page'], slidingOf(60 * SECOND, 60 * SECOND)),
  overGrid('global', global(), ['n'], () => [[0, Number.POSITIVE_INFINITY]]),
  overGrid('sliding', sliding('1 minute', '20 seconds'), ['page', 'flag'], slidingOf(60 * SECOND, 20 * SECOND)),
  overGrid('sliding, uneven', sliding('70s', '30s'), ['page'], slidingOf(70 * SECOND, 30 * SECOND)),
  overGrid('sliding, fine', sliding('100s', '10s'), [], slidingOf(100 * SECOND, 10 * SECOND)),
  overGrid(
    'days in Berlin, clocks go forward',
    tumbling('1 day', { timeZone: 'Europe/Berlin' }),
    ['page'],
    labelled('Europe/Berlin', (date) => date, 2 * DAY),
    { startMs: Date.UTC(2026, 2, 27), unitMs: HOUR / 6 },
  ),
  overGrid(
    'days in São Paulo, midnight is left out',
    tumbling('1 day', { timeZone: 'America/Sao_Paulo' }),
    ['flag', 'n', 'page'],
    labelled('America/Sao_Paulo', (date) => date, 2 * DAY),
    { startMs: Date.UTC(2018, 10, 2), unitMs: HOUR / 6 },
  ),
  overGrid(
    'days in São Paulo, an hour comes twice',
    tumbling('1 day', { timeZone: 'America/Sao_Paulo' }),
    ['page'],
    labelled('America/Sao_Paulo', (date) => date, 2 * DAY),
    { startMs: Date.UTC(2018, 1, 16), unitMs: HOUR / 6 },
  ),
  overGrid(
    'weeks in Berlin',
    tumbling('1 week', { timeZone: 'Europe/Berlin' }),
    ['page'],
    labelled('Europe/Berlin', mondayOf, 9 * DAY),
    { startMs: Date.UTC(2026, 9, 10), unitMs: HOUR },
  ),
  overGrid(
    'months',
    tumbling('1 month'),
    ['page'],
    labelled('UTC', (date) => date.slice(0, 7), 40 * DAY),
    { startMs: Date.UTC(2024, 1, 10), unitMs: 4 * HOUR },
  ),
  {
    name: 'session',
    ...spanOf({}),
    keys: ['page'],
    plan: planOf(session('20s'), ['page'], 30 * SECOND),
    naive: (events) => naiveSessions(events, ['page'], 20 * SECOND),
  },
  {
    name: 'session of nobody',
    ...spanOf({}),
    keys: [],
    plan: planOf(session('3s'), [], 30 * SECOND),
    naive: (events) => naiveSessions(events, [], 3 * SECOND),
  },
]

/** Sessions that end before their gap is over; when depends on where epochs end, so there is no row that is right for all of them. */
export const EARLY_CASES: readonly Omit<WindowCase, 'naive'>[] = [
  ['session with a longest duration', session('20s', { maxDuration: '25s' })] as const,
  ['session with a most of events', session('20s', { maxEvents: 4 })] as const,
  ['session that an event ends', session('20s', { endWhen: eq(col('n'), 7) })] as const,
].map(([name, window]) => ({
  name,
  ...spanOf({}),
  keys: ['page'],
  plan: planOf(window, ['page'], DELAY_UNITS * SECOND),
}))

interface Span {
  readonly startMs: number
  readonly unitMs: number
}

function spanOf({ startMs = Date.UTC(2026, 0, 1), unitMs = SECOND }: Partial<Span>): Span {
  return { startMs, unitMs }
}

function overGrid(
  name: string,
  window: WindowSpec,
  keys: readonly KeyColumn[],
  windowsOf: WindowsOf,
  span: Partial<Span> = {},
): WindowCase {
  const { startMs, unitMs } = spanOf(span)
  const plan = planOf(window, keys, DELAY_UNITS * unitMs)
  return { name, plan, keys, startMs, unitMs, naive: (events) => naiveWindows(events, keys, windowsOf) }
}

function planOf(window: WindowSpec, keys: readonly KeyColumn[], delayMs: number): Pipeline {
  return pipeline('laws').query(
    'q',
    stream(logSource('t'), schema)
      .withWatermark('ts', `${delayMs / SECOND}s`, { maxClockSkew: null })
      .groupBy(...keys)
      .window(window)
      .aggregate(Object.fromEntries(Object.entries(NAIVE_AGGREGATES).map(([name, [spec]]) => [name, spec]))),
  )
}

function mondayOf(date: string): string {
  const day = new Date(`${date}T00:00:00Z`)
  day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7))
  return day.toISOString().slice(0, 10)
}

/** An event of a history, before it has a place. */
export interface Step {
  readonly at: number
  readonly jitter: number
  readonly partition: number
  /** 0: an epoch ends behind it. */
  readonly cut: number
  readonly values: Omit<PlacedEvent, 'ts' | 'partition' | 'offset'>
}

const values = fc.record({
  page: fc.constantFrom('/a', '/b', '/ü', null),
  user: fc.constantFrom('u1', 'u2', 'u3', '"\u0000', '', null),
  cents: fc.option(fc.integer({ min: -100_000, max: 100_000 })),
  n: fc.constantFrom(-3, 0, 1, 7, null),
  x: fc.option(fc.oneof(fc.constantFrom(0, 0.1, -2.5), fc.double({ noNaN: true, min: -1e15, max: 1e15 }))),
  flag: fc.constantFrom(true, false, null),
  id: fc.constantFrom('00000000-0000-4000-8000-000000000001', 'ffffffff-0000-4000-8000-0000000000aa', null),
  seen: fc.constantFrom(0, 1_700_000_000_123, null),
})

/** Events in an order in which each is less than the delay behind the largest time before it. Times repeat often. */
export const history: fc.Arbitrary<Step[]> = fc
  .array(
    fc.record({
      at: fc.oneof(fc.nat(UNITS), fc.nat(90), fc.constantFrom(0, 20)),
      jitter: fc.nat(DELAY_UNITS - 1),
      partition: fc.nat(3),
      cut: fc.nat(7),
      values,
    }),
    { maxLength: 30, size: 'max' },
  )
  .map((steps) => steps.sort((left, right) => left.at + left.jitter - (right.at + right.jitter)))

/** Gives each event its place, and cuts the history into epochs. */
export function epochsOf(steps: readonly Step[], partitions: number, { startMs, unitMs }: Span): PlacedEvent[][] {
  const offsets = new Array<number>(partitions).fill(0)
  const epochs: PlacedEvent[][] = [[]]
  for (const { at, partition: wanted, cut, values: own } of steps) {
    const partition = wanted % partitions
    const offset = offsets[partition]++
    epochs.at(-1)?.push({ ts: startMs + at * unitMs, partition, offset, ...own })
    if (cut === 0) epochs.push([])
  }
  return epochs
}

/** An event as it comes in. */
export function toEvent({ partition: _partition, offset: _offset, cents, ...rest }: PlacedEvent): Event {
  return { ...rest, amount: cents === null ? null : cents / 100 }
}

/** The events of an epoch by partition. */
export function byPartition(events: readonly PlacedEvent[], partitions: number): Event[][] {
  return Array.from({ length: partitions }, (_, own) =>
    events.filter(({ partition }) => partition === own).map(toEvent),
  )
}

/** The same rows; quantiles within their relative error. */
export function assertRows(actual: ReadonlyMap<string, ResultRow>, expected: ReadonlyMap<string, ResultRow>): void {
  assert.deepEqual([...actual.keys()].sort(), [...expected.keys()].sort())
  for (const [id, row] of expected) {
    const given: Record<string, unknown> = { ...actual.get(id) }
    for (const [name, value] of Object.entries(row)) {
      if (!name.startsWith('quantile') || value === null || given[name] === null) continue
      if (Math.abs((given[name] as number) - (value as number)) <= quantileError(value as number)) given[name] = value
    }
    assert.deepEqual(given, row)
  }
}

/** Magnitudes below 2^-40 are zero. */
function quantileError(value: number): number {
  return Math.max(0.01 * Math.abs(value) * (1 + 1e-9), 2 ** -40)
}
