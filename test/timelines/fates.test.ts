import { and, col, eq, isNull, lengthMax, ne, not, oneOf, required } from '../../src/index.ts'
import { timeline } from '../support/timeline/timeline.ts'
import { minutes, perMinute, visits } from '../support/timeline/visits.ts'

timeline(
  'what is no event is malformed, what breaks a rule is invalid, and neither moves time',
  minutes(
    visits({
      rules: [required('page'), lengthMax('page', 4), oneOf('page', ['/a', '/b', '/long'])],
    })
      .withWatermark('at', '0s')
      .groupBy('page'),
  ),
  `
  00:00:05  /a
  raw {"at":17672          -> malformed not JSON
  raw [1]                  -> malformed not a JSON object
  raw {"at":"soon"}        -> invalid at-type
  raw {"page":"/a"}        -> invalid at-required
  raw {"at":null}          -> invalid at-required
  00:09:00  null           -> invalid page-required
  00:09:00  /long          -> invalid page-length
  00:09:00  /c             -> invalid page-one-of
                           -> watermark 00:00:05
  00:00:06  /a
  end                      -> [00:00, 00:01) /a 2
`,
)

timeline(
  'a filter before the watermark keeps a row from moving time',
  minutes(
    visits()
      .where(ne(col('page'), '/bot'))
      .withWatermark('at', '0s')
      .groupBy('page'),
  ),
  `
  00:00:05  /a
  00:09:00  /bot   -> filtered
                   -> watermark 00:00:05
  00:00:06  /a
  end              -> [00:00, 00:01) /a 2
`,
)

timeline(
  'a row that a filter behind the watermark drops has moved time',
  minutes(
    visits()
      .withWatermark('at', '0s')
      .where(ne(col('page'), '/bot'))
      .groupBy('page'),
  ),
  `
  00:00:05  /a
  00:09:00  /bot   -> filtered
                   -> watermark 00:09
                   -> [00:00, 00:01) /a 1
  00:00:06  /a     -> late
  00:00:07  /bot   -> filtered
  end
`,
)

timeline(
  'a filter drops a row for which its predicate is null',
  minutes(
    visits()
      .where(ne(col('page'), '/a'))
      .withWatermark('at', '0s')
      .groupBy('page'),
  ),
  `
  00:00:05  null   -> filtered
  00:00:06  /a     -> filtered
  00:00:07  /b
  end              -> [00:00, 00:01) /b 1
`,
)

timeline(
  'filters on both sides must all hold',
  minutes(
    visits()
      .where(not(isNull(col('page'))))
      .withWatermark('at', '0s')
      .where(and(ne(col('page'), '/x'), ne(col('page'), '/y')))
      .where(not(eq(col('page'), '/z')))
      .groupBy('page'),
  ),
  `
  00:00:01  null   -> filtered
  00:00:02  /x     -> filtered
  00:00:03  /y     -> filtered
  00:00:04  /z     -> filtered
  00:00:05  /a
  end              -> [00:00, 00:01) /a 1
`,
)

timeline(
  'fates are decided in their order: a broken rule before a filter, the skew guard before lateness',
  minutes(
    visits({ rules: [required('page')] })
      .where(ne(col('page'), '/bot'))
      .withWatermark('at', '0s', { maxClockSkew: '1 minute', maxAge: '1 day' })
      .groupBy('page'),
  ),
  `
  clock 30:00
  29:00     /a
  29:01     /a     -> [29:00, 29:01) /a 1
  00:00     null   -> invalid page-required
  99:00     /bot   -> filtered
  99:00     /a     -> future
  05:59     /a     -> expired
  06:00     /a     -> late
  30:01     /a     -> [29:01, 29:02) /a 1
  end              -> [30:01, 30:02) /a 1
`,
)

timeline(
  'a row is late only for what earlier epochs have closed: within an epoch, order means nothing',
  perMinute('0s'),
  `
  00:09:00  /a
  00:00:05  /a
  00:00:06  /a
  epoch          -> [00:00, 00:01) /a 2
  00:08:59  /a   -> late
  00:09:01  /a
  epoch
  end            -> [00:09, 00:10) /a 2
`,
)

timeline(
  'a row of an open window counts however far it is behind: only a closed window makes it late',
  perMinute('0s'),
  `
  00:00:59  /a
  00:00:00  /a
  00:01:00  /a   -> [00:00, 00:01) /a 2
  00:00:59  /a   -> late
  end            -> [00:01, 00:02) /a 1
`,
)
