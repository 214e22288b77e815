import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { clickEvent } from '../event/click-event.ts'
import { adam, adwin, compatModel, ddm, kswin, logisticRegression, sgd, softmaxRegression } from '../ml/model-spec.ts'
import { count, elapsed } from './aggregate.ts'
import { checkPlan } from './check.ts'
import { logSource } from './connectors.ts'
import { explainPlan } from './explain.ts'
import { col, eq, gt } from './expression.ts'
import type { SessionFeaturesNode } from './node.ts'
import { pipeline } from './pipeline.ts'
import { planFromJson, planToJson } from './plan-codec.ts'
import { hashed, itself, nextWithin, oneHot, purchaseWithin } from './predict.ts'
import { resultFields } from './result-schema.ts'
import { type Query, stream } from './stream.ts'
import { tumbling } from './window.ts'

const source = stream(logSource('events'), clickEvent)
const events = source.withWatermark('event_time', '2 minutes')
const label = purchaseWithin('30 minutes')
const purchases = itself(eq(col('event_type'), 'purchase'))

describe('a model', () => {
  test('adds columns for what follows, and tells about itself in queries of their own', () => {
    const predicted = withFeatures('past').predict({
      label,
      features: ['clicks_in_session', oneHot('device'), 'amount'],
    })
    assert.deepEqual(problemsOf(predicted.where(gt(col('probability'), 0.5)).select({ p: 'probability' })), [])
    const metrics = predicted
      .modelMetrics()
      .where(gt(col('skill'), 0))
      .select({ at: 'as_of', skill: 'skill', auc: 'auc' })
    assert.deepEqual(problemsOf(metrics), [])
    assert.deepEqual(problemsOf(predicted.modelWeights().select()), [])
    assert.deepEqual(problemsOf(predicted.modelWeights().select({ x: 'probability' })), [
      'queries.q.select.x: there is no column "probability"',
    ])
    const names = pipeline('p').query('q', predicted.modelWeights().select()).queries.flatMap(resultFields)
    assert.deepEqual(
      names.map(({ name }) => name),
      ['as_of', 'model_version', 'model', 'role', 'class', 'feature', 'weight'],
    )
  })

  test('of several classes adds the likeliest one and the probability of each', () => {
    const next = nextWithin(['page_view', 'purchase'], '5 minutes')
    const query = events.predict({ label: next, features: ['device'] }).select({ p: 'probability_purchase' })
    assert.deepEqual(problemsOf(query), [])
    const all = events.predict({ label: next, features: ['device'] }).select()
    assert.deepEqual(
      pipeline('p')
        .query('q', all)
        .queries.flatMap(resultFields)
        .map(({ name }) => name)
        .slice(-6),
      [
        'prediction',
        'probability',
        'probability_page_view',
        'probability_purchase',
        'probability_none',
        'model_version',
      ],
    )
    assert.deepEqual(planFromJson(planToJson(pipeline('p').query('q', all))).queries[0]?.root, all.root)
    assert.match(
      explainPlan(pipeline('p').query('q', all)),
      /next event_type of page_view, purchase within 5m.*softmax regression, sgd, numbers scaled, learns row by row/s,
    )
  })

  test('of several classes has classes that can be told apart, and is for such labels only', () => {
    const model = logisticRegression()
    const wrong = nextWithin(['none', 'a b', 'x', 'x'], '1m', { column: 'amount' })
    assert.deepEqual(problemsOf(events.predict({ label: wrong, features: ['device'], model }).select()).slice(0, 5), [
      'queries.q.predict.label.column: a class "amount", which is decimal',
      'queries.q.predict.label.classes: there is another class "none"',
      'queries.q.predict.label.classes: "a b" is not a name',
      'queries.q.predict.label.classes: there is another class "x"',
      'queries.q.predict.model: logistic regression for a label that has classes',
    ])
    const softmax = events.predict({ label, features: ['device'], model: softmaxRegression() }).select()
    assert.deepEqual(problemsOf(softmax), [
      'queries.q.predict.model: softmax regression for a label that is true or false',
    ])
  })

  test('needs a watermark before it, and nothing that looks at time behind it', () => {
    assert.deepEqual(problemsOf(source.predict({ label, features: ['amount'] }).select()), [
      'queries.q.predict: its memory would grow for ever: no watermark comes before it',
    ])
    const predicted = events.predict({ label, features: ['amount'] })
    assert.deepEqual(problemsOf(predicted.window(tumbling('1m')).aggregate({ n: count() })), [
      'queries.q: a window follows predict',
    ])
    assert.deepEqual(problemsOf(predicted.predict({ label, features: ['price'] }).select()), [
      'queries.q.predict: the query has 2 steps of predict',
      'queries.q: predict follows predict',
    ])
    const orphan = JSON.parse(planToJson(pipeline('p').query('q', predicted.modelMetrics().select())))
    orphan.queries[0].root.input.input = orphan.queries[0].root.input.input.input
    assert.deepEqual(
      checkPlan(orphan).map(({ path, message }) => `${path}: ${message}`),
      ['queries.q: a report on a model that does not stand before it'],
    )
  })

  test('waits for no label with features that see the future', () => {
    const features = ['clicks_in_session', 'time_on_page'] as const
    assert.deepEqual(problemsOf(withFeatures('compat').predict({ label, features }).select()), [
      'queries.q.predict: a label that comes later, for features that see the future',
    ])
    const compat = withFeatures('compat').predict({ label: purchases, features, model: compatModel() })
    assert.deepEqual(problemsOf(compat.select()), [])
  })

  test('takes numbers and texts, within limits', () => {
    const wrong = events.predict({
      by: 'props',
      name: 'no name',
      label: purchaseWithin('0s'),
      features: ['event_time', oneHot('amount'), oneHot('device', 1), hashed('page_url', { buckets: 1000 }), 'device'],
      model: logisticRegression({
        optimizer: adam(0),
        keepNegatives: 2,
        drift: kswin(2),
        scoreDrift: ddm(),
        metricsWindow: 2.5,
        calibrationBound: 10,
      }),
      waitingMax: 0,
    })
    assert.deepEqual(problemsOf(wrong.select()), [
      'queries.q.predict.by: rows about a "props", which is json',
      'queries.q.predict.name: "no name" is not a name',
      'queries.q.predict.label: within is 0 ms',
      'queries.q.predict.features.event_time: a feature "event_time", which is timestamp',
      'queries.q.predict.features.amount: a feature "amount", which is decimal',
      'queries.q.predict.features.device: valuesMax is 1',
      'queries.q.predict.features.page_url: buckets is 1000',
      'queries.q.predict.features.device: there is another feature "device"',
      'queries.q.predict: waitingMax is 0',
      'queries.q.predict.model.optimizer: rate is 0',
      'queries.q.predict.model: keepNegatives is 2',
      'queries.q.predict.model: metricsWindow is 2.5',
      'queries.q.predict.model: calibrationBound is 10',
      'queries.q.predict.model.drift: alpha is 2',
      'queries.q.predict.model.scoreDrift: ddm watches wrong answers',
    ])
    const batches = logisticRegression({ fromBaseRate: true, learning: 'batch' })
    assert.deepEqual(problemsOf(events.predict({ label, features: ['device'], model: batches }).select()), [
      'queries.q.predict.model: fromBaseRate with a model that learns by batches',
    ])
    const large = events.predict({ label, features: [hashed('page_url')], model: compatModel() })
    assert.deepEqual(problemsOf(large.select()), ['queries.q.predict.model: a full fit of up to 262144 weights'])
  })

  test('comes back from JSON, and is explained', () => {
    const model = logisticRegression({ optimizer: sgd(0.1), scoreDrift: adwin() })
    const predicted = withFeatures('past').predict({ label, features: ['time_on_page', hashed('page_url')], model })
    const plan = pipeline('p').query('q', predicted.select({ p: 'probability' }))
    assert.equal(planToJson(planFromJson(planToJson(plan))), planToJson(plan))
    const lines = explainPlan(plan).split('\n')
    const at = lines.findIndex((line) => line.includes('predict by model'))
    assert.deepEqual(
      lines.slice(at, at + 5).map((line) => line.replace(/^[│├└─ ]+/, '')),
      [
        'predict by model model, by session_id',
        "label  event_type = 'purchase' within 30m, learned when that time is over",
        'features  time_on_page, page_url hashed',
        'logistic regression, sgd, numbers scaled, learns row by row',
        'watched by adwin, what it says by adwin, 1000000 rows wait for labels at most',
      ],
    )
  })
})

function withFeatures(mode: SessionFeaturesNode['mode']) {
  const features = { clicks_in_session: count(), time_on_page: elapsed() }
  return events.withSessionFeatures({ by: 'session_id', window: tumbling('5 minutes'), features, mode })
}

function problemsOf(query: Query): string[] {
  return checkPlan(pipeline('p').query('q', query)).map(({ path, message }) => `${path}: ${message}`)
}
