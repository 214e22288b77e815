import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  avg,
  col,
  count,
  countDistinct,
  decimal,
  defineSchema,
  eq,
  float64,
  logSource,
  max,
  min,
  type Pipeline,
  pipeline,
  stream,
  sum,
  text,
  timestamp,
  tumbling,
} from '../../src/index.ts'
import { appended, EngineRun, type Event } from '../support/events.ts'

const RUNS = process.env['MILLRACE_TEST_SCALE'] === 'full' ? 20_000 : 300
const WINDOW_MS = 60_000
const DELAY_MS = 30_000
const START_MS = Date.UTC(2026, 0, 1)

const schema = defineSchema({
  ts: timestamp({ format: 'epoch-ms', required: true }),
  page: text(),
  user: text({ cardinality: 'high' }),
  amount: decimal(2),
  x: float64(),
})

const plan: Pipeline = pipeline('laws').query(
  'q',
  stream(logSource('t'), schema)
    .withWatermark('ts', '30s', { maxClockSkew: null })
    .groupBy('page')
    .window(tumbling('1 minute'))
    .aggregate({
      rows: count(),
      homes: count().where(eq(col('user'), 'u1')),
      users: countDistinct('user'),
      total: sum('amount'),
      mean: avg('amount'),
      x: sum('x'),
      low: min('amount'),
      last: max('user'),
    }),
)

const event = fc.record({
  at: fc.integer({ min: 0, max: 600 }),
  page: fc.constantFrom('/a', '/b', '/ü', null),
  user: fc.constantFrom('u1', 'u2', 'u3', null),
  cents: fc.option(fc.integer({ min: -100_000, max: 100_000 })),
  x: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 })),
})

/** Events in an order in which each is less than the delay behind the largest time before it, with a partition and an epoch. */
const history = fc
  .array(
    fc.record({ event, jitter: fc.integer({ min: 0, max: DELAY_MS - 1_000 }), partition: fc.nat(3), cut: fc.nat(9) }),
    { maxLength: 60 },
  )
  .map((list) =>
    [...list].sort((left, right) => left.event.at * 1_000 + left.jitter - (right.event.at * 1_000 + right.jitter)),
  )

type Step = typeof history extends fc.Arbitrary<(infer T)[]> ? T : never

test('any cut into epochs, any partitions, with restarts between epochs: the rows of the naive oracle', () => {
  fc.assert(
    fc.property(history, fc.integer({ min: 1, max: 4 }), fc.boolean(), (steps, partitions, restart) => {
      assert.deepEqual(runThrough(steps, partitions, restart), oracle(steps.map(({ event: one }) => toEvent(one))))
    }),
    { numRuns: RUNS },
  )
})

test('one input in one epoch, in any order, gives the same state bytes', () => {
  fc.assert(
    fc.property(history, fc.integer(), (steps, seed) => {
      const events = steps.map(({ event: one }) => toEvent(one))
      const shuffled = [...events].sort((left, right) => order(left, seed) - order(right, seed))
      const [one, other] = [new EngineRun(plan, 1), new EngineRun(plan, 1)]
      one.epoch([events])
      other.epoch([shuffled])
      assert.deepEqual(other.engine.snapshot(), one.engine.snapshot())
    }),
    { numRuns: RUNS / 3 },
  )
})

test('a restored engine saves the bytes it was restored from, and at the end nothing is left', () => {
  fc.assert(
    fc.property(history, (steps) => {
      const run = new EngineRun(plan, 1)
      run.epoch([steps.map(({ event: one }) => toEvent(one))])
      const again = run.restored()
      assert.deepEqual(again.engine.snapshot(), run.engine.snapshot())
      again.epoch([[]], { flush: true })
      assert.equal(again.engine.status().queries[0]?.stateRows, 0)
    }),
    { numRuns: RUNS / 3 },
  )
})

test('a damaged snapshot is refused or restores, but never crashes otherwise', () => {
  const run = new EngineRun(plan, 1)
  run.epoch([[{ ts: START_MS, page: '/a', user: 'u1', amount: 1.5, x: 2 }]])
  const bytes = run.engine.snapshot()
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => new EngineRun(plan, 1, { state: bytes.subarray(0, length), run }), { name: 'MillraceError' })
  }
})

test('each row has one fate, and a row behind the watermark is late with the window it missed', () => {
  const run = new EngineRun(plan, 1)
  const first = run.epoch([['nonsense', { ts: 'x' }, { page: '/a' }, { ts: START_MS + 200_000, page: '/a' }]])
  const fates = Object.fromEntries(first.ledger.map(({ fate, rule, rows }) => [`${fate} ${rule}`.trim(), rows]))
  assert.deepEqual(fates, { 'malformed not JSON': 1, 'invalid ts-type': 1, 'invalid ts-required': 1, accepted: 1 })
  const second = run.epoch([[{ ts: START_MS, page: '/a' }]])
  assert.equal(second.deadLetters[0]?.fate, 'late')
  assert.deepEqual(second.deadLetters[0]?.windowsMissed, [
    { query: 'q', startMs: START_MS, endMs: START_MS + WINDOW_MS },
  ])
})

