import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MS_PER_DAY, MS_PER_MINUTE } from '../../src/base/time.ts'
import { type ClosedSession, NaiveSessions } from '../support/naive-session-ends.ts'
import { askDuckDb, assertSameRows, generatePreset, type PresetEvents, runPreset } from '../support/preset-run.ts'

const NAME = 'user-activity'
const TRAFFIC = ['--num-events', '5000', '--rate', '2', '--out-of-order', '10%', '--out-of-order-max', '90s']
const SENT = `(
  SELECT CAST(event_time AS TIMESTAMPTZ) AS t, user_id, page_url, event_type FROM read_json('{files}',
    format = 'newline_delimited', columns = {event_time: 'VARCHAR', user_id: 'VARCHAR', page_url: 'VARCHAR', event_type: 'VARCHAR'})
)`
const ENRICHED = `read_json('{out}/enriched_activity/*.ndjson', format = 'newline_delimited')`
const IN_TIME = `(SELECT CAST(event_time AS TIMESTAMPTZ) AS t, * FROM ${ENRICHED} WHERE NOT late)`
const read = (query: string, columns: string) =>
  `SELECT ${columns} FROM read_parquet('{out}/${query}/*.parquet') ORDER BY ALL`

describe('user-activity', () => {
  for (const from of ['files', 'log'] as const) {
    test(`gives what SQL gives over the same events, from the ${from}`, async (t) => {
      const events = await generatePreset(t, NAME, ...TRAFFIC, '--no-late-data')
      const summary = await runPreset(NAME, events, from)
      assert.equal(summary.fates['accepted'], 5000)
      await assertTables(events, SENT)
      await assertSameRows(
        events,
        `SELECT CAST(event_time AS TIMESTAMPTZ) AS t, user_id, page_url, event_type FROM ${ENRICHED} ORDER BY ALL`,
        `SELECT * FROM ${SENT} ORDER BY ALL`,
      )
    })
  }

  test('passes the six checks of its system, with one event in fifty late', async (t) => {
    const events = await generatePreset(t, NAME, ...TRAFFIC, '--late-min', '30m', '--late-max', '40m')
    const summary = await runPreset(NAME, events, 'log', '--rows-per-epoch', '500')
    const one = async (sql: string) => (await askDuckDb(sql, events))[0]

    // E21: events flow in and out, enriched with the time at which they were read
    const enriched = await one(
      `SELECT CAST(count(*) AS INTEGER) AS n, CAST(count(processing_time) AS INTEGER) AS timed FROM ${ENRICHED}`,
    )
    assert.deepEqual(enriched, { n: 5000, timed: 5000 })
    // E22: windows of sixty seconds
    const sizes = `SELECT DISTINCT CAST(epoch(window_end - window_start) AS INTEGER) AS seconds FROM`
    assert.deepEqual(await askDuckDb(`${sizes} read_parquet('{out}/page_view_counts/*.parquet')`, events), [
      { seconds: 60 },
    ])
    // E23: windows of five minutes, one each minute
    assert.deepEqual(await askDuckDb(`${sizes} read_parquet('{out}/active_users/*.parquet')`, events), [
      { seconds: 300 },
    ])
    const steps = `SELECT CAST(min(step) AS INTEGER) AS least, bool_and(step % 60 = 0) AS whole FROM (SELECT epoch(window_start - before) AS step FROM (
      SELECT window_start, lag(window_start) OVER (ORDER BY window_start) AS before FROM read_parquet('{out}/active_users/*.parquet')
    ) WHERE before IS NOT NULL)`
    assert.deepEqual(await one(steps), { least: 60, whole: true })
    // E24: how long sessions were, and that none overwrites another of the same user
    const sessions =
      await one(`SELECT CAST(count(*) AS INTEGER) AS n, CAST(count(DISTINCT (user_id, session_start_time)) AS INTEGER) AS keys,
      bool_and(session_duration_seconds = floor(epoch(session_end_time)) - floor(epoch(session_start_time))) AS fits
      FROM read_parquet('{out}/user_sessions/*.parquet')`)
    assert.deepEqual(sessions, { n: sessions?.['n'], keys: sessions?.['n'], fits: true })
    // E25: late events are dropped from the results, and can be seen
    const late = summary.fates['late'] ?? 0
    assert.ok(late > 50 && summary.rowsRead === late + (summary.fates['accepted'] ?? 0))
    assert.deepEqual(await one(`SELECT CAST(count(*) AS INTEGER) AS n FROM ${ENRICHED} WHERE late`), { n: late })
    await assertTables(events, IN_TIME)
    // E26: Parquet that others can read, in folders by date
    await assertSameRows(
      events,
      `SELECT CAST(event_date AS DATE) AS event_date, count(*) AS n FROM read_parquet('{out}/lake/event_date=*/*.parquet', hive_partitioning = true) GROUP BY ALL ORDER BY ALL`,
      `SELECT CAST(t AS DATE) AS event_date, count(*) AS n FROM ${SENT} GROUP BY ALL ORDER BY ALL`,
    )
  })
})

/** The three tables are what SQL says of these events. */
async function assertTables(events: PresetEvents, from: string): Promise<void> {
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
    FROM ${ENRICHED} ORDER BY processing_time`,
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
