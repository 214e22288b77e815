import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodeText } from '../../src/base/bytes.ts'
import { murmur3 } from '../../src/ml/feature-hasher.ts'
import type { ModelExport } from '../../src/plan/model-export.ts'
import { startRedis } from '../support/redis.ts'
import { requirement } from '../support/requirement.ts'
import { runMillrace, temporaryFolder } from '../support/run-millrace.ts'
import { shopClicks } from '../support/shop-clicks.ts'
import { writtenRows } from '../support/written-rows.ts'

/** `features`, and where the model begins, can be changed by a test. */
function pipelineText(features: string, more = '', sinks = "[latestFile('models/{model}.json')]"): string {
  return `import { readFileSync } from 'node:fs'
import { adaGrad, clickEvent, count, hashed, jsonLines, latestFile, logisticRegression, logSource, oneHot, pipeline, purchaseWithin, redis, stream, tumbling } from 'millrace'

const predicted = stream(logSource('clickstream'), clickEvent)
  .withWatermark('event_time', '0s', { maxClockSkew: null })
  .withSessionFeatures({ by: 'session_id', window: tumbling('1 hour'), features: { clicks: count() } })
  .predict({
    name: 'purchase',
    label: purchaseWithin('10 minutes'),
    features: ${features},
    model: logisticRegression({ optimizer: adaGrad() }),
    ${more}
  })

export default pipeline('shop')
  .query('predictions', predicted.select(), [jsonLines('out/predictions')])
  .query('weights', predicted.modelWeights().select(), [jsonLines('out/weights')])
  .query('exports', predicted.modelExport().select(), ${sinks})
`
}

const FEATURES = "['clicks', oneHot('event_type', 5), hashed('device', { buckets: 64 })]"
const lines = shopClicks(2_000, 5).map((click) => JSON.stringify(click))

test('an export has the weights of the last epoch, and another run goes on from it, to the same weights', async (t) => {
  const [first, second, third] = [await temporaryFolder(t), await temporaryFolder(t), await temporaryFolder(t)]
  await run(first, pipelineText(FEATURES), lines.slice(0, 4_000))
  const exported = JSON.parse(await readFile(join(first, 'models', 'purchase.json'), 'utf8')) as ModelExport
  const weights = new Float64Array(Uint8Array.from(Buffer.from(exported.weights, 'base64')).buffer)
  assert.equal(weights.length, 1 + 5 + 64)
  const last = await weightsOf(first)
  const [clicks, type] = exported.features
  assert.ok(clicks?.kind === 'number' && type?.kind === 'one-hot' && (clicks.deviation ?? 0) > 0)
  assert.equal(weights[clicks.slot], last.get('clicks'))
  for (const [index, value] of type.values.entries()) {
    assert.equal(weights[type.slot + index], last.get(`event_type=${value}`))
  }
  assert.equal(exported.intercepts[0], last.get('(intercept)'))

  // Other places, other checkpoints: only the export goes over. One is undisturbed, the other starts twice.
  const text = pipelineText(FEATURES, "startFrom: readFileSync('purchase.json', 'utf8'),")
  for (const place of [second, third]) {
    await writeFile(join(place, 'purchase.json'), await readFile(join(first, 'models', 'purchase.json')))
  }
  await run(third, text, lines.slice(4_000))
  await run(second, text, lines.slice(4_000, 5_500))
  const [earliest] = await writtenRows<PredictionRow>(join(second, 'out', 'predictions'))
  assert.ok(earliest && earliest.clicks === 1)
  close(earliest.probability, byHand(exported, weights, earliest))
  const further = JSON.parse(await readFile(join(second, 'models', 'purchase.json'), 'utf8')) as ModelExport
  assert.ok(further.version > exported.version, `version ${further.version} goes on from ${exported.version}`)
  // It has begun once: a start from the checkpoint does not begin again, even if the export has become another one.
  await writeFile(join(second, 'purchase.json'), JSON.stringify(further))
  await run(second, text, lines.slice(5_500))
  assert.deepEqual(await weightsOf(second), await weightsOf(third))
})

