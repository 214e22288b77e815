import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { generatePreset, runPreset } from '../support/preset-run.ts'
import { assertOnlineModel } from './outputs/online-model.ts'

const NAME = 'online-model'
describe('online-model', () => {
  for (const from of ['files', 'log'] as const) {
    test(`gives what SQL gives over the same events, from the ${from}`, async (t) => {
      const events = await generatePreset(
        t,
        NAME,
        ...['--num-events', '5000', '--rate', '5', '--users', '200', '--max-active-sessions', '40'],
        ...['--purchase-scaling', '0.01', '--out-of-order', '10%', '--out-of-order-max', '8s'],
      )
      const summary = await runPreset(NAME, events, from)
      assert.equal(summary.fates['accepted'], 5000)
      await assertOnlineModel(events)
    })
  }
})
