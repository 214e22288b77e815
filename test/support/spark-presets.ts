import assert from 'node:assert/strict'

/** The windowed queries of a preset that Spark can run, and events with which all of them close windows and have late rows. */
export interface PresetOnSpark {
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

/** What a command has ended with. */
interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface Verdict {
  readonly query: string
  readonly rows: number
  readonly equal: number
  readonly batches: number
  readonly lateRows: number
  readonly first?: unknown
}

export const PRESETS_ON_SPARK: readonly PresetOnSpark[] = [
  {
    preset: 'page-geo-sessions',
    seconds: 0.05,
    traffic: ['--late-min', '1m', '--late-max', '6m'],
    rows: { page_metrics: 1_000, geo_metrics: 300, sessions: 300 },
  },
  {
    preset: 'user-activity',
    seconds: 3,
    traffic: ['--user-skew', '0', '--late-min', '20m', '--late-max', '6h'],
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

/** Options of `generate` for so many events of a preset with all the trouble that real ones have, fields without a value among it. */
export function troubledTraffic({ preset, seconds, traffic }: PresetOnSpark, events: number): string[] {
  const pace = seconds / Math.max(1, events / 25_000)
  const trouble = '--late 4% --out-of-order 10% --duplicates 1% --malformed 0.2% --invalid 0.5% --partitions 4'
  const amount = `--num-events ${events} --flat-out --start 2022-11-01T00:00:00Z --interval ${pace} ${trouble}`.split(
    ' ',
  )
  const users = preset === 'user-activity' ? ['--users', String(Math.max(2_000, events * 0.08))] : []
  return ['--preset', preset, ...amount, ...users, ...traffic]
}

/** `spark verify --json` has compared all that Spark can do of a preset, in so many micro-batches at least, and has found no difference. Returns what there was to compare, for people. */
export function assertEqualOnSpark(one: PresetOnSpark, { code, stdout, stderr }: Ended, cuts: number): string {
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
    assert.ok(batches >= cuts, `${query} took ${batches} micro-batches`)
  }
  return verdicts
    .map(({ query, rows, lateRows }) => `${query}: ${rows} rows are equal, ${lateRows} were late`)
    .join('; ')
}
