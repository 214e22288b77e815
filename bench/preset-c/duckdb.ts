// What a database makes of the same lines at once: `node duckdb.ts EVENTS OUTPUT`. A process of its own, so that its memory is known.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'

const [events = '', output = ''] = process.argv.slice(2)

const QUERIES: Readonly<Record<string, string>> = {
  url_counts: 'url, count(*) AS count, approx_count_distinct(user_id) AS users',
  device_counts: 'device, browser, count(*) AS count, approx_count_distinct(user_id) AS users',
  user_activity: `user_id, count(*) AS events, count(*) FILTER (action = 'click') AS clicks,
    count(*) FILTER (action = 'view') AS views, count(*) FILTER (action = 'scroll') AS scrolls,
    count(*) FILTER (action = 'hover') AS hovers, count(DISTINCT session_id) AS sessions, count(DISTINCT url) AS urls,
    min(t) AS first_event, max(t) AS last_event`,
}

const database = await DuckDBInstance.create(':memory:')
const connection = await database.connect()
await connection.run("SET TimeZone = 'UTC'")
await connection.run(`CREATE TABLE events AS
  SELECT DISTINCT ON (event_id) CAST(timestamp || 'Z' AS TIMESTAMPTZ) AS t, user_id, url, action, session_id, device, browser
  FROM read_json('${events}', format = 'newline_delimited', columns = {event_id: 'UUID', user_id: 'VARCHAR', url: 'VARCHAR',
    action: 'VARCHAR', timestamp: 'VARCHAR', session_id: 'VARCHAR', device: 'VARCHAR', browser: 'VARCHAR'})`)
mkdirSync(output, { recursive: true })
for (const [name, columns] of Object.entries(QUERIES)) {
  await connection.run(`COPY (
    SELECT time_bucket(INTERVAL 1 MINUTE, t) - k * INTERVAL 1 MINUTE AS window_start, ${columns}
    FROM events, (SELECT unnest(range(5)) AS k) GROUP BY ALL
  ) TO '${join(output, `${name}.ndjson`)}' (FORMAT json)`)
}
connection.closeSync()
database.closeSync()
