import { count, type Query, sliding } from '../../src/index.ts'
import { timeline } from '../support/timeline/timeline.ts'
import { visits } from '../support/timeline/visits.ts'

timeline(
  'a row counts in each of its windows, and a late one only in those that are still open',
  twoMinutes('0s'),
  `
  01:00:30  /a
  epoch
  01:01:30  /a
  epoch         -> [00:59, 01:01) /a 1
  01:00:45  /a
  epoch
  01:02:00  /a
  epoch         -> [01:00, 01:02) /a 3
  01:01:59  /a
  01:00:50  /a  -> late
  epoch
  end           -> [01:01, 01:03) /a 3
                -> [01:02, 01:04) /a 1
`,
)

timeline(
  'every window has its own groups, and one that nothing is in gives no row',
  twoMinutes('0s'),
  `
  01:00:00  /a
  01:01:00  /b  -> [00:59, 01:01) /a 1
  01:09:00  /a  -> [01:00, 01:02) /a 1
                -> [01:00, 01:02) /b 1
                -> [01:01, 01:03) /b 1
  end           -> [01:08, 01:10) /a 1
                -> [01:09, 01:11) /a 1
`,
)

timeline(
  'windows whose size is no multiple of the slide begin at multiples of the slide',
  visits().withWatermark('at', '0s').window(sliding('70s', '30s')).aggregate({ views: count() }),
  `
  01:00:00  /a
  01:00:09  /a
  01:00:10  /a  -> [00:59, 01:00:10) 2
  01:02:00  /a  -> [00:59:30, 01:00:40) 3
                -> [01:00, 01:01:10) 3
  end           -> [01:01, 01:02:10) 1
                -> [01:01:30, 01:02:40) 1
                -> [01:02, 01:03:10) 1
`,
)

timeline(
  'update shows each open window that a row has changed',
  twoMinutes('1 minute'),
  `
  01:00:30  /a  -> [00:59, 01:01) /a 1
                -> [01:00, 01:02) /a 1
  01:01:30  /a  -> [01:00, 01:02) /a 2
                -> [01:01, 01:03) /a 1
  01:02:00  /b  -> [00:59, 01:01) /a 1 final
                -> [01:01, 01:03) /b 1
                -> [01:02, 01:04) /b 1
  end           -> [01:00, 01:02) /a 2 final
                -> [01:01, 01:03) /a 1 final
                -> [01:01, 01:03) /b 1 final
                -> [01:02, 01:04) /b 1 final
`,
  { mode: 'update' },
)

function twoMinutes(delay: string): Query {
  return visits()
    .withWatermark('at', delay)
    .groupBy('page')
    .window(sliding('2 minutes', '1 minute'))
    .aggregate({ views: count() })
}
