// What is looked at while it happens: pages in tables, and every event in files, one for each epoch.

import {
  count,
  defineSchema,
  duckdb,
  jsonLines,
  logSource,
  type Pipeline,
  pipeline,
  postgres,
  stream,
  text,
  timestamp,
  tumbling,
} from '../../src/index.ts'

const schema = defineSchema({ at: timestamp({ format: 'epoch-ms', required: true }), page: text(), user: text() })
const events = stream(logSource('events'), schema).withWatermark('at', '1 second')
const pages = events.groupBy('page').window(tumbling('10 seconds')).aggregate({ events: count() })

const live: Pipeline = pipeline('live')
  .query('pages', pages, [postgres('pages', { mode: 'update' }), duckdb('pages', { mode: 'update' })])
  .query('raw', events.select(), [jsonLines('raw')])

export default live
