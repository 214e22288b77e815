// E8, E10-E13, C25: what the presets write to servers, when there are some.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PRESETS } from '../../src/pipelines/index.ts'
import { freshTopic, openTestLog, testKafka } from '../support/kafka.ts'
import { testPostgres } from '../support/postgres.ts'
import { askDuckDb, generatePreset, runPreset, succeed } from '../support/preset-run.ts'
import { requirement } from '../support/requirement.ts'

const TRAFFIC = ['--num-events', '3000', '--rate', '2', '--no-late-data']

test('on a bare machine every preset writes to files only', () => {
  for (const [name, preset] of PRESETS) {
    const kinds = preset.build().queries.flatMap(({ sinks }) => sinks.map(({ kind }) => kind))
    assert.ok(
      kinds.every((kind) => ['parquet', 'csv', 'json'].includes(kind)),
      name,
    )
  }
})

describe('a configured PostgreSQL server', requirement('postgres'), () => {
  const postgres = testPostgres()

  test('has the tables of user-activity with the rows of the files, and the last session of each user as a view', async (t) => {
    const events = await generatePreset(t, 'user-activity', ...TRAFFIC)
    const url = await postgres.database()
    const args = [
      'run',
      '--preset',
      'user-activity',
      'generated',
      '--once',
      '--output',
      'out',
      '--session-window',
      '20s',
    ]
    await succeed([...args, '--rows-per-epoch', '700'], events.folder, { DATABASE_URL: url })
    for (const [table, columns] of [
      ['page_view_counts', 'window_start, window_end, page_url, view_count'],
      ['active_users', 'window_start, window_end, active_user_count'],
      ['user_sessions', 'user_id, session_start_time, session_end_time, session_duration_seconds'],
    ] as const) {
      const files = await askDuckDb(`SELECT ${columns} FROM read_parquet('{out}/${table}/*.parquet')`, events)
      const rows = await postgres.query(url, `select ${columns} from ${table}`)
      const known = new Set(rows.map(plainRow))
      // Files have what is final, tables also what is still open.
      assert.ok(files.length > 0 && rows.length >= files.length, table)
      assert.deepEqual(
        files.filter((row) => !known.has(plainRow(row))),
        [],
      )
    }
    // E11-E13: these columns and keys, and no others
    assert.deepEqual(await tablesOf(url), [
      { name: 'active_users', columns: 'window_start, window_end, active_user_count', key: 'window_end, window_start' },
      {
        name: 'page_view_counts',
        columns: 'window_start, window_end, page_url, view_count',
        key: 'page_url, window_end, window_start',
      },
      {
        name: 'user_sessions',
        columns: 'user_id, session_start_time, session_end_time, session_duration_seconds',
        key: 'session_start_time, user_id',
      },
    ])
    assert.deepEqual(
      await postgres.query(url, 'select user_id, session_start_time from latest_user_sessions order by 1'),
      await postgres.query(
        url,
        'select user_id, max(session_start_time) as session_start_time from user_sessions group by 1 order by 1',
      ),
    )
    const [sums] = await postgres.query(
      url,
      'select (select count(*) from user_sessions)::int as sessions, (select count(*) from latest_user_sessions)::int as users',
    )
    assert.ok(Number(sums?.['sessions']) > Number(sums?.['users']))
  })

  function tablesOf(url: string): Promise<Record<string, unknown>[]> {
    return postgres.query(
      url,
      `select relname as name,
        (select string_agg(attname, ', ' order by attnum) from pg_attribute where attrelid = c.oid and attnum > 0) as columns,
        (select string_agg(attname, ', ' order by attname) from pg_index join pg_attribute on attrelid = indrelid and attnum = any(indkey)
          where indrelid = c.oid and indisunique) as key
      from pg_class c where relkind = 'r' and relnamespace = 'public'::regnamespace and relname not like 'millrace%' order by 1`,
    )
  }

  test('has the tables of url-device-activity', async (t) => {
    const events = await generatePreset(t, 'url-device-activity', '--num-events', '2000', '--rate', '5')
    const url = await postgres.database()
    const input = ['--input', events.files, '--once', '--output', 'out']
    await succeed(['run', '--preset', 'url-device-activity', ...input], events.folder, { MILLRACE_POSTGRES_URL: url })
    for (const table of ['url_counts', 'device_counts', 'user_activity']) {
      const files = await askDuckDb(
        `SELECT CAST(count(*) AS INTEGER) AS n FROM read_json('{out}/${table}/*.ndjson', format = 'newline_delimited')`,
        events,
      )
      assert.deepEqual(await postgres.query(url, `select count(*)::int as n from ${table}`), files)
      assert.ok(Number(files[0]?.['n']) > 0)
    }
  })
})

describe('a configured Kafka cluster', requirement('kafka'), () => {
  test('gets the enriched events of user-activity, each once and with the time it was read', async (t) => {
    const events = await generatePreset(t, 'user-activity', ...TRAFFIC)
    const { bootstrap } = await testKafka()
    const topic = 'enriched_activity'
    const log = await openTestLog(bootstrap)
    t.after(() => log.close())
    const before = await log.topicOffsets(topic).catch(() => [])
    await runPreset('user-activity', events, 'files', '--bootstrap-servers', bootstrap, '--run-id', freshTopic('run'))
    const after = await log.topicOffsets(topic)
    const peek = ['topics', 'peek', topic, '--count', '1000000', '--json', '--bootstrap-servers', bootstrap]
    const records = (await succeed(peek, events.folder))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { partition: number; offset: number; value: string })
    const fresh = records.filter(({ partition, offset }) => offset >= (before[partition]?.end ?? 0))
    assert.ok(after.length > 0)
    assert.equal(fresh.length, 3000)
    for (const { value } of fresh) {
      const { event_time, user_id, processing_time } = JSON.parse(value) as Record<string, string>
      assert.ok(user_id && event_time && Date.parse(processing_time ?? '') > 0)
    }
  })
})

/** A row of either database as text: times as ms since 1970, numbers however they are given. */
function plainRow(row: Readonly<Record<string, unknown>>): string {
  const plain = Object.entries(row).map(([name, value]) => {
    if (!/_(start|end|time)$/.test(name)) return String(value)
    return value instanceof Date
      ? value.getTime()
      : Date.parse(`${String(value).replace(' ', 'T').replace('+00', 'Z')}`)
  })
  return JSON.stringify(plain)
}
