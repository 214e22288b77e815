import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EngineRun } from '../../../test/support/events.ts'
import { shopClicks } from '../../../test/support/shop-clicks.ts'
import { Random } from '../../base/random.ts'
import {
  adaGrad,
  clickEvent,
  col,
  compatModel,
  count,
  elapsed,
  eq,
  hashed,
  itself,
  logisticRegression,
  logSource,
  nextWithin,
  oneHot,
  pipeline,
  purchaseWithin,
  type Query,
  sgd,
  softmaxRegression,
  stream,
  tumbling,
} from '../../index.ts'
import { toldClasses, toldPrediction } from '../../ml/told-prediction.ts'
import { classColumn } from '../../plan/model-fields.ts'
import { rowsOf } from '../../sinks/memory-sink.ts'
import type { EpochResults } from '../epoch.ts'

const events = stream(logSource('t'), clickEvent).withWatermark('event_time', '0s', { maxClockSkew: null })
const sessionFeatures = {
  by: 'session_id',
  window: tumbling('1 hour'),
  features: { clicks_in_session: count(), time_on_page: elapsed() },
} as const
const label = purchaseWithin('10 minutes')
const clicks = shopClicks(300, 1)

test('what a model says when it is asked is what it says to a row, and the sum of its parts', () => {
  const features = ['clicks_in_session', 'time_on_page', 'device'] as const
  const model = logisticRegression({
    optimizer: adaGrad(),
    classWeights: { positive: 4, negative: 1 },
    keepNegatives: 0.7,
    calibration: 0.02,
  })
  const predicted = events.withSessionFeatures(sessionFeatures).predict({ label, features, model })
  const run = new EngineRun(pipeline('p').query('q', predicted.select()), 1)
  let asked = 0
  for (const click of clicks) {
    const told = run.engine.status().models[0]
    assert.ok(told)
    for (const row of predictionsOf(run.epoch([[click]]))) {
      // What became known at the row's own time was learned after the question.
      if (row['model_version'] !== told.version) continue
      const { clicks_in_session, time_on_page, device } = row
      const given = { clicks_in_session: `${clicks_in_session}`, time_on_page: `${time_on_page}`, device: `${device}` }
      const { probability, logOdds, intercept, contributions, unknown } = toldPrediction(told, given)
      if (unknown.length > 0) continue
      asked++
      assert.ok(Math.abs(probability - Number(row['probability'])) < 1e-12, `${probability} ${row['probability']}`)
      const sum = contributions.reduce((total, one) => total + one.logOdds, intercept)
      assert.ok(Math.abs(sum - logOdds) < 1e-12)
    }
  }
  assert.ok(asked > 200, `${asked} questions`)
  const told = run.engine.status().models[0]
  assert.ok(told?.report && told.report.metrics.positives > 0)
  const { missing, unknown } = toldPrediction(told, { device: 'fridge', clicks_in_session: 'many', shoe_size: '44' })
  assert.deepEqual(missing, ['time_on_page'])
  assert.deepEqual(unknown, ['device', 'clicks_in_session', 'shoe_size'])
})

test('of several classes each has a probability that is the sum of its parts, and is judged against its own base rate', () => {
  const next = nextWithin(['page_view', 'cart_add', 'purchase'], '10 minutes')
  const features = ['clicks_in_session', 'time_on_page', 'device', oneHot('event_type')] as const
  const model = softmaxRegression({ optimizer: adaGrad() })
  const predicted = events.withSessionFeatures(sessionFeatures).predict({ label: next, features, model, name: 'next' })
  const plan = pipeline('p')
    .query('q', predicted.select())
    .query('metrics', predicted.modelMetrics().select())
    .query('weights', predicted.modelWeights().select())
  const run = new EngineRun(plan, 1)
  const many = shopClicks(3_000, 2)
  let asked = 0
  let last: EpochResults | undefined
  for (let from = 0; from < many.length; from += 10) {
    const told = run.engine.status().models
    last = run.epoch([many.slice(from, from + 10)])
    for (const row of predictionsOf(last)) {
      if (row['model_version'] !== told[0]?.version) continue
      const given = features.map((one) => (typeof one === 'string' ? one : one.column))
      const { classes, prediction } = toldClasses(told, Object.fromEntries(given.map((name) => [name, `${row[name]}`])))
      if (classes.some(({ unknown }) => unknown.length > 0)) continue
      asked++
      assert.equal(row['prediction'], prediction)
      assert.equal(row['probability'], Math.max(...classes.map(({ className }) => Number(row[classColumn(className)]))))
      for (const { className, probability } of classes) {
        assert.ok(Math.abs(probability - Number(row[classColumn(className)])) < 1e-12)
      }
    }
  }
  assert.ok(asked > 200, `${asked} questions`)
  const summaries = run.engine.status().models
  assert.deepEqual(
    summaries.map(({ name, model: of, className }) => [name, of, className]),
    ['page_view', 'cart_add', 'purchase', 'none'].map((name) => [`next/${name}`, 'next', name]),
  )
  for (const { name, report } of summaries)
    assert.ok(report && report.metrics.skill > 0, `${name}: ${report?.metrics.skill}`)
  const reported = [1, 2].map((index) => {
    const rows = last?.queries[index]?.append
    return rows ? [...new Set(rowsOf(rows).map((row) => row.get('class')))] : []
  })
  assert.deepEqual(reported, [
    ['page_view', 'cart_add', 'purchase', 'none'],
    ['page_view', 'cart_add', 'purchase', 'none'],
  ])
})

