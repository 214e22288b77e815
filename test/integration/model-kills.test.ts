import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Random } from '../../src/base/random.ts'
import { failpointsIn } from '../support/failpoint-names.ts'
import { runMillrace, startMillrace, temporaryFolder } from '../support/run-millrace.ts'
import { shopClicks } from '../support/shop-clicks.ts'

const KILLS = process.env['MILLRACE_TEST_SCALE'] === 'full' ? 100 : 6
const SEED = Number(process.env['MILLRACE_LAW_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
/** Of the kills, how many come at a step of the job instead of a random moment. */
const STEP_SHARE = 0.7
const STEP_COUNT_MAX = 4
const LIFE_MS_MAX = 1_200
/** So few that dozens of epochs are there to die in. */
const ROWS_PER_EPOCH = 250
const RUN = ['run', 'shop.ts', '--once', '--checkpoint', 'checkpoint', '--rows-per-epoch', String(ROWS_PER_EPOCH)]
/** Where a run comes to that meets nothing to die of. */
const THE_END = 'the end'
const STEPS = [...failpointsIn('job'), ...failpointsIn('sinks/latest'), ...failpointsIn('sinks', 'file-sink.ts')]

const CLICKS = shopClicks(2_000, 7).map((click) => `${JSON.stringify(click)}\n`)

/** A champion with everything that it can have and two challengers. */
const PIPELINE = `import { adaGrad, adam, clickEvent, count, hashed, jsonLines, latestFile, logisticRegression, logSource, oneHot, pageHinkley, pipeline, purchaseWithin, sgd, stream, tumbling } from 'millrace'

const predicted = stream(logSource('clickstream'), clickEvent)
  .withWatermark('event_time', '0s', { maxClockSkew: null })
  .withSessionFeatures({ by: 'session_id', window: tumbling('1 hour'), features: { clicks: count() } })
  .predict({
    name: 'purchase',
    label: purchaseWithin('10 minutes'),
    features: ['clicks', oneHot('event_type', 5), hashed('device', { buckets: 64 })],
    model: logisticRegression({ optimizer: sgd(0.0001), keepNegatives: 0.5, drift: pageHinkley({ threshold: 5, valuesMin: 30 }), guardOutcomes: 200 }),
    challengers: { ada: logisticRegression({ optimizer: adaGrad() }), adam: logisticRegression({ optimizer: adam(0.05) }) },
    promoteAfter: 300,
  })

export default pipeline('shop')
  .query('predictions', predicted.select(), [jsonLines('out/predictions')])
  .query('events', predicted.modelEvents().select(), [jsonLines('out/events')])
  .query('weights', predicted.modelWeights().select(), [jsonLines('out/weights')])
  .query('metrics', predicted.modelMetrics().select(), [jsonLines('out/metrics')])
  .query('exports', predicted.modelExport().select(), [latestFile('models/{model}-{role}.json')])
`

test(`a job that learns, killed ${KILLS} times, ends with the models of one that was not, bit by bit (MILLRACE_LAW_SEED=${SEED})`, async (t) => {
  const calm = await world(t)
  await succeed(calm, RUN)
  const expected = await learned(calm)
  assert.ok(expected.predictions.length > 5_000)
  for (const kind of ['drift', 'promotion']) assert.match(expected.events.join(), new RegExp(`"${kind}"`))
  const random = new Random(SEED)
  const died = new Set<string>()
  for (let kills = 0; kills < KILLS; ) {
    const stormy = await world(t)
    for (let where = ''; where !== THE_END && kills < KILLS; kills += where === THE_END ? 0 : 1) {
      where = await killOnce(t, stormy, random)
      died.add(where)
    }
    await succeed(stormy, RUN)
    assert.deepEqual(await learned(stormy), expected)
  }
  t.diagnostic(`died at ${[...died].sort().join(', ')}`)
})

/** A folder with the pipeline, and clicks in its log. */
async function world(t: TestContext): Promise<string> {
  const cwd = await temporaryFolder(t)
  await writeFile(join(cwd, 'shop.ts'), PIPELINE)
  // An epoch has whole batches of the log, so the log gets small ones.
  for (let from = 0; from < CLICKS.length; from += ROWS_PER_EPOCH) {
    await writeFile(join(cwd, `part-${from}.ndjson`), CLICKS.slice(from, from + ROWS_PER_EPOCH).join(''))
  }
  await succeed(cwd, ['produce', 'part-*.ndjson', '--topic', 'clickstream', '--partitions', '1'])
  return cwd
}

async function succeed(cwd: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await runMillrace(args, { cwd })
  assert.equal(code, 0, stderr)
}

/** What there is at the end: every prediction, what happened, the newest report of each model, and all that each would go on from. */
async function learned(cwd: string) {
  const metrics = await linesOf(cwd, 'metrics')
  const exports = (await readdir(join(cwd, 'models'))).filter((name) => name.startsWith('purchase')).sort()
  return {
    predictions: await linesOf(cwd, 'predictions'),
    events: (await linesOf(cwd, 'events')).map((line) => line.replace(/"as_of":"[^"]*",?/, '')),
    metrics: metrics.slice(-3),
    exports: await Promise.all(exports.map((name) => readFile(join(cwd, 'models', name), 'utf8'))),
  }
}

/** Lines that a query has written, in order. */
async function linesOf(cwd: string, query: string): Promise<string[]> {
  const folder = join(cwd, 'out', query)
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ndjson')).sort()
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
  return texts.flatMap((text) => text.trim().split('\n'))
}

/** Starts the job and kills it; gives the step at which it died, or that it has come to its end. */
async function killOnce(t: TestContext, cwd: string, random: Random): Promise<string> {
  const step = random.chance(STEP_SHARE) ? random.pick(STEPS) : undefined
  const armed = step === undefined ? {} : { MILLRACE_FAILPOINT: `${step}:${1 + random.below(STEP_COUNT_MAX)}` }
  const run = startMillrace(t, RUN, { cwd, env: armed })
  const lifeMs = random.below(LIFE_MS_MAX)
  if (step === undefined) sleep(lifeMs).then(() => run.child.kill('SIGKILL'))
  const { code, stderr } = await run.ended
  assert.ok(code === null || code === 0, stderr)
  return code === 0 ? THE_END : (step ?? 'a random moment')
}
