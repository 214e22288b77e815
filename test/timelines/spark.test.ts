/**
 * Spark mode against what a real Spark answered: one epoch per micro-batch, the same rows, the same watermark and as many groups left in
 * the state after each of them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EpochResults } from '../../src/engine/epoch.ts'
import { needsOneThread } from '../../src/job/one-thread.ts'
import { EngineBench } from '../support/timeline/engine-bench.ts'
import {
  readSparkCases,
  type SparkBatch,
  type SparkCase,
  type SparkRow,
  sparkLine,
  sparkPipeline,
  sparkRows,
  withoutHugeAmounts,
} from '../support/timeline/spark-case.ts'

/** Where Millrace is known to differ, by the name of the case. */
const DIFFERENT: ReadonlyMap<string, string> = new Map([
  ['dedupe-null-time', 'a row without an event time is invalid here, Spark lets it pass a dedupe'],
  ['aggregates-every', 'money is exact up to 2^53 cents here: larger amounts, and what is made of them, are left out'],
  ['aggregates-avg-decimal', 'the same'],
])

const CASES = readSparkCases()

/** Times before 1970 are moved behind it for the decoder, and back for the engine. */
const SHIFT_MS = 7 * 24 * 3_600_000

interface Way {
  readonly name: string
  readonly partitions: number
  readonly restart: boolean
  readonly parallelism: number
}

const WAYS: readonly Way[] = [
  { name: 'one partition', partitions: 1, restart: false, parallelism: 1 },
  { name: 'three partitions and a restart after each batch', partitions: 3, restart: true, parallelism: 1 },
  { name: 'two workers', partitions: 3, restart: false, parallelism: 2 },
]

for (const one of CASES) {
  for (const way of WAYS) {
    if (way.parallelism > 1 && (needsOneThread(sparkPipeline(one)) || shiftOf(one) > 0)) continue
    test(`${one.name} gives what Spark gives, batch by batch: ${way.name}`, () => runCase(withoutHugeAmounts(one), way))
  }
}

test('the cases in which Millrace differs are known by name', () => {
  const huge = CASES.filter((one) => withoutHugeAmounts(one) !== one)
  const timeless = CASES.filter(({ expected }) => expected.some(({ rows }) => rows.some(({ ts }) => ts === null)))
  assert.deepEqual([...timeless, ...huge].map(({ name }) => name).sort(), [...DIFFERENT.keys()].sort())
})

async function runCase(one: SparkCase, { partitions, restart, parallelism }: Way): Promise<void> {
  const { mode, noDataBatches = true, watermark } = one.query
  const plan = sparkPipeline(one)
  const shiftMs = shiftOf(one)
  const rowByRow = restart && !needsOneThread(plan)
  const counted = holdsGroups(one) && parallelism === 1
  const bench = new EngineBench(plan, { partitions, modes: [mode], parallelism, rowByRow, shiftMs })
  const seen: unknown[] = []
  const shown = new Set<string>()
  let last: EpochResults | undefined
  const epoch = async (rows: readonly SparkRow[]): Promise<void> => {
    if (restart && last) await bench.restart()
    const lines = rows.map((row) => sparkLine(row, shiftMs))
    const spread = Array.from({ length: partitions }, (_, at) => lines.filter((_, index) => index % partitions === at))
    last = await bench.run({ lines: spread, clockMs: 0, idle: [], ended: [], flush: false })
    const given = sparkRows(last.queries[0]?.[mode], one)
    seen.push({
      watermark: last.watermarks[0]?.closeWatermarkMs,
      groups: counted ? bench.engine.status().queries[0]?.stateRows : undefined,
      rows: sorted(mode === 'update' ? given.filter((row) => !shown.has(sortText(row))) : given),
    })
    // Millrace marks the last values of a window as final; Spark does not show again what it has shown.
    for (const row of given) shown.add(sortText(row))
  }
  for (const rows of one.batches) await epoch(rows)
  // Spark adds a batch without data when the last one moved the watermark.
  while (noDataBatches && mode !== 'complete' && pending(last, watermark.delayMs)) await epoch([])
  assert.deepEqual(
    seen,
    one.expected.map((batch) => expectation(one, batch, counted)),
  )
}

function expectation(one: SparkCase, { watermark, stateRows, rows }: SparkBatch, counted: boolean): unknown {
  const timed = one.query.window ? rows : rows.filter(({ ts }) => ts !== null)
  return { watermark, groups: counted ? stateRows[0] : undefined, rows: sorted(timed) }
}

/**
 * Sliding windows are held as panes here, which are fewer than Spark's groups; what a dedupe holds is no group. Of several workers each
 * holds its part of a group until a window closes.
 */
function holdsGroups({ query }: SparkCase): boolean {
  return query.window !== undefined && query.window.kind !== 'sliding'
}

function shiftOf({ batches }: SparkCase): number {
  return batches.flat().some(({ ts }) => typeof ts === 'number' && ts < 0) ? SHIFT_MS : 0
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