/** What the export says of a row, by what its type describes. */
function byHand({ features, intercepts, link }: ModelExport, weights: Float64Array, row: PredictionRow): number {
  let logOdds = intercepts[0] as number
  for (const feature of features) {
    if (feature.kind === 'number') {
      const { mean = 0, deviation = 1 } = feature
      logOdds += (weights[feature.slot] as number) * ((row.clicks - mean) / deviation)
    } else if (feature.kind === 'one-hot') {
      const value = feature.values.indexOf(row.event_type)
      logOdds += weights[feature.slot + (value < 0 ? feature.size - 1 : value)] as number
    } else {
      logOdds += weights[feature.slot + (murmur3(encodeText(row.device), 0) % feature.buckets)] as number
    }
  }
  return 1 / (1 + Math.exp(-(link.slope * (logOdds - link.excess) + link.shift)))
}

function close(actual: number, wanted: number): void {
  assert.ok(Math.abs(actual - wanted) < 1e-12, `${actual} is not ${wanted}`)
}

interface PredictionRow {
  readonly clicks: number
  readonly event_type: string
  readonly device: string
  readonly probability: number
}

test('an export of a model with other features is refused, and what is none', async (t) => {
  const cwd = await temporaryFolder(t)
  await run(cwd, pipelineText(FEATURES), lines.slice(0, 2_000))
  for (const [text, message] of [
    [
      await readFile(join(cwd, 'models', 'purchase.json'), 'utf8'),
      /the export is of a model that is not like purchase/,
    ],
    ['{}', /startFrom is not an export of a model: its format is not "millrace-model"/],
    ['[', /startFrom is not an export of a model: it is no JSON/],
  ] as const) {
    await writeFile(join(cwd, 'other.json'), text)
    await writeFile(
      join(cwd, 'shop.ts'),
      pipelineText("['clicks', 'device']", "startFrom: readFileSync('other.json', 'utf8'),"),
    )
    const { code, stderr } = await runMillrace(['run', 'shop.ts', '--once', '--checkpoint', 'other'], { cwd })
    assert.notEqual(code, 0)
    assert.match(stderr, message)
  }
})

test('an export is in Redis after the commit, the same as in the file', requirement('redis'), async (t) => {
  const redis = await startRedis(t)
  const cwd = await temporaryFolder(t)
  const sinks = "[redis(), latestFile('models/{model}.json')]"
  await run(cwd, pipelineText(FEATURES, '', sinks), lines, { MILLRACE_REDIS_URL: redis.url })
  assert.deepEqual(await redis.keys(), ['millrace:mark:shop/exports.redis', 'millrace:model:purchase'])
  const file = await readFile(join(cwd, 'models', 'purchase.json'), 'utf8')
  assert.equal(await redis.get('millrace:model:purchase'), file.trimEnd())
})

async function run(
  cwd: string,
  text: string,
  some: readonly string[],
  env: Record<string, string> = {},
): Promise<void> {
  await writeFile(join(cwd, 'shop.ts'), text)
  if (some.length > 0) {
    await writeFile(join(cwd, 'part.ndjson'), `${some.join('\n')}\n`)
    await succeed(['produce', 'part.ndjson', '--topic', 'clickstream', '--partitions', '1'], cwd, env)
  }
  await succeed(['run', 'shop.ts', '--once', '--checkpoint', 'checkpoint'], cwd, env)
}

async function succeed(args: readonly string[], cwd: string, env: Record<string, string>): Promise<void> {
  const { code, stderr } = await runMillrace(args, { cwd, env })
  assert.equal(code, 0, stderr)
}

/** By feature, of the newest version: what the query of weights has written, which is no export. */
async function weightsOf(cwd: string): Promise<Map<string, number>> {
  const rows = await writtenRows<WeightRow>(join(cwd, 'out', 'weights'))
  const newest = Math.max(...rows.map(({ model_version }) => model_version))
  return new Map(rows.filter((row) => row.model_version === newest).map(({ feature, weight }) => [feature, weight]))
}

interface WeightRow {
  readonly feature: string
  readonly weight: number
  readonly model_version: number
}
