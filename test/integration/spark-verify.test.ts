import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { openEmbeddedLog } from '../../src/log/embedded-log.ts'
import { readValues } from '../support/generated-topic.ts'
import { succeed } from '../support/preset-run.ts'
import { requirement } from '../support/requirement.ts'
import { runMillrace, temporaryFolder } from '../support/run-millrace.ts'
import { testSpark } from '../support/spark.ts'

/** The windowed queries of a preset that Spark can run, and events with which all of them close windows and have late rows. */
interface Case {
  readonly preset: string
  /** Between events, of 8,000; so much less of more that late rows come late for a micro-batch, too. */
  readonly seconds: number
  /** How late the late ones are, and who the others are. */
  readonly traffic: readonly string[]
  /** Rows that each query gives at least, of 8,000 events. */
  readonly rows: Readonly<Record<string, number>>
  /** Queries that Spark cannot do. */
  readonly refused?: readonly string[]
}

const FULL = process.env['MILLRACE_TEST_SCALE'] === 'full'
const EVENTS = FULL ? 1_000_000 : 8_000
// Rows are late by the watermark of the micro-batch before: only from the third on.
const CUTS = FULL ? 12 : 3
const DENSITY = FULL ? 40 : 1
const TROUBLE = '--late 4% --out-of-order 10% --duplicates 1% --malformed 0.2% --invalid 0.5% --partitions 4'.split(' ')

const CASES: readonly Case[] = [
  {
    preset: 'page-geo-sessions',
    seconds: 0.05,
    traffic: ['--late-min', '1m', '--late-max', '6m'],
    rows: { page_metrics: 1_000, geo_metrics: 300, sessions: 300 },
  },
  {
    preset: 'user-activity',
    seconds: 3,
    traffic: ['--users', FULL ? '80000' : '2000', '--user-skew', '0', '--late-min', '20m', '--late-max', '6h'],
    rows: { page_view_counts: 1_000, active_users: 300, user_sessions: 1_000 },
  },
  {
    preset: 'online-model',
    seconds: 60,
    traffic: ['--late-min', '25h', '--late-max', '120h', '--base-purchase-probability', '0.5'],
    rows: { purchases_per_user: 20 },
    refused: ['features', 'predictions', 'model_metrics', 'model_weights'],
  },
  {
    preset: 'url-device-activity',
    seconds: 0.5,
    traffic: ['--late-min', '15m', '--late-max', '60m'],
    rows: { url_counts: 1_000, device_counts: 300, user_activity: 1_000 },
  },
  {
    preset: 'ecommerce',
    seconds: 1,
    traffic: ['--late-min', '15m', '--late-max', '120m'],
    rows: {
      event_counts: 100,
      user_activity: 1_000,
      purchase_metrics: 3,
      session_metrics: 1_000,
      device_stats: 50,
      user_sessions: 100,
    },
    refused: ['checkout'],
  },
]

describe('Spark and Millrace give the same rows', requirement('spark'), () => {
  for (const one of CASES) {
    test(`of the preset ${one.preset}, from files with disorder, late and broken rows`, async (t) => {
      const input = await generatedFiles(t, one)
      const remote = await testSpark()
      const work = join(input.folder, 'work')
      const sizes = ['--cuts', String(CUTS), '--shuffle-partitions', FULL ? '2' : '1']
      const args = [
        'spark',
        'verify',
        '--preset',
        one.preset,
        '--input',
        input.files,
        '--remote',
        remote,
        '--work',
        work,
      ]
      const { code, stdout, stderr } = await runMillrace([...args, ...sizes, '--json'], { cwd: input.folder })
      assert.equal(code, 0, stderr + stdout)
      const refused = [...stderr.matchAll(/not compared: (\w+):/g)].map(([, query]) => query)
      assert.deepEqual([...new Set(refused)], one.refused ?? [])
      const verdicts = JSON.parse(stdout) as readonly Verdict[]
      assert.deepEqual(verdicts.map(({ query }) => query).sort(), Object.keys(one.rows).sort())
      for (const { query, rows, equal, lateRows, batches, first } of verdicts) {
        assert.deepEqual([query, first], [query, undefined])
        assert.equal(equal, rows, query)
        assert.ok(rows >= (one.rows[query] as number), `${query} has closed windows with ${rows} rows`)
        assert.ok(lateRows > 0, `${query} has late rows`)
        assert.ok(batches >= CUTS, `${query} took ${batches} micro-batches`)
      }
    })
  }
})

interface Verdict {
  readonly query: string
  readonly rows: number
  readonly equal: number
  readonly batches: number
  readonly lateRows: number
  readonly first?: unknown
}

/** The records of a generated topic as files, one for each partition. */
async function generatedFiles(
  t: TestContext,
  { preset, seconds, traffic }: Case,
): Promise<{ folder: string; files: string }> {
  const folder = await temporaryFolder(t)
  const amount = [
    '--num-events',
    String(EVENTS),
    '--flat-out',
    '--start',
    '2022-11-01T00:00:00Z',
    '--topic',
    'generated',
  ]
  const pace = ['--interval', String(seconds / DENSITY)]
  await succeed(['generate', '--preset', preset, ...amount, ...pace, ...traffic, ...TROUBLE], folder)
  const log = await openEmbeddedLog(join(folder, 'home', 'log'), { mode: 'read' })
  try {
    await mkdir(join(folder, 'events'))
    for (const [partition, values] of (await readValues(log, 'generated')).entries()) {
      const lineFeed = Buffer.from('\n')
      const bytes = Buffer.concat(values.flatMap((value) => [value, lineFeed]))
      await writeFile(join(folder, 'events', `${partition}.ndjson`), bytes)
    }
  } finally {
    await log.close()
  }
  return { folder, files: join(folder, 'events', '*.ndjson') }
}
