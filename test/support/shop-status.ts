import type {
  ColumnView,
  JobStatus,
  PartitionStatus,
  QueryView,
  SparkQueryStatus,
  WindowRows,
} from '../../src/job/status.ts'
import type { Metrics } from '../../src/ml/metrics/prequential.ts'
import type { ModelEvent } from '../../src/ml/model-event.ts'
import type { ModelSummary } from '../../src/ml/model-summary.ts'
import type { Fate } from '../../src/plan/fate.ts'

/** When the shop of `shopStatus` opens. */
export const SHOP_START_MS: number = Date.UTC(2026, 2, 14, 10, 4, 3)

const DELAY_MS = 5_000
const EVENTS_PER_MS = 2.1
const LATE_SHARE = 0.011

const PAGES: readonly (readonly [string, number])[] = [
  ['/', 210],
  ['/search?q=running+shoes', 128],
  ['/products/trail-runner-3', 97],
  ['/cart', 82],
  ['/categories/outdoor', 70],
  ['/products/merino-base-layer', 55],
  ['/checkout', 41],
  ['/products/down-jacket', 38],
  ['/account/orders', 24],
  ['/help/returns', 17],
  ['/products/carbon-poles', 12],
  ['/stores/berlin', 8],
]

const PLACES: readonly (readonly [string, string, number])[] = [
  ['DE', 'Chrome', 160],
  ['US', 'Safari', 148],
  ['US', 'Chrome', 131],
  ['FR', 'Firefox', 72],
  ['GB', 'Chrome', 66],
  ['JP', 'Safari', 41],
  ['BR', 'Chrome', 33],
]

/**
 * What a job over a web shop's clicks would say `elapsedMs` after its start, with windows of 10 and 30 seconds and four partitions,
 * of which one is a little behind and one falls silent after half a minute. A pure function of the time.
 */
export function shopStatus(elapsedMs: number): JobStatus {
  const nowMs = SHOP_START_MS + elapsedMs
  const rowsRead = Math.floor(elapsedMs * EVENTS_PER_MS)
  const partitions = shopPartitions(elapsedMs)
  const watermarkMs = elapsedMs === 0 ? null : nowMs - 620 - DELAY_MS
  const queries = elapsedMs === 0 ? [] : [pageQuery(nowMs, watermarkMs ?? 0), placeQuery(nowMs, watermarkMs ?? 0)]
  const late = Math.floor(rowsRead * LATE_SHARE)
  const fates = { ...NO_FATES, late, duplicate: Math.floor(rowsRead * 0.004), malformed: Math.floor(rowsRead * 0.0009) }
  const invalid = Math.floor(rowsRead * 0.0017)
  const accepted = rowsRead - fates.late - fates.duplicate - fates.malformed - invalid
  return {
    pipeline: 'page-metrics',
    state: elapsedMs === 0 ? 'starting' : 'running',
    startedAtMs: SHOP_START_MS,
    nowMs,
    epoch: Math.floor(elapsedMs / 500),
    rowsRead,
    bytesRead: rowsRead * 312,
    eventsPerSecond: elapsedMs === 0 ? 0 : 2_100 + 260 * Math.sin(elapsedMs / 9_000) + 90 * Math.sin(elapsedMs / 1_300),
    latency: elapsedMs === 0 ? null : shopLatency(rowsRead),
    fates: { ...fates, invalid, accepted },
    reasons: [
      { fate: 'late', rule: 'watermark', rows: late },
      { fate: 'duplicate', rule: 'event_id', rows: fates.duplicate },
      { fate: 'invalid', rule: 'purchase-has-amount', rows: Math.ceil(invalid * 0.7) },
      { fate: 'malformed', rule: 'not-json', rows: fates.malformed },
      { fate: 'invalid', rule: 'event_time', rows: Math.floor(invalid * 0.3) },
    ].filter((reason) => reason.rows > 0) as JobStatus['reasons'],
    partitions,
    watermarks: [
      {
        id: 'page_metrics/watermark',
        delayMs: DELAY_MS,
        watermarkMs,
        maxEventTimeMs: elapsedMs === 0 ? null : nowMs - 80,
        why:
          elapsedMs === 0
            ? 'waiting for the first event'
            : `5s behind events-2, the partition that is furthest behind, at ${new Date(nowMs - 620).toISOString()}`,
        heldByPartition: elapsedMs === 0 ? null : 2,
        sinceMs: SHOP_START_MS + Math.floor(elapsedMs / 20_000) * 20_000,
      },
    ],
    queries,
    models: [shopModel(Math.floor(elapsedMs / 100))],
    sinks: shopSinks(elapsedMs),
    epochs: Array.from({ length: Math.min(20, Math.floor(elapsedMs / 500)) }, (_, index) => ({
      epoch: Math.floor(elapsedMs / 500) - index,
      rows: 1_050,
      computeMs: 4.2 + noise(index),
      prepareMs: 2.1,
      commitMs: 1.3,
    })).reverse(),
    recovery: null,
    error: null,
  }
}

