import {
  clickEvent,
  clickEventRules,
  hashed,
  logisticRegression,
  logSource,
  oneHot,
  type Pipeline,
  pipeline,
  purchaseWithin,
  stream,
} from '../../src/index.ts'

/** A model with hashed and one-hot texts whose labels come a minute later, and what it says about itself. */
export function modelPipeline(): Pipeline {
  const predicted = stream(logSource('events'), clickEvent, { rules: clickEventRules })
    .withWatermark('event_time', '2 seconds', { maxClockSkew: null })
    .predict({
      label: purchaseWithin('1 minute'),
      features: [hashed('page_url'), hashed('user_id'), oneHot('device'), oneHot('browser'), oneHot('country')],
      model: logisticRegression({ l2: 0.0001 }),
    })
  return pipeline('bench')
    .query('model_metrics', predicted.modelMetrics().select())
    .query('model_weights', predicted.modelWeights().select())
}
