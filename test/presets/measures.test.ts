// C12-C14: each measure of docs/measures.md says of the results what other SQL says of the events themselves.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { findFences } from '../support/markdown.ts'
import { askDuckDb, generatePreset, runPreset, succeed } from '../support/preset-run.ts'

const page = readFileSync('docs/measures.md', 'utf8')
const measures = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.split(' (')[0] as string, findFences(section)[0]?.code.trim() ?? '']),
)

const EVENTS = `(SELECT DISTINCT ON (event_id) CAST(timestamp AS TIMESTAMP) AS t, * FROM read_json('{files}', format = 'newline_delimited',
  columns = {event_id: 'VARCHAR', user_id: 'VARCHAR', url: 'VARCHAR', action: 'VARCHAR', timestamp: 'VARCHAR', device: 'VARCHAR'}))`
const IN_WINDOWS = `(SELECT time_bucket(INTERVAL 1 MINUTE, t) - k * INTERVAL 1 MINUTE AS w, * FROM ${EVENTS}, (SELECT unnest(range(5)) AS k))`
const MORE = "(action IN ('click', 'scroll', 'hover'))::INT"

/** The same from the events, by the name of the measure. */
const EXPECTED: Readonly<Record<string, string>> = {
  'Most visited URLs': `SELECT url, count(*) AS visits FROM ${EVENTS} GROUP BY url ORDER BY visits DESC, url LIMIT 10`,
  'Peak period': `SELECT w, count(*) AS n FROM ${IN_WINDOWS} GROUP BY w ORDER BY n DESC, w LIMIT 1`,
  'Access pattern': `SELECT hour(w) AS h, count(*) / (SELECT count(*) FROM ${IN_WINDOWS}) AS share FROM ${IN_WINDOWS} GROUP BY h ORDER BY h`,
  'Device mix': `SELECT device, count(*) / (SELECT count(*) FROM ${EVENTS}) AS share FROM ${EVENTS} GROUP BY device ORDER BY device`,
  'Device of each window': `SELECT w, first(device ORDER BY n DESC, device) AS device FROM (SELECT w, device, count(*) AS n FROM ${IN_WINDOWS} GROUP BY ALL) GROUP BY w ORDER BY w`,
  'Trend of a device': `WITH n AS (SELECT w, device, count(*) AS n FROM ${IN_WINDOWS} GROUP BY ALL)
    SELECT now.w, now.device, now.n / before.n - 1 AS change FROM n AS now LEFT JOIN n AS before
    ON before.device = now.device AND before.w = now.w - INTERVAL 5 MINUTE ORDER BY now.device, now.w`,
  'Active users': `SELECT w, count(DISTINCT user_id) AS users FROM ${IN_WINDOWS} GROUP BY w ORDER BY w`,
  'Time spent': `SELECT w, avg(s) AS seconds FROM (SELECT w, epoch(max(t)) - epoch(min(t)) AS s FROM ${IN_WINDOWS} GROUP BY w, user_id) GROUP BY w ORDER BY w`,
  Engagement: `SELECT w, sum(${MORE}) / count(DISTINCT user_id) AS a, sum(${MORE}) / count(*) AS b FROM ${IN_WINDOWS} GROUP BY w ORDER BY w`,
}

test('each measure has a formula, and what it says is true of the events', async (t) => {
  const traffic = ['--num-events', '3000', '--rate', '1', '--users', '60', '--duplicates', '2%']
  const events = await generatePreset(t, 'url-device-activity', ...traffic)
  await runPreset('url-device-activity', events, 'files')
  assert.deepEqual([...measures.keys()], Object.keys(EXPECTED))
  for (const [name, sql] of measures) {
    const asked = await succeed(['query', '--folder', 'out', '--json', sql], events.folder)
    const { rows } = JSON.parse(asked) as { rows: unknown[][] }
    const expected = await askDuckDb(EXPECTED[name] as string, events)
    assert.ok(rows.length > 0, name)
    assert.deepEqual(
      rows.map(plain),
      expected.map((row) => plain(Object.values(row))),
      name,
    )
  }
})

/** Numbers to nine digits, times as ms since 1970. */
function plain(cells: readonly unknown[]): unknown[] {
  return cells.map((cell) => {
    if (cell === null) return null
    const text = String(cell)
    if (/^-?[\d.]+(e-?\d+)?$/.test(text)) return Number(text).toPrecision(9)
    const time = /^\d{4}-\d\d-\d\d/.test(text)
      ? Date.parse(text.endsWith('Z') ? text : `${text.replace(' ', 'T')}Z`)
      : Number.NaN
    return Number.isNaN(time) ? text : time
  })
}
