import {
  approxCountDistinct,
  col,
  count,
  countDistinct,
  urlDeviceActivity as dialect,
  eq,
  jsonLines,
  logSource,
  max,
  min,
  type Pipeline,
  pipeline,
  postgres,
  sliding,
  stream,
} from '../index.ts'
import type { Preset, PresetSettings, Servers } from './preset.ts'

const SETTINGS: PresetSettings = {
  topic: 'clickstream',
  from: 'earliest',
  'watermark-delay': '10 minutes',
  trigger: '1 minute',
  output: 'output',
}

/** What is looked at, on what, and by whom, over the last five minutes, every minute, as JSON. (C6, C10) */
export const urlDeviceActivity: Preset = {
  name: dialect.name,
  description: 'popularity of URLs, devices and activity of users as JSON, for ten million events',
  dialect,
  settings: SETTINGS,
  profiles: { production: { from: 'latest' } },
  build,
}

function build(changes: Partial<PresetSettings> = {}, servers: Servers = {}): Pipeline {
  const { topic, output, 'watermark-delay': delay } = { ...SETTINGS, ...changes }
  // Their topic is partitioned by user, so the same event always comes to the same partition. (C3)
  const events = stream(logSource(topic), dialect.schema, { rules: dialect.rules, keyed: true })
    .derive({ url: col('page_url'), action: col('event_type') })
    .withWatermark('event_time', delay)
    .dedupe('event_id', { within: '10 minutes', scope: 'partition' })
  // Their text names no slide.
  const lastFiveMinutes = sliding('5 minutes', '1 minute')
  const of = (action: string) => count().where(eq(col('action'), action))

  const urlCounts = events
    .groupBy('url')
    .window(lastFiveMinutes)
    .aggregate({ count: count(), users: approxCountDistinct('user_id') })
  const deviceCounts = events
    .groupBy('device', 'browser')
    .window(lastFiveMinutes)
    .aggregate({ count: count(), users: approxCountDistinct('user_id') })
  const userActivity = events
    .groupBy('user_id')
    .window(lastFiveMinutes)
    .aggregate({
      events: count(),
      clicks: of('click'),
      views: of('view'),
      scrolls: of('scroll'),
      hovers: of('hover'),
      sessions: countDistinct('session_id'),
      urls: countDistinct('url'),
      first_event: min('event_time'),
      last_event: max('event_time'),
    })

  const sinks = (name: string) => [jsonLines(`${output}/${name}`), ...(servers.postgres ? [postgres(name)] : [])]
  return pipeline(dialect.name)
    .query('url_counts', urlCounts, sinks('url_counts'))
    .query('device_counts', deviceCounts, sinks('device_counts'))
    .query('user_activity', userActivity, sinks('user_activity'))
}
