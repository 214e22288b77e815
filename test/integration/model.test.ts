import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { runMillrace, temporaryFolder } from '../support/run-millrace.ts'
import { shopClicks } from '../support/shop-clicks.ts'
import { writtenRows } from '../support/written-rows.ts'

const pipeline = resolve('examples/purchase-model.ts')
const clicks = shopClicks(4_000, 20260504)
const lines = clicks.map((click) => JSON.stringify(click))

interface Weight {
  readonly model_version: number
  readonly feature: string
  readonly weight: number
}

test('a model of a shop learns who buys, knows more than the base rate, and says so', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'clicks.ndjson'), `${lines.join('\n')}\n`)
  const run = await runMillrace(
    ['run', pipeline, '--input', 'clicks.ndjson', '--once', '--print', 'model_metrics', '--output', 'out'],
    { cwd: folder },
  )
  assert.equal(run.code, 0, run.stderr)
  const last = JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '')
  assert.ok(last.skill > 0.05 && last.auc > 0.65 && last.calibration_error < 0.05, JSON.stringify(last))
  assert.equal(last.worse_than_base_rate, false)
  assert.equal(last.waiting, 0)
  const predictions = await writtenRows<unknown>(join(folder, 'out', 'predictions'))
  assert.equal(predictions.length, clicks.filter(({ event_type }) => event_type !== 'purchase').length)
  assert.equal(last.model_version + last.unlabelled, predictions.length)
  const weights = await lastWeights(join(folder, 'out', 'model_weights'))
  assert.ok((weights.get('carts') ?? 0) > 0.1, `who has a cart is likelier to buy: ${JSON.stringify([...weights])}`)
  assert.ok((weights.get('device=mobile') ?? 0) < (weights.get('device=desktop') ?? 0), 'phones buy less')
})

test('a model that went on in another process has the same weights to the last bit', async (t) => {
  const [whole, parted] = [await temporaryFolder(t), await temporaryFolder(t)]
  const half = Math.floor(lines.length / 3)
  await produceAndRun(whole, lines)
  await produceAndRun(parted, lines.slice(0, half))
  await produceAndRun(parted, lines.slice(half))
  const expected = await lastWeights(join(whole, 'out', 'model_weights'))
  assert.ok(expected.size >= 6)
  assert.deepEqual(await lastWeights(join(parted, 'out', 'model_weights')), expected)
  const keys = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).sort()
  assert.deepEqual(
    keys(await writtenRows<unknown>(join(parted, 'out', 'predictions'))),
    keys(await writtenRows<unknown>(join(whole, 'out', 'predictions'))),
  )
})

async function produceAndRun(folder: string, some: readonly string[]): Promise<void> {
  await writeFile(join(folder, 'part.ndjson'), `${some.join('\n')}\n`)
  const topic = ['--topic', 'clickstream', '--partitions', '1']
  const produced = await runMillrace(['produce', 'part.ndjson', ...topic], { cwd: folder })
  assert.equal(produced.code, 0, produced.stderr)
  const run = await runMillrace(
    ['run', pipeline, '--once', '--rows-per-epoch', '3000', '--output', 'out', '--checkpoint', 'checkpoint'],
    { cwd: folder },
  )
  assert.equal(run.code, 0, run.stderr)
}

/** By feature, of the newest version. */
async function lastWeights(folder: string): Promise<Map<string, number>> {
  const rows = await writtenRows<Weight>(folder)
  const newest = Math.max(...rows.map(({ model_version }) => model_version))
  return new Map(rows.filter((row) => row.model_version === newest).map(({ feature, weight }) => [feature, weight]))
}