test('rows without a session are predicted and not learned; purchases are labels, no predictions', () => {
  const run = new EngineRun(queries(events.predict({ label, features: ['device'], by: 'session_id' }).select()), 1)
  const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString()
  const row = { event_type: 'click', user_id: 'u', device: 'mobile' }
  const results = run.epoch(
    [
      [
        { ...row, event_time: at(0) },
        { ...row, event_time: at(1), session_id: 's' },
        { ...row, event_time: at(2), session_id: 's', event_type: 'purchase', amount: 1 },
        { ...row, event_time: at(1000), session_id: 's' },
      ],
    ],
    { flush: true },
  )
  assert.equal(predictionsOf(results).length, 3)
  const model = run.engine.status().models[0]
  assert.deepEqual([model?.version, model?.waiting, model?.unlabelled], [1, 0, 1])
  assert.deepEqual([model?.report?.metrics.outcomes, model?.report?.metrics.positives], [1, 1])
})

test('a model may say which rows it is for, and have hashed features and texts with few values', () => {
  const features = [hashed('user_id', { buckets: 64, signed: true }), oneHot('device', 2)] as const
  const rows = eq(col('device'), 'mobile')
  const run = new EngineRun(queries(events.predict({ label, features, rows }).select()), 1)
  const predictions = predictionsOf(run.epoch([clicks], { flush: true }))
  assert.equal(predictions.length, clicks.filter(({ device }) => device === 'mobile').length)
  const names = run.engine.status().models[0]?.weights.map(({ name }) => name) ?? []
  assert.ok(names.includes('device=mobile') && names.some((name) => /^user_id#\d+$/.test(name)), names.join())
})

test('rows that come when as many wait as may are predicted, not learned, and counted', () => {
  const run = new EngineRun(queries(events.predict({ label, features: ['device'], waitingMax: 10 }).select()), 1)
  const predictions = predictionsOf(run.epoch([clicks], { flush: true }))
  assert.equal(predictions.length, clicks.filter(({ event_type }) => event_type !== 'purchase').length)
  const model = run.engine.status().models[0]
  assert.ok(model && model.version > 0 && model.leftOut > 0)
  assert.equal(model.version + model.leftOut + model.unlabelled, predictions.length)
})

test('the source system, as it was: a label that is known at once, a full fit, a step per batch', () => {
  const rows = events.withSessionFeatures({ ...sessionFeatures, mode: 'compat' })
  const features = ['clicks_in_session', 'time_on_page'] as const
  const predicted = rows.predict({ label: itself(eq(col('event_type'), 'purchase')), features, model: compatModel() })
  const run = new EngineRun(queries(predicted.modelMetrics().select()), 1)
  const random = new Random(1)
  const versions: unknown[] = []
  for (let from = 0; from < clicks.length; ) {
    const end = from + 100 + random.below(100)
    versions.push(...predictionsOf(run.epoch([clicks.slice(from, end)])).map((row) => row['model_version']))
    from = end
  }
  versions.push(...predictionsOf(run.epoch([[]], { flush: true })).map((row) => row['model_version']))
  // Rows come out by whole windows, so most epochs bring none; each that does is one step.
  assert.deepEqual(
    versions,
    [...versions.keys()].map((step) => step + 1),
  )
  assert.ok(versions.length >= 1)
})

test('who goes on from a checkpoint has the champion, what has happened, metrics and weights at once, as they stood', () => {
  const plan = queries(contested().select())
  let run = new EngineRun(plan, 1)
  const many = shopClicks(2_000, 4)
  for (let from = 0; from < many.length; from += 500) {
    run.epoch([many.slice(from, from + 500)])
    const before = run.engine.status().models
    run = run.restored()
    const known = before.map((model) => ({ ...model, report: model.report && { ...model.report, outcomes: 0 } }))
    assert.deepEqual(run.engine.status().models, known)
  }
  const { models } = run.engine.status()
  assert.deepEqual(
    models.map(({ name, role }) => [name, role]),
    [
      ['model', 'challenger'],
      ['model/eager', 'champion'],
    ],
  )
  assert.deepEqual(
    models.map(({ events }) => events.map(({ kind }) => kind)),
    [[], ['promotion']],
  )
})

test('the champion of a checkpoint answers each row as it would have without a restart', () => {
  const plan = queries(contested().select())
  const many = shopClicks(2_000, 4)
  const promoted = 3_000
  const [straight, restarted] = [new EngineRun(plan, 1), new EngineRun(plan, 1)]
  for (const run of [straight, restarted]) run.epoch([many.slice(0, promoted)])
  const rest = [many.slice(promoted)]
  const expected = predictionsOf(straight.epoch(rest))
  assert.ok(expected.length > 1_000)
  assert.deepEqual(predictionsOf(restarted.restored().epoch(rest)), expected)
})

/** A model that learns nothing to speak of beside one that is surely better within a thousand outcomes. */
function contested() {
  return events.predict({
    label,
    features: [oneHot('event_type'), 'device'],
    model: logisticRegression({ optimizer: sgd(1e-6), drift: null, guardOutcomes: null }),
    challengers: { eager: logisticRegression({ optimizer: adaGrad(), drift: null, guardOutcomes: null }) },
    promoteAfter: 1000,
  })
}

function queries(query: Query) {
  return pipeline('p').query('q', query)
}

function predictionsOf(results: EpochResults): Record<string, unknown>[] {
  const rows = results.queries[0]?.append
  return rows ? rowsOf(rows).map((row) => Object.fromEntries(row)) : []
}
