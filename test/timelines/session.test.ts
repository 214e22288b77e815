import {
  col,
  count,
  defineSchema,
  eq,
  logSource,
  type Query,
  type SessionOptions,
  session,
  stream,
  text,
  timestamp,
} from '../../src/index.ts'
import { timeline } from '../support/timeline/timeline.ts'

timeline(
  'an event exactly one gap after the last one belongs to the session, one a millisecond later begins the next',
  sessions('0s'),
  `
  00:00:00      u1 view
  00:00:30      u1 view
  00:01:00.001  u1 view  -> [00:00, 00:00:30] 30000 u1 2
  end                    -> [00:01:00.001, 00:01:00.001] 0 u1 1
`,
)

timeline(
  'an event that lies within the gap of two sessions makes them one',
  sessions('1 minute'),
  `
  00:00:00  u1 view
  00:01:00  u1 view
  00:00:30  u1 view
  00:00:20  u2 view
  00:03:00  u1 view  -> [00:00, 00:01] 60000 u1 3
                     -> [00:00:20, 00:00:20] 0 u2 1
  end                -> [00:03, 00:03] 0 u1 1
`,
)

timeline(
  'an event is late by its own time, though its session is still open',
  sessions('10s'),
  `
  00:00:10  u1 view
  00:00:30  u1 view
  00:00:20  u1 view  -> late
  00:00:21  u1 view
  00:01:09.999  u2 view
  00:01:10  u2 view  -> [00:00:10, 00:00:30] 20000 u1 3
  end                -> [00:01:09.999, 00:01:10] 1 u2 2
`,
)

timeline(
  'a session that has become too long closes at the end of the epoch, and what would open it again is late',
  sessions('10 minutes', { maxDuration: '1 minute' }),
  `
  01:00:00  u1 view
  01:00:20  u1 view
  01:00:40  u1 view
  epoch
  01:01:00  u1 view
  epoch
  01:01:20  u1 view
  epoch                  -> [01:00, 01:01:20] 80000 u1 5
  01:01:20  u1 view      -> late
  01:00:50  u1 view      -> late
  01:00:50  u2 view
  00:59:30  u1 view      -> late
  00:59:29.999  u1 view
  01:01:20.001  u1 view
  epoch
  01:00:51  u1 view      -> late
  epoch
  end                    -> [00:59:29.999, 00:59:29.999] 0 u1 1
                         -> [01:00:50, 01:00:50] 0 u2 1
                         -> [01:01:20.001, 01:01:20.001] 0 u1 1
`,
)

timeline(
  'a session with too many events closes early as well',
  sessions('10 minutes', { maxEvents: 2 }),
  `
  01:00:00  u1 view
  01:00:01  u1 view
  epoch
  01:00:02  u1 view
  01:00:03  u1 view
  epoch              -> [01:00, 01:00:03] 3000 u1 4
  01:00:02  u1 view  -> late
  01:00:04  u1 view
  epoch
  end                -> [01:00:04, 01:00:04] 0 u1 1
`,
)

timeline(
  'an event that says so ends its session, unless a later event has overtaken it by the end of the epoch',
  sessions('10 minutes', { endWhen: eq(col('kind'), 'bye') }),
  `
  01:00:00  u1 view
  01:00:10  u1 bye
  epoch              -> [01:00, 01:00:10] 10000 u1 2
  01:00:05  u1 view  -> late
  01:00:20  u1 view
  epoch
  01:00:30  u1 bye
  01:00:40  u1 view
  epoch
  01:00:09  u1 view  -> late
  01:20:00  u2 view
  epoch              -> [01:00:20, 01:00:40] 20000 u1 3
  01:10:00  u1 view  -> late
  01:10:01  u1 view
  epoch
  end                -> [01:10:01, 01:10:01] 0 u1 1
                     -> [01:20, 01:20] 0 u2 1
`,
)

timeline(
  'update takes back what it has shown when a session begins earlier or becomes part of another one',
  sessions('10 minutes'),
  `
  01:00:30  u1 view  -> [01:00:30, 01:00:30] 0 u1 1
  01:00:10  u1 view  -> [01:00:30, null] null u1 null deleted
                     -> [01:00:10, 01:00:30] 20000 u1 2
  01:01:20  u1 view  -> [01:01:20, 01:01:20] 0 u1 1
  01:00:55  u1 view  -> [01:01:20, null] null u1 null deleted
                     -> [01:00:10, 01:01:20] 70000 u1 4
  end                -> [01:00:10, 01:01:20] 70000 u1 4 final
`,
  { mode: 'update' },
)

function sessions(delay: string, options: SessionOptions = {}): Query {
  const schema = defineSchema({
    at: timestamp({ format: 'epoch-ms' }),
    user: text({ cardinality: 'high' }),
    kind: text(),
  })
  return stream(logSource('visits'), schema)
    .withWatermark('at', delay)
    .groupBy('user')
    .window(session('30s', options))
    .aggregate({ views: count() })
}
