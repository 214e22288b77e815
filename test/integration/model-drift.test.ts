import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { Random } from '../../src/base/random.ts'
import { runMillrace, temporaryFolder } from '../support/run-millrace.ts'
import { writtenRows } from '../support/written-rows.ts'

const SESSIONS = 6_000
const SESSION_MS = 4_000
const EPOCH_ROWS = 300
const EPOCHS = ['--rows-per-epoch', String(EPOCH_ROWS)]
const START_MS = Date.UTC(2026, 4, 4, 8)

/** A rate that is too high to turn around in time: what it has learned stays wrong long enough to be taken back. */
const PIPELINE = `import { clickEvent, ddm, jsonLines, logisticRegression, logSource, oneHot, pipeline, purchaseWithin, sgd, stream } from 'millrace'

const predicted = stream(logSource('clickstream'), clickEvent)
  .withWatermark('event_time', '0s', { maxClockSkew: null })
  .predict({
    name: 'purchase',
    label: purchaseWithin('1 minute'),
    features: [oneHot('device', 4)],
    model: logisticRegression({ optimizer: sgd(0.02), drift: ddm(), guardOutcomes: 500 }),
  })

export default pipeline('shop')
  .query('predictions', predicted.select(), [jsonLines('out/predictions')])
  .query('events', predicted.modelEvents().select(), [jsonLines('out/events')])
  .query('metrics', predicted.modelMetrics().select(), [jsonLines('out/metrics')])
`

const ALERTS = `alerts:
  - { name: drift, metric: millrace_model_drifts_total, above: 0 }
  - { name: taken-back, metric: millrace_model_rollbacks_total, above: 0 }
`

test('a signal that turns round is an event, and an alert; weights are taken back, and the model has skill again', async (t) => {
  const cwd = await temporaryFolder(t)
  await writeFile(join(cwd, 'shop.ts'), PIPELINE)
  await writeFile(join(cwd, 'alerts.yaml'), ALERTS)
  const run = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await runMillrace(args, { cwd })
    assert.equal(code, 0, stderr)
    return stderr
  }
  const goOn = async (name: string, lines: readonly string[]): Promise<string> => {
    // An epoch has whole batches of the log, so the log gets small ones.
    for (let from = 0; from < lines.length; from += EPOCH_ROWS) {
      await writeFile(
        join(cwd, `${name}-${String(from).padStart(4, '0')}.ndjson`),
        lines.slice(from, from + EPOCH_ROWS).join(''),
      )
    }
    await run('produce', `${name}-*.ndjson`, '--topic', 'clickstream')
    return run('run', 'shop.ts', '--once', '--checkpoint', 'checkpoint', '--alerts', 'alerts.yaml', ...EPOCHS)
  }
  const clicks = visits()
  const calm = await goOn('calm', clicks.slice(0, clicks.length / 2))
  assert.doesNotMatch(calm, /alert {4}/)
  assert.deepEqual(await writtenRows<EventRow>(join(cwd, 'out', 'events')), [])
  assert.ok(newest(await writtenRows<MetricsRow>(join(cwd, 'out', 'metrics'))).skill > 0.1)

  const turned = await goOn('turned', clicks.slice(clicks.length / 2))
  assert.match(turned, /alert {4}drift firing/)
  assert.match(turned, /alert {4}taken-back firing/)
  const events = await writtenRows<EventRow>(join(cwd, 'out', 'events'))
  const drift = events.find(({ event }) => event === 'drift')
  const turnedMs = START_MS + (SESSIONS / 2) * SESSION_MS
  const afterMs = Date.parse(drift?.as_of ?? '') - turnedMs
  assert.ok(afterMs > 0 && afterMs < 500 * SESSION_MS, `told ${afterMs / SESSION_MS} visits later`)
  const rollbacks = events.filter(({ event }) => event === 'rollback')
  assert.deepEqual(
    rollbacks.map(({ reason, to_version }) => [reason, to_version === null]),
    [
      ['worse than the base rate', false],
      ['kept weights are worse than the base rate, too', true],
    ],
  )
  assert.ok(newest(await writtenRows<MetricsRow>(join(cwd, 'out', 'metrics'))).skill > 0.1)
})

/** One click a visitor, who buys or does not: on one device nine times of ten, on the other one hardly ever; half-way it turns round. */
function visits(): string[] {
  const random = new Random(11)
  return Array.from({ length: SESSIONS }, (_, visit) => {
    const device = random.chance(0.5) ? 'mobile' : 'desktop'
    const buys = random.chance((device === 'mobile') === visit < SESSIONS / 2 ? 0.9 : 0.05)
    const click = (event_type: string, afterMs: number) => ({
      event_time: new Date(START_MS + visit * SESSION_MS + afterMs).toISOString(),
      event_type,
      user_id: `u${visit}`,
      session_id: `s${visit}`,
      device,
    })
    const clicks = buys ? [click('page_view', 0), click('purchase', 1_000)] : [click('page_view', 0)]
    return clicks.map((one) => `${JSON.stringify(one)}\n`).join('')
  })
}

interface EventRow {
  readonly event: string
  readonly as_of: string
  readonly reason: string
  readonly to_version: number | null
}

interface MetricsRow {
  readonly skill: number
}

function newest(rows: readonly MetricsRow[]): MetricsRow {
  const last = rows.at(-1)
  assert.ok(last)
  return last
}
