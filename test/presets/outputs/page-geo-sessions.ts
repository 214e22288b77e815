import { assertSameRows, type PresetEvents } from '../../support/preset-run.ts'

const EVENTS = `(
  SELECT CAST(event_time AS TIMESTAMPTZ) AS t, user_id, session_id, event_type, page, country, browser,
    CAST(coalesce(revenue, 0) AS DECIMAL(18, 2)) AS paid
  FROM read_json('{files}', format = 'newline_delimited', columns = {event_time: 'VARCHAR', user_id: 'VARCHAR',
    session_id: 'VARCHAR', event_type: 'VARCHAR', page: 'VARCHAR', country: 'VARCHAR', browser: 'VARCHAR', revenue: 'DOUBLE'})
)`
const PAGES = `SELECT time_bucket(INTERVAL 20 SECOND, t) AS window_start, page, count(*) AS pageviews,
    count(*) FILTER (event_type = 'purchase') AS purchases, CAST(sum(paid) AS DECIMAL(18, 2)) AS revenue
  FROM ${EVENTS} GROUP BY ALL ORDER BY ALL`
const COUNTRIES = `SELECT time_bucket(INTERVAL 30 SECOND, t) AS window_start, time_bucket(INTERVAL 30 SECOND, t) + INTERVAL 30 SECOND
    AS window_end, country, browser, count(*) AS events FROM ${EVENTS} GROUP BY ALL ORDER BY ALL`
const SESSIONS = `WITH marked AS (
    SELECT *, CASE WHEN t - lag(t) OVER (PARTITION BY user_id ORDER BY t) <= INTERVAL 30 SECOND THEN 0 ELSE 1 END AS begins
    FROM ${EVENTS}
  ), numbered AS (
    SELECT *, sum(begins) OVER (PARTITION BY user_id ORDER BY t ROWS UNBOUNDED PRECEDING) AS number FROM marked
  ) SELECT user_id, min(t) AS session_start, max(t) AS session_end, count(*) AS events_in_session,
    CAST(sum(paid) AS DECIMAL(18, 2)) AS session_revenue
  FROM numbered GROUP BY user_id, number ORDER BY ALL`

/** Pages, countries and sessions are what SQL says of the events, in both formats. */
export async function assertPageGeoSessions(events: PresetEvents): Promise<void> {
  for (const format of ['parquet', 'csv']) {
    const read = (query: string) =>
      `read_${format}('{out}/${query}/${format}/dt=*/*.${format}', hive_partitioning = true)`
    const pages = `SELECT window_start, page, pageviews, purchases, CAST(revenue AS DECIMAL(18, 2)) AS revenue FROM ${read('page_metrics')} ORDER BY ALL`
    await assertSameRows(events, pages, PAGES)
    const countries = `SELECT window_start, window_end, country, browser, events FROM ${read('geo_metrics')} ORDER BY ALL`
    await assertSameRows(events, countries, COUNTRIES)
    const sessions = `SELECT user_id, session_start, session_end, events_in_session, CAST(session_revenue AS DECIMAL(18, 2)) AS session_revenue FROM ${read('sessions')} ORDER BY ALL`
    await assertSameRows(events, sessions, SESSIONS)
  }
}
