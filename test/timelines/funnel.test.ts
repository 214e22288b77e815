// Funnels: what attempts came to, once nothing can change it.

import {
  col,
  defineSchema,
  eq,
  type FunnelMode,
  type FunnelStream,
  logSource,
  stream,
  text,
  timestamp,
  tumbling,
} from '../../src/index.ts'
import { timeline } from '../support/timeline/timeline.ts'

const events = defineSchema({ at: timestamp({ format: 'epoch-ms' }), user: text(), what: text() })

function shop(mode: FunnelMode): FunnelStream {
  const is = (what: string) => eq(col('what'), what)
  return stream(logSource('events'), events)
    .withWatermark('at', '1 minute')
    .funnel({ by: 'user', steps: { view: is('view'), cart: is('cart'), buy: is('buy') }, within: '10 minutes', mode })
}

const columns = { start: 'attempt_start', user: 'user', step: 'step', name: 'step_name', seconds: 'seconds' } as const

timeline(
  'an attempt takes the next step that comes, in the order of event time, and is told of when its time is over',
  shop('ordered').select(columns),
  `
  00:00:40  u1 cart
  00:00:10  u1 view
  00:00:20  u2 view
  00:01:00  u1 view
  00:02:00  u1 buy
  00:01:30  u2 buy
  00:11:09.999  u9 other
  00:11:10  u9 other  -> row 00:00:10 u1 1 view 30.000
                      -> row 00:00:10 u1 2 cart 80.000
                      -> row 00:00:10 u1 3 buy null
  00:10:10  u1 view   -> late
  end                 -> row 00:00:20 u2 1 view null
`,
)

timeline(
  'the time of an attempt has its last millisecond; what comes behind it, and behind the last step, begins anew',
  shop('ordered').select(columns),
  `
  00:00:00      u1 view
  00:10:00      u1 cart
  00:10:00.001  u1 buy
  00:10:00.002  u1 view
  00:10:01      u1 cart
  00:10:02      u1 buy
  00:10:02.001  u1 view
  00:10:03      u2 cart
  00:10:04      null view
  end           -> row 00:00 u1 1 view 600.000
                -> row 00:00 u1 2 cart null
                -> row 00:10:00.002 u1 1 view 0.998
                -> row 00:10:00.002 u1 2 cart 1.000
                -> row 00:10:00.002 u1 3 buy null
                -> row 00:10:02.001 u1 1 view null
`,
)

timeline(
  'a strict attempt ends before what is not its next step, which may begin the next one',
  shop('strict').select(columns),
  `
  00:00:00  u1 view
  00:00:10  u1 view
  00:00:20  u2 view
  00:00:30  u1 cart
  00:00:40  u2 scroll
  00:00:50  u2 cart
  00:01:00  u1 buy
  end       -> row 00:00 u1 1 view null
            -> row 00:00:10 u1 1 view 20.000
            -> row 00:00:10 u1 2 cart 30.000
            -> row 00:00:10 u1 3 buy null
            -> row 00:00:20 u2 1 view null
`,
)

timeline(
  'in any order, an attempt begins with whichever step comes first, and each counts once',
  shop('any').select(columns),
  `
  00:00:00  u1 cart
  00:00:10  u1 cart
  00:00:20  u1 buy
  00:00:30  u2 scroll
  00:00:40  u1 view
  00:00:50  u1 buy
  end       -> row 00:00 u1 1 cart 20.000
            -> row 00:00 u1 2 buy 20.000
            -> row 00:00 u1 3 view null
            -> row 00:00:50 u1 1 buy null
`,
)

timeline(
  'conversions are counted by the window in which attempts began, when the last of them is over',
  shop('ordered').conversions(tumbling('5 minutes')),
  `
  00:00:00  u1 view
  00:00:10  u1 cart
  00:01:00  u2 view
  00:01:30  u2 cart
  00:04:59  u3 view
  00:05:00  u4 view
  00:10:00  u1 buy
  00:15:59  u9 other
  00:16:00  u9 other  -> [00:00, 00:05) 1 view 3 2 1 9.999166474189446 20.000000
                      -> [00:00, 00:05) 2 cart 2 1 1 591.4858406538432 590.000000
                      -> [00:00, 00:05) 3 buy 1 0 0 null null
  end                 -> [00:05, 00:10) 1 view 1 0 1 null null
`,
)
