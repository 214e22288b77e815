import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  count,
  defineSchema,
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
import { byStart, type ClosedSession, NaiveSessions, type SessionEvent } from '../support/naive-session-ends.ts'
import { type Limits, SESSION_END_CASES } from '../support/session-end-cases.ts'

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

for (const [name, options, limits] of SESSION_END_CASES) {
  test(`${name}: sessions close at the end of the epoch, and what was closed refuses rows, as in the model`, () => {
    const plan = planOf(options)
    fc.assert(
      fc.property(clicks, fc.boolean(), (drawn, restart) => {
        const sorted = [...drawn].sort((a, b) => a.at + a.jitter - (b.at + b.jitter))
        const epochs: SessionEvent[][] = [[]]
        for (const { at, cut, user, type, n } of sorted) {
          epochs.at(-1)?.push({ ts: START_MS + at * 1_000, user, type, n })
          if (cut === 0) epochs.push([])
        }
        assertLikeModel(plan, limits, epochs, restart)
      }),
      { numRuns: lawRuns('sessionEnds') },
    )
  })
}

function assertLikeModel(plan: Pipeline, limits: Limits, epochs: readonly SessionEvent[][], restart: boolean): void {
  const model = new NaiveSessions({ ...limits, gapMs: GAP_MS, delayMs: DELAY_MS })
  let run = new EngineRun(plan, 1)
  const view = new Map<string, Readonly<Record<string, unknown>>>()
  const closed: ClosedSession[] = []
  for (const [index, own] of [...epochs, []].entries()) {
    const flush = index === epochs.length
    const results = run.epoch([own.map((click) => ({ ...click }))], { flush })
    const expected = model.epoch(own, flush)
    const rows = appended(results).map(({ type: _type, ...row }) => row as unknown as ClosedSession)
    assert.deepEqual(rows.sort(byStart), expected.rows)
    assert.equal(results.queries[0]?.lateRows, expected.late)
    applyUpdates(view, results, (row) => JSON.stringify([row['session_start'], row['user']]))
    closed.push(...rows)
    if (restart) run = run.restored()
  }
  const shown = [...view.values()].map(({ type: _type, ...row }) => row as unknown as ClosedSession)
  assert.deepEqual(shown.sort(byStart), closed.sort(byStart))
  assert.equal(run.engine.status().queries[0]?.stateRows, 0)
}
