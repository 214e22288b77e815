import {
  approxCountDistinct,
  col,
  count,
  day,
  userActivity as dialect,
  eq,
  jsonLines,
  kafka,
  logSource,
  max,
  min,
  type Pipeline,
  parquet,
  pipeline,
  postgres,
  rowProperty,
  session,
  sliding,
  span,
  stream,
  tumbling,
} from '../index.ts'
import type { Preset, PresetSettings, Servers } from './preset.ts'

const SETTINGS = {
  topic: 'user_activity',
  from: 'earliest',
  'watermark-delay': '2 minutes',
  'session-window': '15 minutes',
  trigger: '1 second',
  output: 'data',
  rate: '2',
} satisfies PresetSettings

/** Views by page, users who are active, sessions; every event in a lake, and enriched with the time it was read. (E3-E10) */
export const userActivity: Preset = {
  name: dialect.name,
  description: 'page views, active users and sessions; a lake by date, and enriched events',
  dialect,
  settings: SETTINGS,
  profiles: { production: { from: 'latest' } },
  build,
}

function build(changes: Partial<PresetSettings> = {}, servers: Servers = {}): Pipeline {
  const settings = { ...SETTINGS, ...changes }
  const { output } = settings
  const events = stream(logSource(settings.topic), dialect.schema, { rules: dialect.rules }).withWatermark(
    'event_time',
    settings['watermark-delay'],
  )

  const pageViewCounts = events
    .where(eq(col('event_type'), 'page_view'))
    .groupBy('page_url')
    .window(tumbling('1 minute'))
    .aggregate({ view_count: count() })
  const activeUsers = events
    .window(sliding('5 minutes', '1 minute'))
    .aggregate({ active_user_count: approxCountDistinct('user_id') })
  const userSessions = events
    .groupBy('user_id')
    .window(session(settings['session-window']))
    .aggregate({
      session_start_time: min('event_time'),
      session_end_time: max('event_time'),
      session_duration_seconds: span('event_time'),
    })
  const event = {
    event_time: 'event_time',
    user_id: 'user_id',
    page_url: 'page_url',
    event_type: 'event_type',
  } as const
  const lake = events.select(event)
  const enriched = events.select({
    ...event,
    processing_time: rowProperty('processing_time'),
    late: rowProperty('late'),
  })

  // Values so far, so that a table shows a window or a session while it goes on.
  const table = (...[name, options]: Parameters<typeof postgres>) =>
    servers.postgres ? [postgres(name, { ...options, mode: 'update' })] : []
  const bounds = ['window_start', 'window_end']
  // Theirs has the user alone for a key, so that each session overwrites the one before: the view is what theirs shows.
  const sessionTable = table('user_sessions', { latest: { view: 'latest_user_sessions', per: ['user_id'] } })
  return pipeline(dialect.name)
    .query('page_view_counts', pageViewCounts, [
      parquet(`${output}/page_view_counts`),
      ...table('page_view_counts', { key: [...bounds, 'page_url'] }),
    ])
    .query('active_users', activeUsers, [parquet(`${output}/active_users`), ...table('active_users', { key: bounds })])
    .query('user_sessions', userSessions, [parquet(`${output}/user_sessions`), ...sessionTable])
    .query('lake', lake, [parquet(`${output}/lake`, { partitionBy: day('event_time').as('event_date') })])
    .query('enriched_activity', enriched, [
      jsonLines(`${output}/enriched_activity`),
      ...(servers.kafka ? [kafka('enriched_activity', { key: 'user_id' })] : []),
    ])
}
