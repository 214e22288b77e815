import {
  adaGrad,
  col,
  compatModel,
  count,
  onlineModel as dialect,
  elapsed,
  eq,
  inverseScaling,
  itself,
  jsonLines,
  logisticRegression,
  logSource,
  type Pipeline,
  pipeline,
  purchaseWithin,
  stream,
  sum,
  tumbling,
} from '../index.ts'
import type { Preset, PresetSettings } from './preset.ts'

const SETTINGS: PresetSettings = {
  topic: 'clickstream_v2',
  from: 'earliest',
  'watermark-delay': '10 seconds',
  trigger: '10 seconds',
  output: 'output',
  model: 'honest',
}

/** A model of purchases that learns while clicks come, what it was given, and purchases per user. (A1-A5, A16, A19-A23) */
export const onlineModel: Preset = {
  name: dialect.name,
  description: 'a model of purchases that learns while clicks come, and purchases per user',
  dialect,
  settings: SETTINGS,
  profiles: { loadtest: { topic: 'clickstream_loadtest', from: 'latest' } },
  build,
}

/**
 * honest   each click is told what was known of its session when it happened; learned is whether the session buys in the minute after it
 * compat   as the source system: features over the whole window as far as the batch has it, learned is whether the event is a purchase;
 *          a full fit of the first batch, then one step per batch
 */
function build(changes: Partial<PresetSettings> = {}): Pipeline {
  const { topic, output, 'watermark-delay': delay, model } = { ...SETTINGS, ...changes }
  const events = stream(logSource(topic), dialect.schema, { rules: dialect.rules })
    .derive({ url: col('page_url'), action: col('event_type'), timestamp: col('event_time') })
    .withWatermark('event_time', delay)
  const isPurchase = eq(col('action'), 'purchase')

  // A tumbling window of a day rather than one for ever, so that each result is final and can be written to files.
  const purchases = events
    .where(isPurchase)
    .groupBy('user_id')
    .window(tumbling('1 day'))
    .aggregate({ purchases: count(), total_amount: sum('amount') })
  const compat = model === 'compat'
  const featured = events.withSessionFeatures({
    by: 'session_id',
    window: tumbling('5 minutes'),
    features: { clicks_in_session: count(), time_on_page: elapsed() },
    mode: compat ? 'batch' : 'past',
  })
  const predicted = featured.predict({
    name: 'purchase',
    features: ['clicks_in_session', 'time_on_page'],
    ...(compat
      ? { label: itself(isPurchase), model: compatModel() }
      : {
          label: purchaseWithin('1 minute'),
          model: logisticRegression({
            optimizer: adaGrad(),
            l2: 0.01,
            interceptRate: inverseScaling(0.01, 0.5),
            fromBaseRate: true,
            metricsWindow: METRICS_WINDOW,
            guardOutcomes: METRICS_WINDOW / 5,
          }),
        }),
  })
  const event = {
    timestamp: 'timestamp',
    user_id: 'user_id',
    session_id: 'session_id',
    url: 'url',
    action: 'action',
    amount: 'amount',
    clicks_in_session: 'clicks_in_session',
    time_on_page: 'time_on_page',
  } as const

  return pipeline(dialect.name)
    .query('purchases_per_user', purchases, [jsonLines(`${output}/purchases_per_user`)])
    .query('features', featured.select({ ...event, label: isPurchase }), [jsonLines(`${output}/features`)])
    .query('predictions', predicted.select({ ...event, probability: 'probability', model_version: 'model_version' }), [
      jsonLines(`${output}/predictions`),
    ])
    .query('model_metrics', predicted.modelMetrics().select(), [jsonLines(`${output}/model_metrics`)])
    .query('model_weights', predicted.modelWeights().select(), [jsonLines(`${output}/model_weights`)])
}

/** Purchases are rare: fewer outcomes would have too few of them to tell skill from luck. */
const METRICS_WINDOW = 50_000
