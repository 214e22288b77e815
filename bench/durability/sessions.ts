// A session for each user that stays open.

import {
  count,
  defineSchema,
  jsonLines,
  logSource,
  type Pipeline,
  pipeline,
  session,
  stream,
  text,
  timestamp,
} from '../../src/index.ts'

const schema = defineSchema({
  at: timestamp({ format: 'epoch-ms', required: true }),
  user: text({ cardinality: 'high' }),
})

const sessions: Pipeline = pipeline('sessions').query(
  'sessions',
  stream(logSource('events'), schema)
    .withWatermark('at', '2 minutes', { maxClockSkew: null })
    .groupBy('user')
    .window(session('30 minutes'))
    .aggregate({ events: count() }),
  [jsonLines('sessions')],
)

export default sessions
