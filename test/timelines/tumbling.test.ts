import {
  avg,
  col,
  count,
  countDistinct,
  decimal,
  defineSchema,
  eq,
  logSource,
  max,
  min,
  type Query,
  stream,
  sum,
  text,
  timestamp,
  tumbling,
} from '../../src/index.ts'
import { timeline } from '../support/timeline/timeline.ts'
import { perMinute } from '../support/timeline/visits.ts'

timeline(
  'a straggler inside the delay counts; a later one is late',
  perMinute('10s'),
  `
  00:00:05  /home
  00:01:05  /cart
  00:00:58  /home
  00:01:10  /cart    -> [00:00, 00:01) /home 2
  00:00:59  /home    -> late
  end                -> [00:01, 00:02) /cart 2
`,
)

timeline(
  'the drawing in docs/concepts.md is true',
  perMinute('1 minute'),
  `
  10:00:20  /a   -> watermark 09:59:20
  10:01:10  /a   -> watermark 10:00:10
  10:00:50  /a   -> watermark 10:00:10
  10:02:05  /a   -> watermark 10:01:05
                 -> [10:00, 10:01) /a 2
  10:00:55  /a   -> late
                 -> watermark 10:01:05
  end            -> [10:01, 10:02) /a 1
                 -> [10:02, 10:03) /a 1
`,
)

timeline(
  'a window is [start, end): its first millisecond belongs to it, its end to the next',
  perMinute('0s'),
  `
  00:00:00      /a
  00:00:59.999  /a
  00:01:00      /a   -> [00:00, 00:01) /a 2
  00:01:59.999  /a
  00:02:00      /a   -> [00:01, 00:02) /a 2
  end                -> [00:02, 00:03) /a 1
`,
)

timeline(
  'a window closes when the watermark is at its end, not a millisecond before',
  perMinute('30s'),
  `
  00:00:10      /a
  00:01:29.999  /a   -> watermark 00:00:59.999
  00:00:00      /a
  00:01:30      /a   -> watermark 00:01
                     -> [00:00, 00:01) /a 2
  00:00:59.999  /a   -> late
  end                -> [00:01, 00:02) /a 2
`,
)

timeline(
  'one row closes many windows; groups come in every window that they have rows in',
  perMinute('0s'),
  `
  00:00:01  /a
  00:00:02  /b
  00:05:00  /a   -> [00:00, 00:01) /a 1
                 -> [00:00, 00:01) /b 1
  00:07:30  /b   -> [00:05, 00:06) /a 1
  26:00     /c   -> [00:07, 00:08) /b 1
  end            -> [26:00, 26:01) /c 1
`,
)

timeline(
  'null keys form a group of their own, apart from the empty text and the text "null"',
  perMinute('0s'),
  `
  raw {"at":1767225600000,"page":null}
  raw {"at":1767225600000}
  raw {"at":1767225600000,"page":"NULL"}
  00:00:03  /a
  end            -> [00:00, 00:01) null 2
                 -> [00:00, 00:01) NULL 1
                 -> [00:00, 00:01) /a 1
`,
)

timeline(
  'without keys a window is one row, and a window without rows is none',
  perMinute('0s', {}, []),
  `
  00:00:01  /a
  00:00:02  /b
  00:03:00  /a   -> [00:00, 00:01) 2
  end            -> [00:03, 00:04) 1
`,
)

timeline(
  'update shows what changed in an epoch with its values so far, and every row of a window once more when it closes',
  perMinute('0s'),
  `
  00:00:01  /a   -> [00:00, 00:01) /a 1
  00:00:02  /b   -> [00:00, 00:01) /b 1
  00:00:01  /a   -> [00:00, 00:01) /a 2
  00:01:00  /b   -> [00:00, 00:01) /a 2 final
                 -> [00:00, 00:01) /b 1 final
                 -> [00:01, 00:02) /b 1
  00:00:59  /a   -> late
  end            -> [00:01, 00:02) /b 1 final
`,
  { mode: 'update' },
)

timeline(
  'update shows a group once per epoch, whatever the number of its rows',
  perMinute('30s'),
  `
  00:00:01  /a
  00:00:02  /a
  00:00:40  /b
  epoch          -> [00:00, 00:01) /a 2
                 -> [00:00, 00:01) /b 1
  epoch
  00:00:41  /b
  00:01:05  /a
  epoch          -> [00:00, 00:01) /b 2
                 -> [00:01, 00:02) /a 1
  end            -> [00:00, 00:01) /a 2 final
                 -> [00:00, 00:01) /b 2 final
                 -> [00:01, 00:02) /a 1 final
`,
  { mode: 'update' },
)

timeline(
  'complete shows all open groups after every epoch, those that close a last time',
  perMinute('0s'),
  `
  00:00:01  /a   -> [00:00, 00:01) /a 1
  00:00:02  /b   -> [00:00, 00:01) /a 1
                 -> [00:00, 00:01) /b 1
  00:01:01  /a   -> [00:00, 00:01) /a 1
                 -> [00:00, 00:01) /b 1
                 -> [00:01, 00:02) /a 1
  00:01:02  /a   -> [00:01, 00:02) /a 2
  end            -> [00:01, 00:02) /a 2
`,
  { mode: 'complete' },
)

timeline(
  'a day is a window like any other, aligned to midnight UTC',
  orders('1 day', '1h'),
  `
  10:00     u1  1.00
  23:59:59  u2  2.50
  24:59:59  u1  3.00
  25:00     u1  4.00  -> [00:00, 24:00) 2 2 3.50 1.00 2.50 1.750000 1
  end                 -> [24:00, 48:00) 2 1 7.00 3.00 4.00 3.500000 2
`,
)

timeline(
  'money is exact to the cent, rounded half up on its way in, and its mean has six digits; nulls take no part',
  orders('1 minute', '0s'),
  `
  00:00:01  u1    0.10
  00:00:02  u2    0.20
  00:00:03  null  -0.005
  00:00:04  u1    null
  00:00:05  u1    0.005
  end              -> [00:00, 00:01) 5 2 0.30 -0.01 0.20 0.075000 3
`,
)

/** Rows, users, money, and the rows of user u1. */
function orders(size: string, delay: string): Query {
  const schema = defineSchema({
    at: timestamp({ format: 'epoch-ms' }),
    user: text({ cardinality: 'high' }),
    amount: decimal(2),
  })
  return stream(logSource('orders'), schema)
    .withWatermark('at', delay)
    .window(tumbling(size))
    .aggregate({
      orders: count(),
      users: countDistinct('user'),
      revenue: sum('amount'),
      smallest: min('amount'),
      largest: max('amount'),
      mean: avg('amount'),
      mine: count().where(eq(col('user'), 'u1')),
    })
}
