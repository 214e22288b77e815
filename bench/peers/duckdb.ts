// The queries as one batch over a file that is parsed once: what an engine for tables needs that sees all events at once and keeps no state.
//   duckdb.ts EVENTS.ndjson OUTPUT

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'

const [lines = '', output = ''] = process.argv.slice(2)
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`

const instance = await DuckDBInstance.create(':memory:')
const connection = await instance.connect()
await connection.run("set threads = 2; set TimeZone = 'UTC'; set preserve_insertion_order = false")
await connection.run(
  `create temp table events as select * from read_json(${quoted(lines)}, format = 'newline_delimited', columns = {
     event_time: 'timestamp', user_id: 'varchar', device: 'varchar', browser: 'varchar', page_url: 'varchar' })
   where browser <> 'closing'`,
)
const tumbling = `time_bucket(interval 5 minutes, event_time) as window_start, window_start + interval 5 minutes as window_end`
// A sliding window is five panes of a minute.
await write(
  'page_views',
  `with panes as (select time_bucket(interval 1 minute, event_time) as minute, page_url, count(*) as events from events group by all)
   select minute - k * interval 1 minute as window_start, minute + (5 - k) * interval 1 minute as window_end, page_url, sum(events)::bigint as events
   from panes, range(5) as r(k) group by all`,
)
await write('devices', `select ${tumbling}, device, browser, count(*) as events from events group by all`)
await write(
  'visitors',
  `select ${tumbling}, user_id, count(*) as events, count(distinct page_url) as pages from events group by all`,
)
connection.closeSync()

async function write(name: string, sql: string): Promise<void> {
  mkdirSync(join(output, name), { recursive: true })
  await connection.run(`copy (${sql}) to ${quoted(join(output, name, 'rows.json'))} (format json)`)
}
