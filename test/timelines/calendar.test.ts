import { count, global, tumbling } from '../../src/index.ts'
import { timeline } from '../support/timeline/timeline.ts'
import { minutes, visits } from '../support/timeline/visits.ts'

// 2087:00 is 2026-03-28T23:00Z, midnight in Berlin; 7126:00 is 2026-10-24T22:00Z.
const berlin = visits()
  .withWatermark('at', '0s')
  .groupBy('page')
  .window(tumbling('1 day', { timeZone: 'Europe/Berlin' }))
  .aggregate({ views: count() })

timeline(
  'the day on which clocks go forward has 23 hours',
  berlin,
  `
  2087:00     /a
  2109:59:59  /a
  2110:00     /a  -> [2087:00, 2110:00) /a 2
  2109:59:59  /a  -> late
  2133:59     /a
  2134:00     /a  -> [2110:00, 2134:00) /a 2
  end             -> [2134:00, 2158:00) /a 1
`,
)

timeline(
  'the day on which clocks go back has 25 hours',
  berlin,
  `
  7125:59:59  /a
  7126:00     /a  -> [7102:00, 7126:00) /a 1
  7150:59:59  /b
  7151:00     /a  -> [7126:00, 7151:00) /a 1
                  -> [7126:00, 7151:00) /b 1
  end             -> [7151:00, 7175:00) /a 1
`,
)

timeline(
  'a window over all time never closes, and nothing is late for it',
  visits().withWatermark('at', '0s').groupBy('page').window(global()).aggregate({ views: count() }),
  `
  00:09:00  /a    -> row /a 1
  00:00:01  /a    -> row /a 2
  00:00:02  /b    -> row /b 1
  00:05:00  null  -> row null 1
  end             -> row /a 2 final
                  -> row /b 1 final
                  -> row null 1 final
`,
  { mode: 'update' },
)

timeline(
  'in Spark mode, complete keeps the windows that have closed, and nothing is late',
  minutes(visits().withWatermark('at', '0s', { policy: 'global-max', maxClockSkew: null }).groupBy('page')),
  `
  00:00:01  /a   -> [00:00, 00:01) /a 1
  00:09:00  /a   -> [00:00, 00:01) /a 1
                 -> [00:09, 00:10) /a 1
  00:09:30  /a   -> [00:00, 00:01) /a 1
                 -> [00:09, 00:10) /a 2
  00:00:02  /b   -> [00:00, 00:01) /a 1
                 -> [00:00, 00:01) /b 1
                 -> [00:09, 00:10) /a 2
`,
  { mode: 'complete' },
)
