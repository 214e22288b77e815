import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { askDuckDb, assertSameRows, generatePreset, runPreset } from '../support/preset-run.ts'
import { assertUserActivity, ENRICHED, IN_TIME, SENT } from './outputs/user-activity.ts'

const NAME = 'user-activity'
const TRAFFIC = ['--num-events', '5000', '--rate', '2', '--out-of-order', '10%', '--out-of-order-max', '90s']
describe('user-activity', () => {
  for (const from of ['files', 'log'] as const) {
    test(`gives what SQL gives over the same events, from the ${from}`, async (t) => {
      const events = await generatePreset(t, NAME, ...TRAFFIC, '--no-late-data')
      const summary = await runPreset(NAME, events, from)
      assert.equal(summary.fates['accepted'], 5000)
      await assertUserActivity(events, SENT)
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
    await assertUserActivity(events, IN_TIME)
    // E26: Parquet that others can read, in folders by date
    await assertSameRows(
      events,
      `SELECT CAST(event_date AS DATE) AS event_date, count(*) AS n FROM read_parquet('{out}/lake/event_date=*/*.parquet', hive_partitioning = true) GROUP BY ALL ORDER BY ALL`,
      `SELECT CAST(t AS DATE) AS event_date, count(*) AS n FROM ${SENT} GROUP BY ALL ORDER BY ALL`,
    )
    // Ten epochs and more, and one file.
    const files = "SELECT CAST(count(*) AS INTEGER) AS n FROM glob('{out}/lake/event_date=*/*.parquet')"
    assert.deepEqual(await one(files), { n: 1 })
  })
})
