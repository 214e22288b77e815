// Page views and visitors per hour and page of a web log:
//   millrace run examples/web-log.ts --input access.ndjson.gz --once --print page_views

import {
  count,
  countDistinct,
  defineSchema,
  jsonLines,
  logSource,
  type Pipeline,
  pipeline,
  stream,
  text,
  timestamp,
  tumbling,
} from 'millrace'

const request = defineSchema({
  event_time: timestamp({ required: true }),
  user_id: text({ required: true, cardinality: 'high' }),
  page_url: text({ required: true }),
})

const pageViews = stream(logSource('web-log'), request)
  .withWatermark('event_time', '2 minutes')
  .groupBy('page_url')
  .window(tumbling('1 hour'))
  .aggregate({ pageviews: count(), visitors: countDistinct('user_id') })

const webLog: Pipeline = pipeline('web-log').query('page_views', pageViews, [jsonLines('out/page_views')])

export default webLog
