import assert from 'node:assert/strict'
import { MS_PER_DAY, MS_PER_MINUTE } from '../../../src/base/time.ts'
import { type ClosedSession, NaiveSessions } from '../../support/naive-session-ends.ts'
import { askDuckDb, assertSameRows, CLOSING_USER, type PresetEvents } from '../../support/preset-run.ts'

/** The events as they were sent. */
export const SENT: string = `(
  SELECT CAST(event_time AS TIMESTAMPTZ) AS t, user_id, page_url, event_type FROM read_json('{files}',
    format = 'newline_delimited', columns = {event_time: 'VARCHAR', user_id: 'VARCHAR', page_url: 'VARCHAR', event_type: 'VARCHAR'})
)`
/** The events as they were passed on. */
export const ENRICHED: string = `read_json('{out}/enriched_activity/*.ndjson', format = 'newline_delimited')`
/** Those that no window refused. */
export const IN_TIME: string = `(SELECT CAST(event_time AS TIMESTAMPTZ) AS t, * FROM ${ENRICHED} WHERE NOT late)`
const read = (query: string, columns: string) =>
  `SELECT ${columns} FROM read_parquet('{out}/${query}/*.parquet') ORDER BY ALL`

/** The three tables are what SQL says of these events. */
export async function assertUserActivity(events: PresetEvents, from: string): Promise<void> {
  await assertSameRows(
    events,
    read('page_view_counts', 'window_start, window_end, page_url, view_count'),
    `SELECT time_bucket(INTERVAL 1 MINUTE, t) AS window_start, window_start + INTERVAL 1 MINUTE AS window_end, page_url,
      count(*) AS view_count FROM ${from} WHERE event_type = 'page_view' GROUP BY ALL ORDER BY ALL`,
  )
  // Twenty users are few enough for the sketch to be exact.
  await assertSameRows(
    events,
    read('active_users', 'window_start, window_end, active_user_count'),
    `SELECT time_bucket(INTERVAL 1 MINUTE, t) - k * INTERVAL 1 MINUTE AS window_start, window_start + INTERVAL 5 MINUTE AS window_end,
      count(DISTINCT user_id) AS active_user_count FROM ${from}, (SELECT unnest(range(5)) AS k) GROUP BY ALL ORDER BY ALL`,
  )
  assert.deepEqual(
    (await askDuckDb(read('user_sessions', SESSION), events)).map((row) => Object.values(row).map(String)),
    await expectedSessions(events),
  )
}

const SESSION = `user_id, epoch_ms(session_start_time) AS start, epoch_ms(session_end_time) AS last, session_duration_seconds`

/**
 * Sessions by the definition: a gap of 15 minutes ends them, and so does a session_end, at the end of the epoch in which it is the last event.
 * Which epoch read an event can be seen by its processing time.
 */
async function expectedSessions(events: PresetEvents): Promise<string[][]> {
  const rows = await askDuckDb(
    `SELECT epoch_ms(CAST(event_time AS TIMESTAMPTZ)) AS ts, user_id AS user, processing_time,
      CASE WHEN event_type = 'session_end' THEN 'end' ELSE event_type END AS type
    FROM ${ENRICHED} WHERE user_id <> '${CLOSING_USER}' ORDER BY processing_time`,
    events,
  )
  const sessions = new NaiveSessions({
    gapMs: 15 * MS_PER_MINUTE,
    delayMs: 2 * MS_PER_MINUTE,
    ends: true,
    durationMaxMs: MS_PER_DAY,
    eventsMax: Number.POSITIVE_INFINITY,
  })
  const epochs = [...Map.groupBy(rows, (row) => row['processing_time']).values()]
  const closed = [...epochs, []].flatMap((own, index) => {
    const read = own.map((row) => ({ ts: Number(row['ts']), user: `${row['user']}`, type: `${row['type']}`, n: 1 }))
    return sessions.epoch(read, index === epochs.length).rows
  })
  const seconds = ({ session_start, session_end }: ClosedSession) =>
    Math.floor(session_end / 1_000) - Math.floor(session_start / 1_000)
  return closed
    .map((one) => [one.user, one.session_start, one.session_end, seconds(one)].map(String))
    .sort(([user, start], [otherUser, otherStart]) => {
      return user === otherUser ? Number(start) - Number(otherStart) : user < otherUser ? -1 : 1
    })
}
