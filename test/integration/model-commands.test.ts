import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { runMillrace, temporaryFolder } from '../support/run-millrace.ts'
import { shopClicks } from '../support/shop-clicks.ts'
import { writtenRows } from '../support/written-rows.ts'

const PIPELINE = `import { adaGrad, clickEvent, jsonLines, logSource, logisticRegression, oneHot, pipeline, purchaseWithin, sgd, stream } from 'millrace'

const predicted = stream(logSource('clickstream'), clickEvent)
  .withWatermark('event_time', '0s', { maxClockSkew: null })
  .predict({
    name: 'purchase',
    label: purchaseWithin('10 minutes'),
    features: [oneHot('event_type'), 'device'],
    model: logisticRegression({ optimizer: adaGrad(), guardOutcomes: 500 }),
    challengers: { slow: logisticRegression({ optimizer: sgd(0.00001), guardOutcomes: null }) },
    promoteAfter: null,
  })

export default pipeline('shop')
  .query('metrics', predicted.modelMetrics().select(), [jsonLines('out/metrics')])
  .query('events', predicted.modelEvents().select(), [jsonLines('out/events')])
`

interface MetricRow {
  readonly model: string
  readonly role: string
  readonly skill: number
}

test('a challenger is promoted and weights are taken back by command, once, in the next epoch, also after a death in between', async (t) => {
  const cwd = await temporaryFolder(t)
  await writeFile(join(cwd, 'shop.ts'), PIPELINE)
  const lines = shopClicks(3_000, 5).map((click) => JSON.stringify(click))
  await produce(cwd, lines.slice(0, 5_000))
  await run(cwd)
  const first = await writtenRows<MetricRow>(join(cwd, 'out', 'metrics'))
  assert.deepEqual([...new Set(first.map(({ model, role }) => `${model} ${role}`))].sort(), [
    'purchase champion',
    'purchase/slow challenger',
  ])
  const [champion, challenger] = ['purchase', 'purchase/slow'].map((name) =>
    first.findLast(({ model }) => model === name),
  )
  assert.ok(champion && challenger && champion.skill > challenger.skill + 0.05, JSON.stringify([champion, challenger]))

  await succeed(cwd, ['model', 'promote', 'purchase/slow', '--checkpoint', 'checkpoint'])
  await succeed(cwd, ['model', 'rollback', 'purchase', '--checkpoint', 'checkpoint'])
  await succeed(cwd, ['model', 'rollback', 'purchase/slow', '--to', '7', '--checkpoint', 'checkpoint'])
  assert.equal((await readdir(join(cwd, 'checkpoint', 'commands'))).length, 3)
  // The plan that takes them in is in the journal, and nobody has let go of them yet.
  const died = await runMillrace(RUN, { cwd, env: { MILLRACE_FAILPOINT: 'job:after-plan' } })
  assert.notEqual(died.code, 0)
  assert.equal((await readdir(join(cwd, 'checkpoint', 'commands'))).length, 3)
  await run(cwd)
  assert.deepEqual(await readdir(join(cwd, 'checkpoint', 'commands')), [])
  await produce(cwd, lines.slice(5_000))
  await run(cwd)
  const events = await writtenRows<{ model: string; event: string; reason: string; to_version: number | null }>(
    join(cwd, 'out', 'events'),
  )
  assert.deepEqual(
    events
      .filter(({ reason }) => reason.startsWith('by command'))
      .map(({ model, event, reason }) => [model, event, reason]),
    [
      ['purchase', 'rollback', 'by command'],
      ['purchase/slow', 'refused', 'by command: version 7 is not kept'],
      ['purchase/slow', 'promotion', 'by command, in place of purchase'],
    ],
  )
  assert.ok((events.find(({ event }) => event === 'rollback')?.to_version ?? 0) > 0)
  const last = (await writtenRows<MetricRow>(join(cwd, 'out', 'metrics'))).slice(-2)
  assert.deepEqual(
    last.map(({ model, role }) => [model, role]),
    [
      ['purchase', 'challenger'],
      ['purchase/slow', 'champion'],
    ],
  )
})

const RUN = ['run', 'shop.ts', '--once', '--output', 'out', '--checkpoint', 'checkpoint']

async function run(cwd: string): Promise<void> {
  await succeed(cwd, RUN)
}

async function produce(cwd: string, lines: readonly string[]): Promise<void> {
  await writeFile(join(cwd, 'part.ndjson'), `${lines.join('\n')}\n`)
  await succeed(cwd, ['produce', 'part.ndjson', '--topic', 'clickstream', '--partitions', '1'])
}

async function succeed(cwd: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await runMillrace(args, { cwd })
  assert.equal(code, 0, stderr)
}
