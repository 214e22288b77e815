/**
 * Spark mode against what a real Spark answered: one epoch per micro-batch, the same rows, the same watermark and as many groups left in
 * the state after each of them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EpochResults } from '../../src/engine/epoch.ts'
import { EngineBench } from '../support/timeline/engine-bench.ts'
import {
  readSparkCases,
  type SparkCase,
  type SparkRow,
  sparkLine,
  sparkPipeline,
  sparkRows,
} from '../support/timeline/spark-case.ts'

/** What a case needs beyond tumbling windows in append and update mode, by feature. A feature that the engine learns leaves this table. */
const UNSUPPORTED: Readonly<Record<string, (one: SparkCase) => boolean>> = {
  'sliding windows': ({ query }) => query.window?.kind === 'sliding',
  'session windows': ({ query }) => query.window?.kind === 'session',
  dedupe: ({ query }) => query.dedupe !== undefined,
  'complete mode that keeps closed windows': ({ query }) => query.mode === 'complete',
  'times before 1970': ({ batches }) => batches.flat().some(({ ts }) => typeof ts === 'number' && ts < 0),
  'amounts beyond 2^53 cents': ({ batches }) =>
    batches.flat().some(({ amount }) => Math.abs(Number(amount) * 100) > Number.MAX_SAFE_INTEGER),
}

const CASES = readSparkCases()

for (const one of CASES.filter((each) => missing(each).length === 0)) {
  for (const [how, partitions, restart] of [
    ['one partition', 1, false],
    ['three partitions and a restart after each batch', 3, true],
  ] as const) {
    test(`${one.name} gives what Spark gives, batch by batch: ${how}`, () => runCase(one, partitions, restart))
  }
}

test('the cases that wait for a feature of the engine are known by name', () => {
  const waiting = CASES.filter((one) => missing(one).length > 0).map((one) => `${one.name}: ${missing(one).join(', ')}`)
  assert.deepEqual(waiting, [
    'tumbling-before-1970: times before 1970',
    'complete-basic: complete mode that keeps closed windows',
    'sliding-10-5: sliding windows',
    'sliding-7s-2s: sliding windows',
    'sliding-partly-late: sliding windows',
    'session-basic: session windows',
    'session-boundary: session windows',
    'session-boundary-across-batches: session windows',
    'session-bridge: session windows',
    'session-inside: session windows',
    'session-late-touches-open: session windows',
    'session-emitted-piece: session windows',
    'session-null-key: session windows',
    'session-before-1970: session windows, times before 1970',
    'session-two-keys: session windows',
    'dedupe-basic: dedupe',
    'dedupe-expiry: dedupe',
    'dedupe-two-columns: dedupe',
    'dedupe-null-time: dedupe',
    'dedupe-by-time: dedupe',
    'dedupe-then-tumbling: dedupe',
    'dedupe-tightens-late: dedupe',
    'aggregates-every: amounts beyond 2^53 cents',
    'aggregates-avg-decimal: amounts beyond 2^53 cents',
    'random-session-wide: session windows',
  ])
})

function missing(one: SparkCase): string[] {
  return Object.entries(UNSUPPORTED).flatMap(([feature, needs]) => (needs(one) ? [feature] : []))
}

function runCase(one: SparkCase, partitions: number, restart: boolean): void {
  const { mode, noDataBatches = true, watermark } = one.query
  const bench = new EngineBench(sparkPipeline(one), { partitions, modes: [mode], parallelism: 1, rowByRow: restart })
  const seen: unknown[] = []
  const shown = new Set<string>()
  let last: EpochResults | undefined
  const epoch = (rows: readonly SparkRow[]): void => {
    if (restart && last) bench.restart()
    const lines = rows.map(sparkLine)
    const spread = Array.from({ length: partitions }, (_, at) => lines.filter((_, index) => index % partitions === at))
    last = bench.run({ lines: spread, clockMs: 0, idle: [], ended: [], flush: false })
    seen.push({
      watermark: last.watermarks[0]?.closeWatermarkMs,
      groups: bench.engine.status().queries[0]?.stateRows,
      rows: sorted(sparkRows(last.queries[0]?.[mode]).filter((row) => !shown.has(sortText(row)))),
    })
    // Millrace marks the last values of a window as final; Spark does not show again what it has shown.
    if (mode === 'update') for (const row of sparkRows(last.queries[0]?.update)) shown.add(sortText(row))
  }
  for (const rows of one.batches) epoch(rows)
  // Spark adds a batch without data when the last one moved the watermark.
  while (noDataBatches && mode !== 'complete' && pending(last, watermark.delayMs)) epoch([])
  const expected = one.expected.map((batch) => ({
    watermark: batch.watermark,
    groups: batch.stateRows[0],
    rows: sorted(batch.rows),
  }))
  assert.deepEqual(seen, expected)
}

function pending(last: EpochResults | undefined, delayMs: number): boolean {
  const mark = last?.watermarks[0]
  return mark !== undefined && mark.maxEventTimeMs - delayMs > mark.closeWatermarkMs
}

function sorted(rows: readonly SparkRow[]): SparkRow[] {
  return rows.toSorted((left, right) => (sortText(left) < sortText(right) ? -1 : 1))
}

function sortText(row: SparkRow): string {
  return JSON.stringify(Object.entries(row).sort(([left], [right]) => (left < right ? -1 : 1)))
}
