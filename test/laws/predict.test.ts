import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  adam,
  type LogisticSpec,
  logisticRegression,
  type Pipeline,
  pipeline,
  purchaseWithin,
  sgd,
} from '../../src/index.ts'
import { BinaryModel } from '../../src/ml/binary-model.ts'
import { addNumber, addText, featureVector } from '../../src/ml/feature-vector.ts'
import { rowsOf } from '../../src/sinks/memory-sink.ts'
import { EngineRun } from '../support/events.ts'
import { lawRuns } from '../support/law-runs.ts'
import {
  type HistoryEvent,
  history,
  historyEpochs,
  historyEvents,
  historyRows,
  inOrder,
  predictions,
} from '../support/shop-history.ts'

const WITHIN_MS = 20_000

const model = logisticRegression({ guardOutcomes: null, l2: 0.001, classWeights: { positive: 3, negative: 1 } })
const plan = planOf(model)
const guarded: LogisticSpec = {
  ...model,
  optimizer: adam(),
  guardOutcomes: 10,
  metricsWindow: 20,
  keepNegatives: 0.5,
  plattRate: 0.1,
  drift: { kind: 'page-hinkley', valuesMin: 3, delta: 0.005, threshold: 0.3, alpha: 0.999 },
}

function planOf(
  spec: LogisticSpec,
  more: { challengers?: Record<string, LogisticSpec>; promoteAfter?: number } = {},
): Pipeline {
  const predicted = historyEvents.predict({
    label: purchaseWithin('20s'),
    features: ['price', 'device'],
    model: spec,
    ...more,
  })
  const columns = { ts: 'ts', session_id: 'session_id', p: 'probability', version: 'model_version' } as const
  return pipeline('laws')
    .query('predictions', predicted.select(columns))
    .query('metrics', predicted.modelMetrics().select())
    .query('weights', predicted.modelWeights().select())
    .query('events', predicted.modelEvents().select())
}

const contest = planOf(guarded, {
  challengers: { slow: { ...model, optimizer: sgd(0.001) }, fast: { ...model, optimizer: adam(0.5), drift: null } },
  promoteAfter: 10,
})

test('predictions are those of one pass over the sorted rows, for any cut into epochs and any crash', () => {
  fc.assert(
    fc.property(history, (steps) => {
      const rows = historyRows(steps)
      const expected = naivePass(rows)
      const cut = historyEpochs(steps, rows)
      let run = new EngineRun(plan, 2)
      const found: unknown[] = []
      for (const { parts, crash } of cut) {
        found.push(...predictions(run.epoch(parts)))
        if (crash) run = run.restored()
      }
      found.push(...predictions(run.epoch([[], []], { flush: true })))
      assert.deepEqual(found, expected)
    }),
    { numRuns: lawRuns('models') },
  )
})

for (const [name, of] of [
  ['one model', planOf(guarded)],
  ['a champion and its challengers', contest],
] as const) {
  test(`weights, optimizer, scaler, detectors and waiting rows of ${name} are the same bytes, and what happens the same, for any cut and any crash`, () => {
    fc.assert(
      fc.property(history, (steps) => {
        const rows = historyRows(steps)
        const straight = new EngineRun(of, 2)
        const happened = events(
          straight.epoch(
            [0, 1].map((partition) => rows.filter((one) => one.partition === partition).map(({ event }) => event)),
          ),
        )
        let run = new EngineRun(of, 2)
        const found: unknown[] = []
        for (const { parts, crash } of historyEpochs(steps, rows)) {
          found.push(...events(run.epoch(parts)))
          if (crash) run = run.restored()
        }
        assert.deepEqual(run.engine.snapshot(), straight.engine.snapshot())
        assert.deepEqual(found, happened)
      }),
      { numRuns: lawRuns('models') },
    )
  })
}

function events(results: ReturnType<EngineRun['epoch']>): unknown[] {
  const rows = results.queries[3]?.append
  return rows ? rowsOf(rows).map((row) => ({ ...Object.fromEntries(row), as_of: 'of the epoch' })) : []
}

/** The definition, row by row: quadratic, without state that outlives a row. */
function naivePass(unsorted: readonly HistoryEvent[]): unknown[] {
  const rows = inOrder(unsorted)
  const devices = new Map<string, number>()
  const learner = new BinaryModel(model, { size: 101, numbers: 1, featuresMax: 2 })
  const waiting: { readonly at: number; readonly row: ReturnType<typeof featureVector>; readonly ts: number }[] = []
  const found: unknown[] = []
  for (const [at, { event }] of rows.entries()) {
    while (waiting[0] && waiting[0].ts + WITHIN_MS <= event.ts) {
      const due = waiting.shift() as (typeof waiting)[number]
      learner.learn(due.row, bought(rows, due.at))
    }
    if (event.event_type === 'purchase') continue
    const row = featureVector(2)
    if (event.price !== null) addNumber(row, 0, event.price)
    if (event.device !== null) {
      if (!devices.has(event.device)) devices.set(event.device, devices.size)
      addText(row, 1 + (devices.get(event.device) as number), 1)
    }
    const { ts, session_id } = event
    found.push({ ts, session_id, p: learner.probability(row), version: learner.updates })
    if (session_id !== null) waiting.push({ at, row, ts })
  }
  return found
}

function bought(rows: readonly HistoryEvent[], at: number): boolean {
  const { event } = rows[at] as HistoryEvent
  return rows.some((other, index) => {
    const { ts, session_id, event_type } = other.event
    return index > at && event_type === 'purchase' && session_id === event.session_id && ts <= event.ts + WITHIN_MS
  })
}
