import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { addNumber, type FeatureVector, featureVector } from '../../src/ml/feature-vector.ts'
import { rankingOf } from '../../src/ml/metrics/ranking.ts'
import { fitLogistic } from '../../src/ml/newton-fit.ts'
import { generatePreset, type PresetEvents, runPreset, succeed } from '../support/preset-run.ts'
import { runMillrace } from '../support/run-millrace.ts'

const NAME = 'online-model'

/** A row of `features` or `predictions`. */
interface Row {
  readonly timestamp: string
  readonly session_id: string
  readonly action: string
  readonly clicks_in_session: number
  readonly time_on_page: number
}

interface MetricRow {
  readonly model_version: number
  readonly outcomes: number
  readonly skipped_batches: number
}

interface WeightRow {
  readonly model_version: number
  readonly feature: string
  readonly weight: number
}

interface ModelOutcome {
  readonly version: number
  readonly skill: number
  readonly verdict: string
  readonly auc: number
  readonly weights: Readonly<Record<string, number>>
}

// A27: whoever has done more in a session is likelier to buy, or is not.
describe('online-model, honest', () => {
  test('has the area under the curve of a batch regression over the same features, and skill, where there is a signal', async (t) => {
    const events = await sessions(t, '0.0005')
    const { purchase } = await learned(events)
    assert.equal(purchase?.verdict, 'better')
    assert.ok(purchase.skill > 0.01, `skill ${purchase.skill}`)
    assert.ok((purchase.weights['clicks_in_session'] ?? 0) > 0.1, 'more clicks, likelier to buy')
    const auc = batchAuc(rowsOf(events, 'features') as Row[], 50_000)
    assert.ok(Math.abs(auc - purchase.auc) < 0.01, `${purchase.auc} online, ${auc} by batch`)
  })

  test('says that it has no skill where there is none', async (t) => {
    const events = await sessions(t, '0')
    const { purchase } = await learned(events)
    assert.equal(purchase?.verdict, 'no better')
    assert.ok(Math.abs(purchase.skill) < 0.01, `skill ${purchase.skill}`)
    const run = await runMillrace(['run', '--preset', NAME, 'generated', '--once', '--output', 'out', '--replace'], {
      cwd: events.folder,
    })
    assert.equal(run.code, 0, run.stderr)
    assert.match(run.stderr.split('Batch').at(-1) ?? '', /NO SKILL, it knows no more than the base rate/)
  })
})

// A3, A4, A20-A23
test('online-model, compat: a full fit of the first batch with both classes, then one step per batch, across starts', async (t) => {
  const events = await generatePreset(t, NAME, '--num-events', '8000', '--rate', '20', '--max-active-sessions', '40')
  const lines = readFileSync(join(events.folder, 'generated-0.ndjson'), 'utf8').trim().split('\n')
  const firstPurchase = lines.findIndex((line) => line.includes('"purchase"'))
  const cuts = [0, firstPurchase, 2000, 2010, 4000, 6000, 8000]
  let stderr = ''
  for (const [index, from] of cuts.slice(0, -1).entries()) {
    writeFileSync(join(events.folder, 'part.ndjson'), `${lines.slice(from, cuts[index + 1]).join('\n')}\n`)
    await succeed(['produce', 'part.ndjson', '--topic', 'clickstream_v2', '--partitions', '1'], events.folder)
    const options = ['--model', 'compat', '--once', '--output', 'out', '--checkpoint', 'checkpoint']
    const run = await runMillrace(['run', '--preset', NAME, ...options], { cwd: events.folder })
    assert.equal(run.code, 0, run.stderr)
    stderr = run.stderr
  }
  const weights = Map.groupBy(rowsOf(events, 'model_weights') as WeightRow[], (row) => row.model_version)
  const batches = batchesOf(rowsOf(events, 'predictions') as Row[], rowsOf(events, 'model_metrics') as MetricRow[])
  let version = 0
  let before: readonly number[] = []
  for (const { rows, metrics } of batches) {
    assertWholeWindows(rows)
    if (!rows.some(bought)) continue
    version++
    assert.equal(metrics.model_version, version)
    // A batch that is skipped tells of the same version once more.
    const told = (weights.get(version) ?? []).slice(0, 3).map(({ weight }) => weight)
    // The first weights are where the loss has its least; the others are one step away from those before.
    if (version === 1) assertNear(slopes(rows, told), [0, 0, 0], 1e-6)
    else assertNear(told, stepped(rows, before), 1e-9)
    before = told
  }
  const skipped = batches.filter(({ rows }) => !rows.some(bought)).length
  assert.ok(version >= 4 && skipped >= 2, `${version} updates, ${skipped} skipped`)
  assert.equal(batches.at(-1)?.metrics.skipped_batches, skipped)
  assert.match(stderr, new RegExp(`model update #${version}\\n`))
  assert.match(stderr, /Batch \d+ {2}\| {2}events: [\d,]+ {2}\|/)
  assert.match(stderr, /Accuracy on this batch: [01]\.\d{3} \(always the commoner answer: [01]\.\d{3}\)/)
  assert.match(stderr, /__intercept__ +[+-]\d\.\d{4} {2}\(baseline p=0\.\d{3}\)/)
})

