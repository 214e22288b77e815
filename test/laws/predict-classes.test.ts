import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { adaGrad, nextWithin, type Pipeline, pipeline, type SoftmaxSpec, softmaxRegression } from '../../src/index.ts'
import { ClassModel } from '../../src/ml/class-model.ts'
import { addNumber, addText, featureVector } from '../../src/ml/feature-vector.ts'
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
const CLASSES = ['purchase', 'click', 'none']

const model = softmaxRegression({ guardOutcomes: null, l2: 0.001 })
const plan = planOf(model)
const guarded = planOf({
  ...model,
  optimizer: adaGrad(),
  guardOutcomes: 10,
  metricsWindow: 20,
  drift: { kind: 'page-hinkley', valuesMin: 3, delta: 0.005, threshold: 0.3, alpha: 0.999 },
})

function planOf(spec: SoftmaxSpec): Pipeline {
  const predicted = historyEvents.predict({
    label: nextWithin(['purchase', 'click'], '20s'),
    features: ['price', 'device'],
    model: spec,
  })
  const columns = {
    ts: 'ts',
    session_id: 'session_id',
    best: 'prediction',
    p: 'probability',
    purchase: 'probability_purchase',
    click: 'probability_click',
    none: 'probability_none',
    version: 'model_version',
  } as const
  return pipeline('laws')
    .query('predictions', predicted.select(columns))
    .query('metrics', predicted.modelMetrics().select())
    .query('weights', predicted.modelWeights().select())
}

test('what comes next is told by one pass over the sorted rows, for any cut into epochs and any crash', () => {
  fc.assert(
    fc.property(history, (steps) => {
      const rows = historyRows(steps)
      let run = new EngineRun(plan, 2)
      const found: unknown[] = []
      for (const { parts, crash } of historyEpochs(steps, rows)) {
        found.push(...predictions(run.epoch(parts)))
        if (crash) run = run.restored()
      }
      found.push(...predictions(run.epoch([[], []], { flush: true })))
      assert.deepEqual(found, naivePass(rows))
    }),
    { numRuns: lawRuns('models') },
  )
})

test('the state of a model of several classes is the same bytes for any cut and any crash', () => {
  fc.assert(
    fc.property(history, (steps) => {
      const rows = historyRows(steps)
      const straight = new EngineRun(guarded, 2)
      straight.epoch(
        [0, 1].map((partition) => rows.filter((one) => one.partition === partition).map(({ event }) => event)),
      )
      let run = new EngineRun(guarded, 2)
      for (const { parts, crash } of historyEpochs(steps, rows)) {
        run.epoch(parts)
        if (crash) run = run.restored()
      }
      assert.deepEqual(run.engine.snapshot(), straight.engine.snapshot())
    }),
    { numRuns: lawRuns('models') },
  )
})

/** The definition, row by row: quadratic, without state that outlives a row. */
function naivePass(unsorted: readonly HistoryEvent[]): unknown[] {
  const rows = inOrder(unsorted)
  const devices = new Map<string, number>()
  const learner = new ClassModel(model, { size: 101, numbers: 1, featuresMax: 2 }, CLASSES)
  const waiting: { readonly at: number; readonly row: ReturnType<typeof featureVector>; readonly ts: number }[] = []
  const said = new Float64Array(3)
  const found: unknown[] = []
  for (const [at, { event }] of rows.entries()) {
    while (waiting[0] && waiting[0].ts + WITHIN_MS <= event.ts) {
      const due = waiting.shift() as (typeof waiting)[number]
      learner.learn(due.row, next(rows, due.at), said)
    }
    const row = featureVector(2)
    if (event.price !== null) addNumber(row, 0, event.price)
    if (event.device !== null) {
      if (!devices.has(event.device)) devices.set(event.device, devices.size)
      addText(row, 1 + (devices.get(event.device) as number), 1)
    }
    learner.tell(row, said)
    const [purchase, click, none] = said
    const p = Math.max(...said)
    const { ts, session_id } = event
    found.push({ ts, session_id, best: CLASSES[said.indexOf(p)], p, purchase, click, none, version: learner.updates })
    if (session_id !== null) waiting.push({ at, row, ts })
  }
  return found
}

function next(rows: readonly HistoryEvent[], at: number): number {
  const { event } = rows[at] as HistoryEvent
  const found = rows.find(({ event: other }, index) => {
    return index > at && other.session_id === event.session_id && other.ts <= event.ts + WITHIN_MS
  })
  return CLASSES.indexOf(found?.event.event_type ?? 'none')
}
