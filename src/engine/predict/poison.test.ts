import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EngineRun, type Event } from '../../../test/support/events.ts'
import {
  adaGrad,
  col,
  compatModel,
  defineSchema,
  eq,
  float64,
  itself,
  logisticRegression,
  logSource,
  mul,
  nextWithin,
  oneHot,
  pipeline,
  purchaseWithin,
  softmaxRegression,
  stream,
  text,
  timestamp,
} from '../../index.ts'
import type { FeatureCounts, ModelSummary } from '../../ml/model-summary.ts'

/*
 * What a stream may throw at a model in a pipeline, and that it is counted. `size` is what the events have, `volume` is ten times that: no
 * JSON number is infinite, and what an expression makes of one that becomes so is a null.
 */

const events = stream(
  logSource('t'),
  defineSchema({
    event_time: timestamp({ format: 'epoch-ms', required: true }),
    session_id: text({ required: true }),
    event_type: text({ required: true }),
    size: float64(),
    kind: text(),
  }),
)
  .withWatermark('event_time', '0s', { maxClockSkew: null })
  .derive({ volume: mul(col('size'), 10) })
const features = ['volume', oneHot('kind', 1000)] as const

const MODELS = {
  'two classes': events.predict({
    label: purchaseWithin('10s'),
    features,
    model: logisticRegression({ optimizer: adaGrad() }),
  }),
  'several classes': events.predict({
    label: nextWithin(['click', 'purchase'], '10s'),
    features,
    model: softmaxRegression({ optimizer: adaGrad() }),
  }),
} as const

const NOTHING: FeatureCounts = { extremeNumbers: 0, absentFeatures: 0, sharedTexts: 0, constantNumbers: 0 }
/** By what is wrong with the events: what each has, and what is counted of a thousand of them, none a purchase. */
const POISONS: Readonly<Record<string, readonly [(row: number) => Event, Partial<FeatureCounts>]>> = {
  'nothing is wrong': [(row) => ({ size: row % 7, kind: 'a' }), {}],
  'a number that never changes': [() => ({ size: 3, kind: 'a' }), { constantNumbers: 1 }],
  'one that changes once': [(row) => ({ size: row < 999 ? 3 : 4, kind: 'a' }), {}],
  'no numbers': [() => ({ size: null, kind: 'a' }), { absentFeatures: 1000 }],
  'no features at all': [() => ({}), { absentFeatures: 2000 }],
  'infinite numbers': [(row) => ({ size: row % 2 === 0 ? 1e308 : -1e308, kind: 'a' }), { absentFeatures: 1000 }],
  'huge numbers': [(row) => ({ size: row % 2 === 0 ? 1e100 : 1e-200, kind: 'a' }), { extremeNumbers: 500 }],
  'endless texts': [(row) => ({ size: row, kind: `k${row}` }), { sharedTexts: 1 }],
}

for (const [model, predicted] of Object.entries(MODELS)) {
  const plan = pipeline('p').query('q', predicted.modelMetrics().select())
  for (const [poison, [eventOf, counted]] of Object.entries(POISONS)) {
    test(`${model}, ${poison}: it is counted, also by a process that goes on, and every number is one`, () => {
      let run = new EngineRun(plan, 1)
      for (let minute = 0; minute < 10; minute++) {
        run.epoch([Array.from({ length: 100 }, (_, row) => eventAt(100 * minute + row, eventOf))])
        if (minute === 5) run = run.restored()
      }
      run.epoch([[]], { flush: true })
      for (const summary of run.engine.status().models) {
        const { extremeNumbers, absentFeatures, sharedTexts, constantNumbers } = summary
        assert.deepEqual({ extremeNumbers, absentFeatures, sharedTexts, constantNumbers }, { ...NOTHING, ...counted })
        assertSound(summary)
        assert.ok((summary.report?.updates ?? 0) > 900)
      }
    })
  }

  test(`${model}, a hundred thousand texts: those without a slot share one, and are counted`, () => {
    const run = new EngineRun(plan, 1)
    for (let from = 0; from < 100_000; from += 10_000) {
      const eventOf = (row: number): Event => ({ size: row % 5, kind: `k${row}` })
      run.epoch([Array.from({ length: 10_000 }, (_, row) => eventAt(from + row, eventOf))])
    }
    for (const summary of run.engine.status().models) {
      assert.equal(summary.sharedTexts, 100_000 - 999)
      assertSound(summary)
    }
  })
}

test('batches of one class for an hour are skipped and counted, and what came before stays', () => {
  const label = itself(eq(col('event_type'), 'purchase'))
  const predicted = events.predict({ label, features: ['volume'], model: compatModel() })
  const run = new EngineRun(pipeline('p').query('q', predicted.modelMetrics().select()), 1)
  const mixed = (row: number): Event => ({ size: row % 3, event_type: row % 3 === 0 ? 'purchase' : 'click' })
  run.epoch([Array.from({ length: 60 }, (_, row) => eventAt(row, mixed))])
  const minutes = 60
  for (let minute = 1; minute <= minutes; minute++) {
    run.epoch([Array.from({ length: 60 }, (_, row) => eventAt(60 * minute + row, () => ({ size: row })))])
  }
  const [summary] = run.engine.status().models
  assert.deepEqual([summary?.version, summary?.report?.counts.skippedBatches], [1, minutes])
})

/** One a second, a click of one of ten sessions unless it says otherwise. */
function eventAt(row: number, eventOf: (row: number) => Event): Event {
  return {
    event_time: 1_767_225_600_000 + 1000 * row,
    session_id: `s${row % 10}`,
    event_type: 'click',
    ...eventOf(row),
  }
}

function assertSound({ name, weights, intercept, report }: ModelSummary): void {
  const numbers = [...weights.map(({ weight }) => weight), intercept]
  assert.ok(numbers.every(Number.isFinite), `${name}: ${numbers}`)
  assert.ok(report && Number.isFinite(report.metrics.logLoss) && Number.isFinite(report.metrics.ece))
}
