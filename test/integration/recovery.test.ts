import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { originOf } from '../../src/generator/origin.ts'
import { truth } from '../../src/generator/truth.ts'
import { openEmbeddedLog } from '../../src/log/embedded-log.ts'
import { runMillrace, temporaryFolder } from '../support/run-millrace.ts'

interface Summary {
  readonly rowsRead: number
  readonly fates: Readonly<Record<string, number>>
  readonly queries: Readonly<Record<string, { readonly rows: number }>>
  readonly firstResultMs: number | null
}

const DEMO = ['demo', '--no-open', '--json', '--port', '0', '--rate', '3000', '--home', 'demo']

test('a demo that ends by itself: fates add up, and the Parquet files hold what the generator made', async (t) => {
  const folder = await temporaryFolder(t)
  const run = await runMillrace(['demo', '--no-open', '--json', '--port', '0', '--duration', '3s'], {
    cwd: folder,
    env: { TMPDIR: folder },
  })
  assert.equal(run.code, 0, run.stderr)
  const summary = JSON.parse(run.stdout) as Summary
  assert.equal(total(summary.fates), summary.rowsRead)
  assert.ok(summary.firstResultMs !== null && summary.firstResultMs > 0)
  const home = /results {2}(.*)\/output/.exec(run.stderr)?.[1]
  assert.ok(home)
  const expected = await generated(join(home, 'log'))
  assert.equal(summary.rowsRead, expected.rows)
  assert.deepEqual(await parquetTotals(join(home, 'output/page_metrics')), {
    events: expected.counted,
    cents: expected.revenueCents,
  })
})

for (const [signal, name] of [
  ['SIGINT', 'stopped with Ctrl-C'],
  ['SIGKILL', 'killed'],
] as const) {
  test(`a demo that is ${name} again and again goes on: nothing is lost, nothing counted twice`, async (t) => {
    const folder = await temporaryFolder(t)
    for (const afterMs of [700, 1_500, 2_500]) {
      const run = await runMillrace(DEMO, { cwd: folder, killWhen: { text: /windows {2}/, signal, afterMs } })
      assert.equal(run.code, signal === 'SIGINT' ? 0 : null, run.stderr)
    }
    const last = await runMillrace([...DEMO, '--duration', '12s'], { cwd: folder })
    assert.equal(last.code, 0, last.stderr)
    const summary = JSON.parse(last.stdout) as Summary
    const expected = await generated(join(folder, 'demo/log'))
    assert.equal(summary.rowsRead, expected.rows)
    assert.equal(total(summary.fates), summary.rowsRead)
    assert.equal(summary.fates['malformed'], expected.rowsByPlant.malformed)
    // Windows that are still open are not in the files yet: the rows that are there are whole windows of the truth.
    const found = await parquetWindows(join(folder, 'demo/output/page_metrics'))
    assert.ok(found.length > 0, 'a window has closed')
    for (const { windowStartMs, events } of found) {
      const pages = expected.pages.filter((page) => page.windowStartMs === windowStartMs)
      assert.equal(
        events,
        pages.reduce((sum, page) => sum + page.events, 0),
        new Date(windowStartMs).toISOString(),
      )
    }
  })
}

async function generated(logFolder: string): Promise<ReturnType<typeof truth>> {
  const log = await openEmbeddedLog(logFolder, { mode: 'read' })
  const topic = await log.describeTopic('events')
  await log.close()
  assert.ok(topic)
  return truth(
    originOf(topic),
    topic.offsets.map(({ end }) => end),
    { windowSizeMs: 10_000 },
  )
}

async function parquetTotals(folder: string): Promise<{ events: number; cents: number }> {
  const [row] = await query(
    `select sum(events)::int as events, sum(revenue * 100)::int as cents from read_parquet('${folder}/*.parquet')`,
  )
  return { events: Number(row?.['events']), cents: Number(row?.['cents']) }
}

async function parquetWindows(folder: string): Promise<{ windowStartMs: number; events: number }[]> {
  const rows = await query(
    `select epoch_ms(window_start)::bigint as start, sum(events)::int as events from read_parquet('${folder}/*.parquet') group by all order by 1`,
  )
  return rows.map((row) => ({ windowStartMs: Number(row['start']), events: Number(row['events']) }))
}

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson() as Record<string, unknown>[]
  } finally {
    connection.closeSync()
  }
}

function total(fates: Readonly<Record<string, number>>): number {
  return Object.values(fates).reduce((sum, rows) => sum + rows, 0)
}