function shopLatency(rows: number): JobStatus['latency'] {
  const shares = { 100: 0.1, 250: 0.64, 500: 0.99, 1000: 1, 2500: 1 }
  const buckets = Object.entries(shares).map(([leMs, share]) => ({
    leMs: Number(leMs),
    rows: Math.floor(rows * share),
  }))
  return { p50Ms: 212, p99Ms: 487, maxMs: 530, sinceStart: { buckets, rows, sumMs: rows * 230 } }
}

/** The same job when nothing has arrived yet. */
export function emptyStatus(): JobStatus {
  const opening = shopStatus(0)
  return {
    ...opening,
    state: 'running',
    nowMs: SHOP_START_MS + 2_500,
    queries: shopStatus(1_000).queries.map((query) => ({
      ...query,
      rowsEmitted: 0,
      stateRows: 0,
      openWindows: [],
      windows: [],
    })),
  }
}

/** The same shop, run by Spark: a query that does well, one whose server is away, and one that has not answered yet. */
export function sparkShopStatus(elapsedMs: number): JobStatus {
  const { startedAtMs, nowMs, pipeline } = shopStatus(elapsedMs)
  const running: SparkQueryStatus = {
    name: 'page_metrics.parquet',
    state: 'running',
    restarts: 0,
    batches: 252,
    batchRows: 10_412,
    batchLateRows: 118,
    batchMs: 1_412,
    stateRows: 28_344,
    watermarkMs: nowMs - 7_000,
    relayedRows: null,
  }
  const unknown = { batchRows: null, batchLateRows: null, batchMs: null, stateRows: null, watermarkMs: null }
  return {
    ...emptyStatus(),
    pipeline,
    startedAtMs,
    nowMs,
    state: 'recovering',
    spark: [
      running,
      { ...running, name: 'geo_metrics.postgres', state: 'lost', restarts: 2, batches: 1_250, relayedRows: 18_230 },
      {
        ...running,
        ...unknown,
        name: 'a_query_with_a_name_that_is_longer_than_its_column.json',
        state: 'starting',
        batches: 0,
      },
    ],
  }
}

/** The same job after its disk was full. */
export function failedStatus(elapsedMs: number): JobStatus {
  const running = shopStatus(elapsedMs)
  return {
    ...running,
    state: 'failed',
    eventsPerSecond: 0,
    recovery: 'went on after epoch 41, 1 epoch computed again',
    error: {
      message: 'cannot write out/page_metrics/dt=2026-03-14: no space left on device',
      hint: 'free some space and start again with the same --home; nothing is lost',
    },
    sinks: running.sinks.map((sink, index) =>
      index === 0 ? { ...sink, lastError: 'no space left on device', nextTryMs: running.nowMs + 4_000 } : sink,
    ),
  }
}

/** The same job when its input has ended: every window is closed, time has no watermark any more. */
export function finishedStatus(elapsedMs: number): JobStatus {
  const running = shopStatus(elapsedMs)
  return {
    ...running,
    state: 'finished',
    eventsPerSecond: 0,
    watermarks: running.watermarks.map((watermark) => ({
      ...watermark,
      watermarkMs: null,
      why: 'the input has ended and every window is closed',
      heldByPartition: null,
    })),
    queries: running.queries.map((query) => ({
      ...query,
      windowSizeMs: null,
      openWindows: [],
      windows: query.windows.map((window) => ({ ...window, closed: true })),
    })),
    partitions: running.partitions.map((partition) => ({ ...partition, ended: true })),
  }
}

