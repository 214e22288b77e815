import { assertSameRows, type PresetEvents } from '../../support/preset-run.ts'

/** Each event once, in each of the five windows that it is in. */
const IN_WINDOWS = `(
  SELECT time_bucket(INTERVAL 1 MINUTE, t) - k * INTERVAL 1 MINUTE AS window_start, * FROM (
    SELECT DISTINCT ON (event_id) CAST(timestamp || 'Z' AS TIMESTAMPTZ) AS t, * FROM read_json('{files}',
      format = 'newline_delimited', columns = {event_id: 'VARCHAR', user_id: 'VARCHAR', url: 'VARCHAR', action: 'VARCHAR',
      timestamp: 'VARCHAR', session_id: 'VARCHAR', device: 'VARCHAR', browser: 'VARCHAR'})
  ), (SELECT unnest(range(5)) AS k)
)`
const read = (query: string, columns: string) =>
  `SELECT ${columns} FROM read_json('{out}/${query}/*.ndjson', format = 'newline_delimited') ORDER BY ALL`
const START = 'CAST(window_start AS TIMESTAMPTZ) AS window_start'

/** The three outputs are what SQL says of the events, each counted once. */
export async function assertUrlDeviceActivity(events: PresetEvents): Promise<void> {
  await assertSameRows(
    events,
    read('url_counts', `${START}, url, count`),
    `SELECT window_start, url, count(*) AS count FROM ${IN_WINDOWS} GROUP BY ALL ORDER BY ALL`,
  )
  await assertSameRows(
    events,
    read('device_counts', `${START}, device, browser, count`),
    `SELECT window_start, device, browser, count(*) AS count FROM ${IN_WINDOWS} GROUP BY ALL ORDER BY ALL`,
  )
  const activity = 'events, clicks, views, scrolls, hovers, sessions, urls'
  const times = 'CAST(first_event AS TIMESTAMPTZ) AS first_event, CAST(last_event AS TIMESTAMPTZ) AS last_event'
  await assertSameRows(
    events,
    read('user_activity', `${START}, user_id, ${activity}, ${times}`),
    `SELECT window_start, user_id, count(*) AS events, count(*) FILTER (action = 'click') AS clicks,
      count(*) FILTER (action = 'view') AS views, count(*) FILTER (action = 'scroll') AS scrolls,
      count(*) FILTER (action = 'hover') AS hovers, count(DISTINCT session_id) AS sessions,
      count(DISTINCT url) AS urls, min(t) AS first_event, max(t) AS last_event
    FROM ${IN_WINDOWS} GROUP BY ALL ORDER BY ALL`,
  )
}
