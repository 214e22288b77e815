// What `npm run bench -- end-to-end` runs, as a user would write it: views of pages in sliding windows, devices, and what each visitor does.

import {
  clickEvent,
  count,
  countDistinct,
  jsonLines,
  logSource,
  type Pipeline,
  pipeline,
  sliding,
  stream,
  tumbling,
} from 'millrace'

const events = stream(logSource('events'), clickEvent).withWatermark('event_time', '10 minutes')

const pageViews = events.groupBy('page_url').window(sliding('5 minutes', '1 minute')).aggregate({ events: count() })

const devices = events.groupBy('device', 'browser').window(tumbling('5 minutes')).aggregate({ events: count() })

const visitors = events
  .groupBy('user_id')
  .window(tumbling('5 minutes'))
  .aggregate({ events: count(), pages: countDistinct('page_url') })

const endToEnd: Pipeline = pipeline('end-to-end')
  .query('page_views', pageViews, [jsonLines('page_views')])
  .query('devices', devices, [jsonLines('devices')])
  .query('visitors', visitors, [jsonLines('visitors')])

export default endToEnd