const NO_FATES: Readonly<Record<Fate, number>> = {
  malformed: 0,
  invalid: 0,
  filtered: 0,
  future: 0,
  expired: 0,
  duplicate: 0,
  late: 0,
  accepted: 0,
}

function shopPartitions(elapsedMs: number): PartitionStatus[] {
  const silentAtMs = 32_000
  return [80, 210, 620, 140].map((behindMs, index) => {
    const activeMs = index === 3 ? Math.min(elapsedMs, silentAtMs) : elapsedMs
    const position = Math.floor((activeMs * EVENTS_PER_MS) / 4)
    return {
      id: `events-${index}`,
      position,
      endOffset: position + Math.floor(noise(index + Math.floor(elapsedMs / 250)) * 300 * (index === 2 ? 6 : 1)),
      maxEventTimeMs: elapsedMs === 0 ? null : SHOP_START_MS + activeMs - behindMs,
      idleSinceMs: activeMs < elapsedMs - 10_000 ? SHOP_START_MS + silentAtMs : null,
      ended: false,
    }
  })
}

function pageQuery(nowMs: number, watermarkMs: number): QueryView {
  const columns = columnsOf([
    'page_url:string:key',
    'pageviews:int64:value',
    'users:int64:value',
    'revenue:decimal:value',
  ])
  return shopQuery('page_metrics', 10_000, columns, nowMs, watermarkMs, (secondsOpen, seed) =>
    PAGES.map(([page, weight], index) => {
      const views = Math.round(secondsOpen * weight * (0.8 + 0.4 * noise(seed + index)))
      const revenue = page === '/checkout' ? Math.round(views * 5417) / 100 : 0
      return [page, views, Math.round(views * 0.71), revenue]
    }),
  )
}

function placeQuery(nowMs: number, watermarkMs: number): QueryView {
  const columns = columnsOf(['country:string:key', 'browser:string:key', 'events:int64:value'])
  return shopQuery('geo_metrics', 30_000, columns, nowMs, watermarkMs, (secondsOpen, seed) =>
    PLACES.map(([country, browser, weight], index) => [
      country,
      browser,
      Math.round(secondsOpen * weight * (0.8 + 0.4 * noise(seed + index))),
    ]),
  )
}

type Rows = (string | number)[][]

function shopQuery(
  name: string,
  windowSizeMs: number,
  columns: readonly ColumnView[],
  nowMs: number,
  watermarkMs: number,
  rowsOf: (secondsOpen: number, seed: number) => Rows,
): QueryView {
  const windows: WindowRows[] = []
  const firstMs = Math.max(Math.floor(SHOP_START_MS / windowSizeMs), Math.floor(watermarkMs / windowSizeMs) - 6)
  for (let startMs = firstMs * windowSizeMs; startMs < nowMs; startMs += windowSizeMs) {
    const endMs = startMs + windowSizeMs
    const secondsOpen = (Math.min(endMs, nowMs) - Math.max(startMs, SHOP_START_MS)) / 1_000
    if (secondsOpen <= 0 || endMs <= SHOP_START_MS) continue
    const rows = rowsOf(secondsOpen, startMs / windowSizeMs).sort((left, right) => rank(right) - rank(left))
    windows.unshift({ startMs, endMs, closed: endMs <= watermarkMs, groups: rows.length * 4 + 3, rows })
  }
  const open = windows.filter((window) => !window.closed)
  return {
    name,
    windowSizeMs,
    closesAfterMs: 0,
    rowsEmitted: windows.filter((window) => window.closed).length * 51,
    lateRows: Math.floor((nowMs - SHOP_START_MS) * EVENTS_PER_MS * LATE_SHARE),
    stateRows: open.length * 51,
    openWindows: open.map(({ startMs, endMs, groups }) => ({ startMs, endMs, groups })).reverse(),
    columns,
    windows,
  }
}

function columnsOf(keyed: readonly string[]): ColumnView[] {
  return ['window_start:timestamp:window', 'window_end:timestamp:window', ...keyed].map((text) => {
    const [name = '', type = '', role = ''] = text.split(':')
    return { name, type, role: role as ColumnView['role'] }
  })
}

function rank(row: Rows[number]): number {
  return row.find((cell) => typeof cell === 'number') ?? 0
}