function runThrough(steps: readonly Step[], partitions: number, restart: boolean): unknown[] {
  let run = new EngineRun(plan, partitions)
  const rows: Record<string, unknown>[] = []
  // Every partition speaks before time moves, and nobody is behind the others by more than the delay.
  const pending: Event[][] = Array.from({ length: partitions }, () => [])
  const flush = (): void => {
    rows.push(...appended(run.epoch(pending.splice(0, partitions))))
    for (let partition = 0; partition < partitions; partition++) pending.push([])
    if (restart) run = run.restored()
  }
  for (const { event: one, partition, cut } of steps) {
    pending[partition % partitions]?.push(toEvent(one))
    if (cut === 0) flush()
  }
  flush()
  rows.push(...appended(run.epoch([], { flush: true })))
  return rows.sort(byWindowAndPage)
}

function toEvent({ at, page, user, cents, x }: Step['event']): Event {
  return { ts: START_MS + at * 1_000, page, user, amount: cents === null ? null : cents / 100, x }
}

/** Windows by a Map, sums by BigInt, doubles by sorting: nothing shared with the engine. */
function oracle(events: readonly Event[]): unknown[] {
  const groups = new Map<string, Event[]>()
  for (const one of events) {
    const start = Math.floor((one['ts'] as number) / WINDOW_MS) * WINDOW_MS
    const key = JSON.stringify([start, one['page']])
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  return [...groups]
    .map(([key, rows]) => {
      const [start, page] = JSON.parse(key) as [number, string | null]
      const cents = rows.flatMap((row) =>
        row['amount'] === null ? [] : [BigInt(Math.round((row['amount'] as number) * 100))],
      )
      const users = rows.flatMap((row) => (row['user'] === null ? [] : [row['user'] as string])).sort()
      const total = cents.reduce((left, right) => left + right, 0n)
      return {
        window_start: start,
        window_end: start + WINDOW_MS,
        page,
        rows: rows.length,
        homes: users.filter((user) => user === 'u1').length,
        users: new Set(users).size,
        total: cents.length === 0 ? null : Number(total) / 100,
        mean: cents.length === 0 ? null : Number(halfUp(total * 10_000n, BigInt(cents.length))) / 1e6,
        x: exactTotal(rows.flatMap((row) => (row['x'] === null ? [] : [row['x'] as number]))),
        low: cents.length === 0 ? null : Number(cents.reduce((left, right) => (left < right ? left : right))) / 100,
        last: users.at(-1) ?? null,
      }
    })
    .sort(byWindowAndPage)
}

function halfUp(dividend: bigint, divisor: bigint): bigint {
  const positive = dividend < 0n ? -dividend : dividend
  const quotient = (2n * positive + divisor) / (2n * divisor)
  return dividend < 0n ? -quotient : quotient
}

/** Sum of doubles as a fraction of big integers, rounded once. */
function exactTotal(values: readonly number[]): number | null {
  if (values.length === 0) return null
  const scale = 2n ** 1074n
  const total = values.reduce((sum, value) => sum + scaled(value), 0n)
  return ratio(total, scale)
}

/** A double times 2^1074, exactly. */
function scaled(value: number): bigint {
  const bits = new DataView(new ArrayBuffer(8))
  bits.setFloat64(0, value)
  const raw = bits.getBigUint64(0)
  const exponent = (raw >> 52n) & 0x7ffn
  const fraction = raw & 0xfffffffffffffn
  const magnitude = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n)
  return raw >> 63n === 1n ? -magnitude : magnitude
}

/** dividend / divisor rounded to the nearest double, ties to even; the divisor is a power of two. */
function ratio(dividend: bigint, divisor: bigint): number {
  const negative = dividend < 0n
  let magnitude = negative ? -dividend : dividend
  let exponent = -(divisor.toString(2).length - 1)
  const excess = magnitude.toString(2).length - 53
  if (excess > 0) {
    const shift = BigInt(excess)
    const half = 1n << (shift - 1n)
    const rest = magnitude & ((1n << shift) - 1n)
    magnitude >>= shift
    exponent += excess
    if (rest > half || (rest === half && (magnitude & 1n) === 1n)) magnitude += 1n
  }
  const value = Number(magnitude) * 2 ** Math.max(exponent, -1000) * 2 ** Math.min(0, exponent + 1000)
  return negative ? -value : value
}

function order(event: Event, seed: number): number {
  return Math.imul(JSON.stringify(event).length * 2654435761 + (event['ts'] as number), seed | 1)
}

function byWindowAndPage(left: unknown, right: unknown): number {
  const [a, b] = [left, right] as { window_start: number; page: string | null }[]
  if (!a || !b) return 0
  return a.window_start - b.window_start || (a.page ?? '').localeCompare(b.page ?? '')
}
