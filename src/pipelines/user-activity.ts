import {
  approxCountDistinct,
  col,
  count,
  type Duration,
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
  type Query,
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
  const events = eventsOf(settings.topic, settings['watermark-delay'])
  // Values so far, so that a table shows a window or a session while it goes on.
  const table = (...[name, options]: Parameters<typeof postgres>) =>
    servers.postgres ? [postgres(name, { ...options, mode: 'update' })] : []
  const bounds = ['window_start', 'window_end']
  return pipeline(dialect.name)
    .query('page_view_counts', pageViewCounts(events), [
      parquet(`${output}/page_view_counts`),
      ...table('page_view_counts', { key: [...bounds, 'page_url'] }),
    ])
    .query('active_users', activeUsers(events), [
      parquet(`${output}/active_users`),
      ...table('active_users', { key: bounds }),
    ])
    .query('user_sessions', userSessions(events, settings['session-window']), [
      parquet(`${output}/user_sessions`, { roll: FILE_EACH_MINUTE }),
      ...table('user_sessions', SESSION_TABLE),
    ])
    .query('lake', events.select(EVENT), [
      parquet(`${output}/lake`, { partitionBy: day('event_time').as('event_date'), roll: FILE_EACH_MINUTE }),
    ])
    .query('enriched_activity', enriched(events), [
      jsonLines(`${output}/enriched_activity`, { roll: FILE_EACH_MINUTE }),
      ...(servers.kafka ? [kafka('enriched_activity', { key: 'user_id' })] : []),
    ])
}

/** An epoch a second has rows for these; tables and topics get them at once. */
const FILE_EACH_MINUTE = { every: '1 minute' } as const

type Events = ReturnType<typeof eventsOf>

function eventsOf(topic: string, delay: PresetSettings['watermark-delay']) {
  return stream(logSource(topic), dialect.schema, { rules: dialect.rules }).withWatermark('event_time', delay)
}

function pageViewCounts(events: Events): Query {
  return events
    .where(eq(col('event_type'), 'page_view'))
    .groupBy('page_url')
    .window(tumbling('1 minute'))
    .aggregate({ view_count: count() })
}

function activeUsers(events: Events): Query {
  return events
    .window(sliding('5 minutes', '1 minute'))
    .aggregate({ active_user_count: approxCountDistinct('user_id') })
}

/** A `session_end` ends its session; without one, inactivity does. */
function userSessions(events: Events, gap: Duration): Query {
  return events
    .groupBy('user_id')
    .window(session(gap, { endWhen: eq(col('event_type'), 'session_end') }))
    .aggregate({
      session_start_time: min('event_time'),
      session_end_time: max('event_time'),
      session_duration_seconds: span('event_time'),
    })
}

/** Theirs has the user alone for a key, so that each session overwrites the one before: the view is what theirs shows. */
const SESSION_TABLE: Parameters<typeof postgres>[1] = {
  columns: {
    user_id: 'user_id',
    session_start_time: 'session_start',
    session_end_time: 'session_end',
    session_duration_seconds: 'session_duration_seconds',
  },
  key: ['user_id', 'session_start_time'],
  latest: { view: 'latest_user_sessions', per: ['user_id'] },
}

const EVENT = {
  event_time: 'event_time',
  user_id: 'user_id',
  page_url: 'page_url',
  event_type: 'event_type',
} as const

function enriched(events: Events): Query {
  return events.select({
    ...EVENT,
    processing_time: rowProperty('processing_time'),
    late: rowProperty('late'),
  })
}