function shopSinks(elapsedMs: number): JobStatus['sinks'] {
  const epoch = Math.max(0, Math.floor(elapsedMs / 500) - 1)
  const windows = Math.floor(Math.max(0, elapsedMs - 9_000) / 10_000)
  const common = { lastError: null, nextTryMs: null, committedEpoch: epoch }
  return [
    { name: 'page_metrics.parquet', query: 'page_metrics', kind: 'parquet', target: 'out/page_metrics', ...common },
    { name: 'geo_metrics.csv', query: 'geo_metrics', kind: 'csv', target: 'out/geo_metrics', ...common },
  ].map((sink, index) => ({
    ...sink,
    rows: windows * (51 - index * 20),
    files: windows,
    bytes: windows * 6_214,
    waitingRows: index === 0 ? null : 31,
  }))
}

/** Between 0 and 1, the same for the same seed. */
function noise(seed: number): number {
  const value = Math.sin(seed * 12.9898) * 43758.5453
  return value - Math.floor(value)
}

/** A funnel of the shop, with one window that is final. */
export function shopFunnel(): QueryView {
  const columns = columnsOf([
    ...[
      'step:int32:key',
      'step_name:string:key',
      'entered:int64:value',
      'converted:int64:value',
      'dropped:int64:value',
    ],
    ...['median_seconds:float64:value', 'mean_seconds:decimal:value'],
  ])
  const rows = [
    [1, 'item', 1240, 310, 930, 95.25, 118.4],
    [2, 'cart', 310, 93, 217, 61, 70.2],
    [3, 'order', 93, 0, 0, null, null],
  ]
  const startMs = Date.UTC(2026, 2, 14, 9)
  return {
    name: 'checkout',
    windowSizeMs: 600_000,
    closesAfterMs: 1_800_000,
    rowsEmitted: 3,
    lateRows: 0,
    stateRows: 0,
    openWindows: [],
    columns,
    windows: [{ startMs, endMs: startMs + 600_000, closed: true, groups: 3, rows: rows.toReversed() }],
  }
}

const SAID = [0.004, 0.009, 0.016, 0.022, 0.031, 0.044, 0.058, 0.079, 0.112, 0.168]
const CAME = [0.01, 0, 0.01, 0.03, 0.02, 0.05, 0.07, 0.06, 0.11, 0.15]

/** A model of purchases that learns: better than the base rate, with every version a little more so. */
export function shopModel(version: number): ModelSummary {
  return {
    name: 'purchase',
    model: 'purchase',
    role: 'champion',
    className: null,
    version,
    kept: [],
    events: [
      { kind: 'drift', outcome: 61, predicted: 248, version: 61, toVersion: null, reason: 'adwin raised an alarm' },
    ].filter((event) => event.version <= version) as readonly ModelEvent[],
    report:
      version === 0
        ? null
        : {
            updates: version,
            outcomes: 40,
            metrics: shopModelMetrics(0.18 + 0.015 / Math.sqrt(version + 1)),
            intercept: -3.1,
            batch: null,
            counts: { drifts: 1, scoreDrifts: 0, warnings: 0, rollbacks: 0, skippedBatches: 0 },
          },
    weights:
      version === 0
        ? []
        : [
            { name: 'clicks_in_session', weight: 0.1432, mean: 4.2, deviation: 3.1 },
            { name: 'time_on_page', weight: 0.0553, mean: 61, deviation: 44 },
            { name: 'device=mobile', weight: -0.3312 },
            { name: 'device=desktop', weight: 0.2792 },
          ],
    weightsLeftOut: 0,
    intercept: -3.1,
    excess: 0,
    calibration: { slope: 1, shift: 0 },
    waiting: 187,
    unlabelled: 0,
    leftOut: 0,
    extremeNumbers: 0,
    absentFeatures: 12,
    sharedTexts: 0,
    constantNumbers: 0,
  }
}

function shopModelMetrics(logLoss: number): Metrics {
  return {
    outcomes: 1000,
    positives: 52,
    baseRate: 0.052,
    logLoss,
    baseLogLoss: 0.2047,
    skill: 1 - logLoss / 0.2047,
    skillMargin: 0.021,
    auc: 0.817,
    brier: 0.0465,
    ece: 0.013,
    calibration: SAID.map((predicted, index) => ({ outcomes: 100, predicted, observed: CAME[index] ?? 0 })),
    accuracy: 0.948,
    majorityAccuracy: 0.948,
    precisionAtTop: 0.18,
    lift: 3.46,
  }
}
