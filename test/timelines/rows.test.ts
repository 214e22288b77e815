// Steps that deal with rows one by one: dedupe, select, session features.

import {
  col,
  count,
  defineSchema,
  elapsed,
  eq,
  logSource,
  pipeline,
  type Query,
  rowProperty,
  stream,
  text,
  timestamp,
  tumbling,
} from '../../src/index.ts'
import { timeline } from '../support/timeline/timeline.ts'
import { minutes, visits } from '../support/timeline/visits.ts'

const events = defineSchema({ at: timestamp({ format: 'epoch-ms' }), id: text({ cardinality: 'unique' }) })
const once: Query = stream(logSource('events'), events)
  .withWatermark('at', '1 minute')
  .dedupe('id', { within: '10 minutes' })
  .window(tumbling('1 minute'))
  .aggregate({ events: count() })

timeline(
  'a repeat counts once, an id that is null is no repeat, and what could be a forgotten repeat is late',
  once,
  `
  00:00:05  e1
  00:00:20  e1    -> duplicate
  00:00:30  null
  00:00:40  null
  epoch
  00:01:05  e2
  00:01:10  e1    -> duplicate
  00:02:00  e3
  epoch           -> [00:00, 00:01) 3
  00:00:50  e4    -> late
  00:00:55  e4    -> duplicate
  00:02:59  e2    -> duplicate
  00:20:00  e5
  epoch           -> [00:01, 00:02) 1
                  -> [00:02, 00:03) 1
  00:09:00  e6    -> late
  00:20:01  e1
  00:20:02  e5    -> duplicate
  epoch
  end             -> [00:20, 00:21) 2
`,
)

timeline(
  'a repeat is one in its own partition only, where that was asked for',
  stream(logSource('events'), events, { keyed: true })
    .withWatermark('at', '1 minute')
    .dedupe('id', { within: '10 minutes', scope: 'partition' })
    .window(tumbling('1 minute'))
    .aggregate({ events: count() }),
  `
  partition 0
  00:00:05  e1
  00:00:20  e1    -> duplicate
  partition 1
  00:00:30  e1
  00:00:35  e2
  00:00:40  e1    -> duplicate
  epoch
  partition 0
  00:00:50  e2
  00:01:10  e1    -> duplicate
  partition 3
  00:01:20  e1
  epoch
  partition 1
  00:01:25  e2    -> duplicate
  end             -> [00:00, 00:01) 4
                  -> [00:01, 00:02) 1
`,
)

const watched = visits().withWatermark('at', '0s')

timeline(
  'a query without windows gets every row, with a word on whether windows refused it',
  pipeline('raw')
    .query('counts', minutes(watched.groupBy('page')))
    .query('raw', watched.select({ at: 'at', page: 'page', late: rowProperty('late') })),
  `
  00:00:05  /a  -> raw: row 00:00:05 /a false
  00:01:00  /a  -> raw: row 00:01 /a false
                -> counts: [00:00, 00:01) /a 1
  00:00:07  /b  -> raw: row 00:00:07 /b true
                -> counts: late
                -> late
  end           -> counts: [00:01, 00:02) /a 1
`,
)

timeline(
  'features of a session are what was known when the event happened, whatever came before it in the input',
  features('past'),
  `
  00:00:10  s1 click
  00:00:05  s1 view
  00:00:30  s2 click
  00:01:20  s1 click  -> row 00:00:05 s1 0 0
                      -> row 00:00:10 s1 1 5
  00:00:20  s1 view   -> late
  00:05:00  s1 click  -> row 00:00:30 s2 1 0
                      -> row 00:01:20 s1 2 75
  end                 -> row 00:05 s1 1 0
`,
)

timeline(
  'in compat mode an event knows its whole window, what comes after it included',
  features('compat'),
  `
  00:00:10  s1 click
  00:04:00  s1 click
  00:05:59  s1 click
  00:06:30  s1 view   -> row 00:00:10 s1 2 230
                      -> row 00:04 s1 2 230
  end                 -> row 00:05:59 s1 1 31
                      -> row 00:06:30 s1 1 31
`,
)

function features(mode: 'past' | 'compat'): Query {
  const clicks = defineSchema({ at: timestamp({ format: 'epoch-ms' }), session: text(), kind: text() })
  return stream(logSource('clicks'), clicks)
    .withWatermark('at', '1 minute')
    .withSessionFeatures({
      by: 'session',
      window: tumbling('5 minutes'),
      features: { clicks: count().where(eq(col('kind'), 'click')), seconds: elapsed() },
      mode,
    })
    .select({ at: 'at', session: 'session', clicks: 'clicks', seconds: 'seconds' })
}
