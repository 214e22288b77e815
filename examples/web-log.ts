// Page views, visitors and sessions of a web log:
//   millrace run examples/web-log.ts --input access.ndjson.gz --once --print sessions

import {
  count,
  countDistinct,
  defineSchema,
  jsonLines,
  logSource,
  type Pipeline,
  pipeline,
  session,
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

const requests = stream(logSource('web-log'), request).withWatermark('event_time', '2 minutes')

const pageViews = requests
  .groupBy('page_url')
  .window(tumbling('1 hour'))
  .aggregate({ pageviews: count(), visitors: countDistinct('user_id') })

const hourlyVisitors = requests
  .window(tumbling('1 hour'))
  .aggregate({ pageviews: count(), visitors: countDistinct('user_id') })

const sessions = requests.groupBy('user_id').window(session('30 minutes')).aggregate({ events: count() })

const webLog: Pipeline = pipeline('web-log')
  .query('page_views', pageViews, [jsonLines('out/page_views')])
  .query('hourly_visitors', hourlyVisitors, [jsonLines('out/hourly_visitors')])
  .query('sessions', sessions, [jsonLines('out/sessions')])

export default webLog
