// Which sessions are about to buy? A model that learns while clicks come, judged beside the base rate:
//   millrace run examples/purchase-model.ts --input clicks.ndjson --once --print model_metrics --format table

import {
  adaGrad,
  clickEvent,
  clickEventRules,
  col,
  count,
  elapsed,
  eq,
  jsonLines,
  logisticRegression,
  logSource,
  type Pipeline,
  pipeline,
  purchaseWithin,
  stream,
  tumbling,
} from 'millrace'

const clicks = stream(logSource('clickstream'), clickEvent, { rules: clickEventRules })
  .withWatermark('event_time', '30s')
  .withSessionFeatures({
    by: 'session_id',
    window: tumbling('1 hour'),
    features: {
      clicks_in_session: count(),
      time_on_page: elapsed(),
      carts: count().where(eq(col('event_type'), 'cart_add')),
    },
  })

const predicted = clicks.predict({
  name: 'purchase',
  label: purchaseWithin('10 minutes'),
  features: ['clicks_in_session', 'time_on_page', 'carts', 'device'],
  model: logisticRegression({ optimizer: adaGrad(0.1) }),
})

const purchaseModel: Pipeline = pipeline('purchase-model')
  .query('predictions', predicted.select({ at: 'event_time', session_id: 'session_id', probability: 'probability' }), [
    jsonLines('out/predictions'),
  ])
  .query('model_metrics', predicted.modelMetrics().select(), [jsonLines('out/model_metrics')])
  .query('model_weights', predicted.modelWeights().select(), [jsonLines('out/model_weights')])

export default purchaseModel
