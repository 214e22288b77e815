import {
  approxCountDistinct,
  avg,
  col,
  count,
  day,
  ecommerce as dialect,
  type Expression,
  eq,
  logSource,
  max,
  min,
  type Pipeline,
  parquet,
  pipeline,
  type Query,
  rowProperty,
  session,
  sliding,
  span,
  stream,
  sum,
  topK,
  tumbling,
} from '../index.ts'
import type { Preset, PresetSettings } from './preset.ts'

const SETTINGS: PresetSettings = {
  topic: 'streaming-events',
  from: 'earliest',
  'watermark-delay': '5 minutes',
  trigger: '30 seconds',
  output: 'data/warehouse',
  rate: '18',
}

/** What happens in a shop, by type, user, session, device and country, with what is bought, as a warehouse of Parquet. */
export const ecommerce: Preset = {
  name: dialect.name,
  description: 'events, users, sessions, purchases and devices of a shop as a Parquet warehouse',
  dialect,
  settings: SETTINGS,
  profiles: { production: { from: 'latest' } },
  build,
}

function build(changes: Partial<PresetSettings> = {}): Pipeline {
  const { topic, output, 'watermark-delay': delay } = { ...SETTINGS, ...changes }
  const events = eventsOf(topic, delay)
  const warehouse = (query: string, time = 'window_start') => [
    parquet(`${output}/${query}`, { partitionBy: day(time).as('dt'), recordsPerFileMax: 50_000 }),
  ]
  return pipeline(dialect.name)
    .query('event_counts', eventCounts(events), warehouse('event_counts'))
    .query('user_activity', userActivity(events), warehouse('user_activity'))
    .query('purchase_metrics', purchaseMetrics(events), warehouse('purchase_metrics'))
    .query('session_metrics', sessionMetrics(events), warehouse('session_metrics'))
    .query('device_stats', deviceStats(events), warehouse('device_stats'))
    .query('user_sessions', userSessions(events), warehouse('user_sessions', 'session_start'))
    .query('checkout', checkout(events), warehouse('checkout'))
    .query('raw_events', rawEvents(events), warehouse('raw_events', 'event_time'))
}

type Events = ReturnType<typeof eventsOf>

function eventsOf(topic: string, delay: PresetSettings['watermark-delay']) {
  return stream(logSource(topic), dialect.schema, { rules: dialect.rules })
    .derive({ location: col('country'), page: col('page_url'), total_amount: col('amount') })
    .withWatermark('event_time', delay)
    .dedupe('event_id', { within: '10 minutes' })
}

function isType(type: string): Expression {
  return eq(col('event_type'), type)
}

function eventCounts(events: Events): Query {
  return events
    .groupBy('event_type')
    .window(tumbling('1 minute'))
    .aggregate({ count: count(), unique_users: approxCountDistinct('user_id') })
}

function userActivity(events: Events): Query {
  return events
    .groupBy('user_id')
    .window(sliding('5 minutes', '1 minute'))
    .aggregate({
      event_count: count(),
      event_types: topK('event_type', 6),
      first_event: min('event_time'),
      last_event: max('event_time'),
    })
}

function purchaseMetrics(events: Events): Query {
  return events
    .where(isType('purchase'))
    .window(tumbling('10 minutes'))
    .aggregate({
      total_orders: count(),
      total_revenue: sum('total_amount'),
      avg_order_value: avg('total_amount'),
      max_order_value: max('total_amount'),
      min_order_value: min('total_amount'),
      unique_buyers: approxCountDistinct('user_id'),
    })
}

function sessionMetrics(events: Events): Query {
  return events
    .groupBy('session_id')
    .window(tumbling('5 minutes'))
    .aggregate({
      events_in_session: count(),
      session_events: topK('event_type', 6),
      session_start: min('event_time'),
      session_end: max('event_time'),
      session_duration_seconds: span('event_time'),
    })
}

function deviceStats(events: Events): Query {
  return events
    .groupBy('device', 'location')
    .window(tumbling('10 minutes'))
    .aggregate({
      event_count: count(),
      unique_users: approxCountDistinct('user_id'),
      unique_sessions: approxCountDistinct('session_id'),
    })
}

/** Sessions as they are, whatever windows they reach over. (D18) */
function userSessions(events: Events): Query {
  return events
    .groupBy('user_id')
    .window(session('30 minutes'))
    .aggregate({
      events: count(),
      pages: approxCountDistinct('page'),
      orders: count().where(isType('purchase')),
      revenue: sum('total_amount'),
    })
}

/** How many of those who look at an item buy something. (D18) */
function checkout(events: Events): Query {
  const steps = { item: isType('item_click'), cart: isType('cart_add'), order: isType('purchase') }
  return events.funnel({ by: 'user_id', steps, within: '30 minutes' }).conversions(tumbling('10 minutes'))
}

/** Every event, once, as it is. */
function rawEvents(events: Events): Query {
  return events.select({
    event_id: 'event_id',
    event_type: 'event_type',
    user_id: 'user_id',
    event_time: 'event_time',
    device: 'device',
    location: 'location',
    session_id: 'session_id',
    page: 'page',
    referrer: 'referrer',
    duration_seconds: 'duration_seconds',
    item_id: 'item_id',
    category: 'category',
    order_id: 'order_id',
    total_amount: 'total_amount',
    currency: 'currency',
    quantity: 'quantity',
    price: 'price',
    search_query: 'search_query',
    results_count: 'results_count',
    // What only one type of event has: login_method and success, position, items, quantities and payment_method, clicked_position.
    details: 'props',
    processing_time: rowProperty('processing_time'),
    late: rowProperty('late'),
    // They order rows of the same time.
    partition: rowProperty('partition'),
    offset: rowProperty('offset'),
  })
}
