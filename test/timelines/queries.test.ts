import { col, count, eq, pipeline, type Query, tumbling } from '../../src/index.ts'
import { timeline } from '../support/timeline/timeline.ts'
import { perMinute, visits } from '../support/timeline/visits.ts'

timeline(
  'late for the hasty query and accepted by the patient one is accepted, and counted as late for the first',
  pipeline('two').query('hasty', perMinute('0s')).query('patient', perMinute('5 minutes')),
  `
  00:00:05  /a
  00:01:00  /a   -> hasty: [00:00, 00:01) /a 1
                 -> hasty: watermark 00:01
  00:00:06  /a   -> hasty: late
  00:06:00  /a   -> hasty: [00:01, 00:02) /a 1
                 -> patient: [00:00, 00:01) /a 2
  00:00:07  /a   -> hasty: late
                 -> patient: late
                 -> late
  end            -> hasty: [00:06, 00:07) /a 1
                 -> patient: [00:01, 00:02) /a 1
                 -> patient: [00:06, 00:07) /a 1
`,
)

timeline(
  'queries with one watermark share it, and each closes its own windows',
  pipeline('sizes').query('minutes', perMinute('0s')).query('hours', perHour()),
  `
  00:00:05  /a
  00:01:00  /b     -> minutes: [00:00, 00:01) /a 1
  00:00:06  /a     -> minutes: late
  01:00:00  /a     -> minutes: [00:01, 00:02) /b 1
                   -> hours: [00:00, 01:00) 3
  00:59:59  /a     -> minutes: late
                   -> hours: late
                   -> late
  end              -> minutes: [01:00, 01:01) /a 1
                   -> hours: [01:00, 02:00) 1
`,
)

timeline(
  'a row that no query wants is filtered, one that is late where it is wanted is late',
  pipeline('wishes').query('cart', only('/cart')).query('home', only('/home')),
  `
  00:00:05  /cart
  00:00:05  /home
  00:00:06  /help  -> filtered
  00:01:00  /cart  -> cart: [00:00, 00:01) 1
  00:00:07  /cart  -> cart: late
                   -> late
  00:00:07  /home
  end              -> cart: [00:01, 00:02) 1
                   -> home: [00:00, 00:01) 2
`,
)

function perHour(): Query {
  return visits().withWatermark('at', '0s').window(tumbling('1 hour')).aggregate({ views: count() })
}

/** Its filter stands before its watermark, so its time is its own. */
function only(page: string): Query {
  const rows = visits()
    .where(eq(col('page'), page))
    .withWatermark('at', '0s')
  return rows.window(tumbling('1 minute')).aggregate({ views: count() })
}