/** Sessions of about twenty events, one in five seconds. */
function sessions(t: TestContext, purchaseScaling: string): Promise<PresetEvents> {
  return generatePreset(
    t,
    NAME,
    ...[
      '--num-events',
      '150000',
      '--rate',
      '60',
      '--max-active-sessions',
      '300',
      '--purchase-scaling',
      purchaseScaling,
    ],
  )
}

async function learned(events: PresetEvents): Promise<Readonly<Record<string, ModelOutcome>>> {
  const summary = (await runPreset(NAME, events, 'log')) as unknown as { readonly models: Record<string, ModelOutcome> }
  return summary.models
}

/** Of a regression that was fitted to all rows at once, over the last so many whose minute was over. */
function batchAuc(rows: readonly Row[], last: number): number {
  const { vectors, labels } = examples(rows)
  const { weights, intercept } = fitLogistic(vectors, labels, 2, 0)
  const scores = vectors.map(({ values }) =>
    values.reduce((sum, value, at) => sum + value * (weights[at] ?? 0), intercept),
  )
  const positives = Uint8Array.from(labels.slice(-last), Number)
  return rankingOf(Float64Array.from(scores.slice(-last)), positives, 1).auc
}

/** Rows that are no purchases, with whether their session bought in the minute after them. Rows are in the order of time. */
function examples(rows: readonly Row[]): { readonly vectors: FeatureVector[]; readonly labels: boolean[] } {
  const nextPurchase = new Map<string, number>()
  const endMs = Date.parse(rows.at(-1)?.timestamp ?? '')
  const vectors: FeatureVector[] = []
  const labels: boolean[] = []
  for (const row of rows.toReversed()) {
    const ms = Date.parse(row.timestamp)
    if (bought(row)) nextPurchase.set(row.session_id, ms)
    else if (ms + 60_000 <= endMs) {
      vectors.push(vectorOf(row))
      labels.push((nextPurchase.get(row.session_id) ?? Number.POSITIVE_INFINITY) <= ms + 60_000)
    }
  }
  return { vectors: vectors.reverse(), labels: labels.reverse() }
}

function vectorOf({ clicks_in_session, time_on_page }: Row): FeatureVector {
  const vector = featureVector(2)
  addNumber(vector, 0, clicks_in_session)
  addNumber(vector, 1, time_on_page)
  return vector
}

/** The rows of each epoch that had some. */
function batchesOf(rows: readonly Row[], metrics: readonly MetricRow[]) {
  let from = 0
  const batches = metrics.map((one) => {
    const to = from + one.outcomes
    const batch = { metrics: one, rows: rows.slice(from, to) }
    from = to
    return batch
  })
  assert.equal(from, rows.length)
  return batches
}

/** Each row knows what its session did in the window, as far as the batch has it, before and after the row. */
function assertWholeWindows(rows: readonly Row[]): void {
  const windows = Map.groupBy(
    rows,
    ({ session_id, timestamp }) => `${session_id} ${Math.floor(Date.parse(timestamp) / 300_000)}`,
  )
  for (const window of windows.values()) {
    const seconds = window.map(({ timestamp }) => Date.parse(timestamp) / 1000)
    for (const row of window) {
      assert.equal(row.clicks_in_session, window.length)
      assert.equal(row.time_on_page, Math.max(...seconds) - Math.min(...seconds))
    }
  }
}

/** Of the mean log loss with L2 of 0.01 on the weights, intercept last. */
function slopes(rows: readonly Row[], [clicks = 0, time = 0, intercept = 0]: readonly number[]): number[] {
  const sums = [0, 0, 0]
  for (const row of rows) {
    const values = [row.clicks_in_session, row.time_on_page, 1]
    const logit = clicks * row.clicks_in_session + time * row.time_on_page + intercept
    const slope = 1 / (1 + Math.exp(-logit)) - (bought(row) ? 1 : 0)
    for (const [index, value] of values.entries()) sums[index] = (sums[index] ?? 0) + (slope * value) / rows.length
  }
  return [(sums[0] ?? 0) + 0.01 * clicks, (sums[1] ?? 0) + 0.01 * time, sums[2] ?? 0]
}

function stepped(rows: readonly Row[], weights: readonly number[]): number[] {
  const slopesNow = slopes(rows, weights)
  return weights.map((weight, index) => weight - 0.05 * (slopesNow[index] ?? 0))
}

function bought({ action }: Row): boolean {
  return action === 'purchase'
}

/** What a query has written, in order. */
function rowsOf({ folder }: PresetEvents, query: string): unknown[] {
  const path = join(folder, 'out', query)
  const names = readdirSync(path).filter((name) => name.endsWith('.ndjson'))
  const lines = names.sort().flatMap((name) => readFileSync(join(path, name), 'utf8').trim().split('\n'))
  return lines.map((line) => JSON.parse(line))
}

function assertNear(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  assert.equal(actual.length, expected.length)
  for (const [index, value] of actual.entries()) {
    assert.ok(Math.abs(value - (expected[index] ?? Number.NaN)) <= tolerance, `${actual} beside ${expected}`)
  }
}
