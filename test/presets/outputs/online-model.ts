import { assertSameRows, type PresetEvents } from '../../support/preset-run.ts'

const EVENTS = `(
  SELECT row_number() OVER () AS place, to_timestamp(timestamp) AS t, timestamp // 300 AS part, *,
    CAST(amount AS DECIMAL(18, 2)) AS money
  FROM read_json('{files}', format = 'newline_delimited', columns = {user_id: 'BIGINT', url: 'VARCHAR', action: 'VARCHAR',
    session_id: 'VARCHAR', timestamp: 'BIGINT', amount: 'DOUBLE'})
)`
const read = (query: string, columns: string) =>
  `SELECT ${columns} FROM read_json('{out}/${query}/*.ndjson', format = 'newline_delimited') ORDER BY ALL`
const FEATURES = `CAST(timestamp AS TIMESTAMPTZ) AS t, user_id, session_id, url, action, clicks_in_session, time_on_page, label`

/** Purchases and features are what SQL says of the events. */
export async function assertOnlineModel(events: PresetEvents): Promise<void> {
  // A16
  await assertSameRows(
    events,
    read('purchases_per_user', 'user_id, purchases, CAST(total_amount AS DECIMAL(18, 2)) AS total_amount'),
    `SELECT user_id, count(*) AS purchases, CAST(sum(money) AS DECIMAL(18, 2)) AS total_amount
    FROM ${EVENTS} WHERE action = 'purchase' GROUP BY user_id, timestamp // 86400 ORDER BY ALL`,
  )
  // A19: what was known of the session when the event happened
  const past = 'OVER (PARTITION BY session_id, part ORDER BY timestamp, place ROWS UNBOUNDED PRECEDING)'
  await assertSameRows(
    events,
    read('features', FEATURES),
    `SELECT t, user_id, session_id, url, action, count(*) ${past} AS clicks_in_session,
      CAST(max(timestamp) ${past} - min(timestamp) ${past} AS BIGINT) AS time_on_page, action = 'purchase' AS label
    FROM ${EVENTS} ORDER BY ALL`,
  )
}
