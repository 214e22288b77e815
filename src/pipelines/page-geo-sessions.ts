import {
  approxCountDistinct,
  coalesce,
  col,
  count,
  csv,
  day,
  pageGeoSessions as dialect,
  eq,
  logSource,
  type Partition,
  type Pipeline,
  parquet,
  pipeline,
  rowProperty,
  type SinkSpec,
  session,
  stream,
  sum,
  tumbling,
} from '../index.ts'
import type { Preset, PresetSettings } from './preset.ts'

const SETTINGS = {
  topic: 'events',
  from: 'earliest',
  'watermark-delay': '10 seconds',
  'page-window': '20 seconds',
  'geo-window': '30 seconds',
  'session-window': '30 seconds',
  trigger: '10 seconds',
  output: 'data/output/parquet',
  rate: '5',
} satisfies PresetSettings

const PRODUCTION: Partial<PresetSettings> = {
  from: 'latest',
  'watermark-delay': '5 minutes',
  'page-window': '1 minute',
  'geo-window': '5 minutes',
  'session-window': '30 minutes',
  trigger: '1 minute',
}

/** Pages, countries and sessions, as Parquet and CSV from one pass, with the raw events beside them. (B16-B19) */
export const pageGeoSessions: Preset = {
  name: dialect.name,
  description: 'page, geo and session metrics as Parquet and CSV, and the raw events',
  dialect,
  settings: SETTINGS,
  profiles: { production: PRODUCTION },
  build,
}

function build(changes: Partial<PresetSettings> = {}): Pipeline {
  const settings = { ...SETTINGS, ...changes }
  const events = stream(logSource(settings.topic), dialect.schema, { rules: dialect.rules })
    .derive({ page: col('page_url'), paid: coalesce(col('amount'), 0) })
    .withWatermark('event_time', settings['watermark-delay'])

  const pageMetrics = events
    .groupBy('page')
    .window(tumbling(settings['page-window']))
    .aggregate({
      pageviews: count(),
      unique_users: approxCountDistinct('user_id'),
      unique_sessions: approxCountDistinct('session_id'),
      purchases: count().where(eq(col('event_type'), 'purchase')),
      revenue: sum('paid'),
    })
  const geoMetrics = events
    .groupBy('country', 'browser')
    .window(tumbling(settings['geo-window']))
    .aggregate({ events: count() })
  const sessions = events
    .groupBy('user_id')
    .window(session(settings['session-window']))
    .aggregate({
      events_in_session: count(),
      distinct_pages: approxCountDistinct('page'),
      session_revenue: sum('paid'),
    })
  const raw = events.select({
    event_time: 'event_time',
    user_id: 'user_id',
    session_id: 'session_id',
    event_type: 'event_type',
    page: 'page',
    referrer: 'referrer',
    device: 'device',
    browser: 'browser',
    country: 'country',
    revenue: 'amount',
    props: 'props',
    late: rowProperty('late'),
  })

  return pipeline(dialect.name)
    .query('page_metrics', pageMetrics, parquetAndCsv(`${settings.output}/page_metrics`, day('window_start')))
    .query('geo_metrics', geoMetrics, parquetAndCsv(`${settings.output}/geo_metrics`, day('window_start')))
    .query('sessions', sessions, parquetAndCsv(`${settings.output}/sessions`, day('session_start')))
    .query('events_raw', raw, [
      parquet(`${settings.output}/events_raw/parquet`, { ...FILES, partitionBy: day('event_time').as('dt') }),
    ])
}

/** Both formats get the same rows of the same epoch, committed together. */
function parquetAndCsv(folder: string, partition: Partition): SinkSpec[] {
  const options = { ...FILES, partitionBy: partition.as('dt') }
  return [parquet(`${folder}/parquet`, options), csv(`${folder}/csv`, options)]
}

const FILES = { recordsPerFileMax: 50_000 }
