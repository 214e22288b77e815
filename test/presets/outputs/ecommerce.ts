import assert from 'node:assert/strict'
import { askDuckDb, assertSameRows, CLOSING_USER, type PresetEvents, succeed } from '../../support/preset-run.ts'

const NAME = 'ecommerce'
const EVENTS = `(
  SELECT DISTINCT ON (event_id) CAST(timestamp AS TIMESTAMPTZ) AS t, *, CAST(total_amount AS DECIMAL(18, 2)) AS amount
  FROM read_json('{files}', format = 'newline_delimited', columns = {event_id: 'VARCHAR', event_type: 'VARCHAR',
    user_id: 'VARCHAR', timestamp: 'VARCHAR', device: 'VARCHAR', location: 'VARCHAR', session_id: 'VARCHAR',
    total_amount: 'DOUBLE', search_query: 'VARCHAR', success: 'BOOLEAN', price: 'DOUBLE', quantity: 'INTEGER'})
)`
const read = (query: string, columns: string, where = '') =>
  `SELECT ${columns} FROM read_parquet('{out}/${query}/dt=*/*.parquet', hive_partitioning = true) ${where} ORDER BY ALL`
const CONVERSIONS =
  'epoch_ms(window_start) AS start, step, step_name, entered, converted, dropped, CAST(mean_seconds AS DOUBLE) AS mean'
const windowOf = (minutes: number) => `time_bucket(INTERVAL ${minutes} MINUTE, t) AS window_start`

/** The five aggregations, sessions, the funnel and the raw events are what SQL says of the events, each counted once. */
export async function assertEcommerce(events: PresetEvents): Promise<void> {
  await assertSameRows(
    events,
    read('event_counts', 'window_start, event_type, count'),
    `SELECT ${windowOf(1)}, event_type, count(*) AS count FROM ${EVENTS} GROUP BY ALL ORDER BY ALL`,
  )
  await assertSameRows(
    events,
    read('user_activity', 'window_start, user_id, event_count, first_event, last_event'),
    `SELECT time_bucket(INTERVAL 1 MINUTE, t) - k * INTERVAL 1 MINUTE AS window_start, user_id, count(*) AS event_count,
      min(t) AS first_event, max(t) AS last_event
    FROM ${EVENTS}, (SELECT unnest(range(5)) AS k) GROUP BY ALL ORDER BY ALL`,
  )
  const money = ['total_revenue', 'max_order_value', 'min_order_value']
  await assertSameRows(
    events,
    read(
      'purchase_metrics',
      `window_start, total_orders, ${money.join(', ')}, CAST(avg_order_value AS VARCHAR) AS mean`,
    ),
    `SELECT ${windowOf(10)}, count(*) AS total_orders, CAST(sum(amount) AS DECIMAL(18, 2)) AS total_revenue,
      max(amount) AS max_order_value, min(amount) AS min_order_value,
      CAST(CAST(round(CAST(sum(amount) AS DECIMAL(18, 2)) * 100000000 / (count(*) * 100)) / 1000000 AS DECIMAL(18, 6)) AS VARCHAR) AS mean
    FROM ${EVENTS} WHERE event_type = 'purchase' GROUP BY ALL ORDER BY ALL`,
  )
  await assertSameRows(
    events,
    read(
      'session_metrics',
      'window_start, session_id, events_in_session, session_start, session_end, session_duration_seconds',
    ),
    `SELECT ${windowOf(5)}, session_id, count(*) AS events_in_session, min(t) AS session_start, max(t) AS session_end,
      CAST(floor(epoch(max(t))) - floor(epoch(min(t))) AS BIGINT) AS session_duration_seconds
    FROM ${EVENTS} GROUP BY ALL ORDER BY ALL`,
  )
  await assertSameRows(
    events,
    read('device_stats', 'window_start, device, location, event_count'),
    `SELECT ${windowOf(10)}, device, location, count(*) AS event_count FROM ${EVENTS} GROUP BY ALL ORDER BY ALL`,
  )
  await assertSessions(events)
  // D18: the funnel, live and by the same definition over what was kept
  const live = await askDuckDb(read('checkout', CONVERSIONS), events)
  assert.ok(live.length > 6)
  assert.deepEqual(await conversionsOverHistory(events), live)
  await assertRawEvents(events)
}

/** D18: sessions by inactivity. */
async function assertSessions(events: PresetEvents): Promise<void> {
  await assertSameRows(
    events,
    read('user_sessions', 'user_id, session_start, session_end, events, orders, revenue'),
    `WITH marked AS (
      SELECT *, CASE WHEN t - lag(t) OVER (PARTITION BY user_id ORDER BY t) <= INTERVAL 30 MINUTE THEN 0 ELSE 1 END AS begins FROM ${EVENTS}
    ), numbered AS (
      SELECT *, sum(begins) OVER (PARTITION BY user_id ORDER BY t ROWS UNBOUNDED PRECEDING) AS number FROM marked
    ) SELECT user_id, min(t) AS session_start, max(t) AS session_end, count(*) AS events,
      count(*) FILTER (event_type = 'purchase') AS orders, CAST(sum(amount) AS DECIMAL(18, 2)) AS revenue
    FROM numbered GROUP BY user_id, number ORDER BY ALL`,
  )
}

/** D2: fields by type, those without a column of their own in `details`. */
async function assertRawEvents(events: PresetEvents): Promise<void> {
  await assertSameRows(
    events,
    read(
      'raw_events',
      "event_id, search_query, quantity, CAST(price AS DOUBLE) AS price, CAST(details ->> 'success' AS BOOLEAN) AS success",
      `WHERE NOT late AND user_id <> '${CLOSING_USER}'`,
    ),
    `SELECT event_id, search_query, quantity, price, success FROM ${EVENTS} ORDER BY ALL`,
  )
}

/** `query --funnel` over the raw events, in the form of `CONVERSIONS`. */
async function conversionsOverHistory({ folder }: PresetEvents): Promise<unknown[]> {
  const funnel = ['--preset', NAME, '--funnel', 'checkout', '--ties', 'partition,offset']
  const asked = await succeed(
    ['query', '--folder', 'out', '--json', ...funnel, 'from raw_events where not late'],
    folder,
  )
  const { columns, rows } = JSON.parse(asked) as { columns: { name: string }[]; rows: unknown[][] }
  const plain = rows.map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index]])))
  return plain.map(({ window_start, step, step_name, entered, converted, dropped, mean_seconds: mean }) => {
    const start = String(Date.parse(String(window_start)))
    return { start, step, step_name, entered: `${entered}`, converted: `${converted}`, dropped: `${dropped}`, mean }
  })
}
