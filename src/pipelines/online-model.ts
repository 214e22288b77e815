import {
  col,
  count,
  onlineModel as dialect,
  elapsed,
  eq,
  jsonLines,
  logSource,
  type Pipeline,
  pipeline,
  stream,
  sum,
  tumbling,
} from '../index.ts'
import type { Preset, PresetSettings } from './preset.ts'

const SETTINGS: PresetSettings = {
  topic: 'clickstream_v2',
  from: 'earliest',
  'watermark-delay': '10 seconds',
  trigger: '10 seconds',
  output: 'output',
}

/** What a purchase model is given: each event with what was known of its session. Purchases per user beside it. (A16, A19) */
export const onlineModel: Preset = {
  name: dialect.name,
  description: 'features of sessions joined to each event, and purchases per user',
  dialect,
  settings: SETTINGS,
  profiles: { loadtest: { topic: 'clickstream_loadtest', from: 'latest' } },
  build,
}

function build(changes: Partial<PresetSettings> = {}): Pipeline {
  const { topic, output, 'watermark-delay': delay } = { ...SETTINGS, ...changes }
  const events = stream(logSource(topic), dialect.schema, { rules: dialect.rules })
    .derive({ url: col('page_url'), action: col('event_type'), timestamp: col('event_time') })
    .withWatermark('event_time', delay)
  const isPurchase = eq(col('action'), 'purchase')

  // A tumbling window of a day rather than one for ever, so that each result is final and can be written to files.
  const purchases = events
    .where(isPurchase)
    .groupBy('user_id')
    .window(tumbling('1 day'))
    .aggregate({ purchases: count(), total_amount: sum('amount') })
  const features = (mode: 'past' | 'compat') =>
    events
      .withSessionFeatures({
        by: 'session_id',
        window: tumbling('5 minutes'),
        features: { clicks_in_session: count(), time_on_page: elapsed() },
        mode,
      })
      .select({
        timestamp: 'timestamp',
        user_id: 'user_id',
        session_id: 'session_id',
        url: 'url',
        action: 'action',
        amount: 'amount',
        clicks_in_session: 'clicks_in_session',
        time_on_page: 'time_on_page',
        label: isPurchase,
      })

  return pipeline(dialect.name)
    .query('purchases_per_user', purchases, [jsonLines(`${output}/purchases_per_user`)])
    .query('features', features('past'), [jsonLines(`${output}/features`)])
    .query('features_compat', features('compat'), [jsonLines(`${output}/features_compat`)])
}
