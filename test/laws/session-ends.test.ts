import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  col,
  count,
  defineSchema,
  eq,
  int32,
  last,
  logSource,
  type Pipeline,
  pipeline,
  type SessionOptions,
  session,
  stream,
  sum,
  text,
  timestamp,
} from '../../src/index.ts'
import { appended, applyUpdates, EngineRun } from '../support/events.ts'
import { lawRuns } from '../support/law-runs.ts'

const GAP_MS = 10_000
const DELAY_MS = 15_000
const START_MS = Date.UTC(2026, 0, 1)

const schema = defineSchema({
  ts: timestamp({ format: 'epoch-ms', required: true }),
  user: text(),
  type: text(),
  n: int32(),
})

function planOf(options: SessionOptions): Pipeline {
  return pipeline('ends').query(
    'q',
    stream(logSource('t'), schema)
      .withWatermark('ts', '15s', { maxClockSkew: null })
      .groupBy('user')
      .window(session('10s', options))
      .aggregate({ events: count(), total: sum('n'), type: last('type') }),
  )
}

interface Click {
  readonly ts: number
  readonly user: string
  readonly type: 'view' | 'end'
  readonly n: number
}

/** What a session or the mark of one is in the model. */
interface ModelSession {
  readonly user: string
  clicks: Click[]
  closed: boolean
}

interface Limits {
  readonly ends: boolean
  readonly durationMaxMs: number
  readonly eventsMax: number
}

/**
 * Sessions that close early, by the definition: judged at the end of an epoch; what was closed refuses rows near it until its gap is over.
 */
class Model {
  readonly #limits: Limits
  #sessions: ModelSession[] = []
  #watermarkMs = Number.NEGATIVE_INFINITY
  #newestMs = Number.NEGATIVE_INFINITY

  constructor(limits: Limits) {
    this.#limits = limits
  }

  epoch(clicks: readonly Click[], flush: boolean): { readonly rows: unknown[]; readonly late: number } {
    const accepted = clicks.filter((click) => click.ts > this.#watermarkMs && !this.#refused(click))
    for (const click of accepted) this.#take(click)
    this.#newestMs = Math.max(this.#newestMs, ...clicks.map(({ ts }) => ts))
    this.#watermarkMs = flush ? Number.POSITIVE_INFINITY : Math.max(this.#watermarkMs, this.#newestMs - DELAY_MS)
    const closing = this.#sessions.filter((one) => !one.closed && (this.#over(one) || this.#early(one)))
    for (const one of closing) one.closed = true
    this.#sessions = this.#sessions.filter((one) => !this.#over(one))
    const rows = closing.map(({ user, clicks: own }) => ({
      session_start: own[0].ts,
      session_end: own[own.length - 1].ts,
      duration_ms: own[own.length - 1].ts - own[0].ts,
      user,
      events: own.length,
      total: own.reduce((total, { n }) => total + n, 0),
    }))
    return { rows: rows.sort(byStart), late: clicks.length - accepted.length }
  }

  #refused({ ts, user }: Click): boolean {
    return this.#sessions.some(
      (one) =>
        one.closed &&
        one.user === user &&
        ts >= one.clicks[0].ts - GAP_MS &&
        ts <= one.clicks[one.clicks.length - 1].ts,
    )
  }

  #take(click: Click): void {
    const near = this.#sessions.filter(
      (one) =>
        !one.closed &&
        one.user === click.user &&
        click.ts >= one.clicks[0].ts - GAP_MS &&
        click.ts <= one.clicks[one.clicks.length - 1].ts + GAP_MS,
    )
    const clicks = [...near.flatMap((one) => one.clicks), click].sort((a, b) => a.ts - b.ts)
    this.#sessions = [
      ...this.#sessions.filter((one) => !near.includes(one)),
      { user: click.user, clicks, closed: false },
    ]
  }

  #over({ clicks }: ModelSession): boolean {
    return clicks[clicks.length - 1].ts + GAP_MS <= this.#watermarkMs
  }

  #early({ clicks }: ModelSession): boolean {
    const { ends, durationMaxMs, eventsMax } = this.#limits
    const lastMs = clicks[clicks.length - 1].ts
    if (ends && clicks.some(({ type, ts }) => type === 'end' && ts >= lastMs)) return true
    return lastMs - clicks[0].ts > durationMaxMs || clicks.length > eventsMax
  }
}

const clicks = fc.array(
  fc.record({
    at: fc.nat(60),
    jitter: fc.nat(18),
    user: fc.constantFrom('a', 'b'),
    type: fc.constantFrom('view' as const, 'view' as const, 'end' as const),
    n: fc.nat(9),
    cut: fc.nat(3),
  }),
  { maxLength: 40, size: 'max' },
)

const CASES: readonly (readonly [string, SessionOptions, Limits])[] = [
  [
    'an event that ends its session',
    { endWhen: eq(col('type'), 'end') },
    { ends: true, durationMaxMs: Infinity, eventsMax: Infinity },
  ],
  ['a longest duration', { maxDuration: '15s' }, { ends: false, durationMaxMs: 15_000, eventsMax: Infinity }],
  [
    'most events, and ends',
    { maxEvents: 2, maxDuration: null, endWhen: eq(col('type'), 'end') },
    { ends: true, durationMaxMs: Infinity, eventsMax: 2 },
  ],
]

for (const [name, options, limits] of CASES) {
  test(`${name}: sessions close at the end of the epoch, and what was closed refuses rows, as in the model`, () => {
    const plan = planOf(options)
    fc.assert(
      fc.property(clicks, fc.boolean(), (drawn, restart) => {
        const sorted = [...drawn].sort((a, b) => a.at + a.jitter - (b.at + b.jitter))
        const epochs: Click[][] = [[]]
        for (const { at, cut, user, type, n } of sorted) {
          epochs.at(-1)?.push({ ts: START_MS + at * 1_000, user, type, n })
          if (cut === 0) epochs.push([])
        }
        assertLikeModel(plan, limits, epochs, restart)
      }),
      { numRuns: lawRuns(200) },
    )
  })
}

function assertLikeModel(plan: Pipeline, limits: Limits, epochs: readonly Click[][], restart: boolean): void {
  const model = new Model(limits)
  let run = new EngineRun(plan, 1)
  const view = new Map<string, Readonly<Record<string, unknown>>>()
  const closed: unknown[] = []
  for (const [index, own] of [...epochs, []].entries()) {
    const flush = index === epochs.length
    const results = run.epoch([own.map((click) => ({ ...click }))], { flush })
    const expected = model.epoch(own, flush)
    const rows = appended(results).map(({ type: _type, ...row }) => row)
    assert.deepEqual(rows.sort(byStart), expected.rows)
    assert.equal(results.queries[0]?.lateRows, expected.late)
    applyUpdates(view, results, (row) => JSON.stringify([row['session_start'], row['user']]))
    closed.push(...rows)
    if (restart) run = run.restored()
  }
  const shown = [...view.values()].map(({ type: _type, ...row }) => row)
  assert.deepEqual(shown.sort(byStart), closed.sort(byStart))
  assert.equal(run.engine.status().queries[0]?.stateRows, 0)
}

function byStart(left: unknown, right: unknown): number {
  const [a, b] = [left, right] as { session_start: number; user: string }[]
  return a.session_start - b.session_start || a.user.localeCompare(b.user)
}
