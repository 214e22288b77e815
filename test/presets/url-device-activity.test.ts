import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { generatePreset, runPreset } from '../support/preset-run.ts'
import { assertUrlDeviceActivity } from './outputs/url-device-activity.ts'

const NAME = 'url-device-activity'

describe('url-device-activity', () => {
  for (const from of ['files', 'log'] as const) {
    // C6, C8, C10: sliding windows, each event once however often it was sent, JSON in three folders
    test(`gives what SQL gives over the same events, each counted once, from the ${from}`, async (t) => {
      const events = await generatePreset(
        t,
        NAME,
        ...['--num-events', '6000', '--rate', '10', '--users', '100', '--max-active-sessions', '30'],
        ...['--out-of-order', '10%', '--out-of-order-max', '8m', '--duplicates', '2%'],
      )
      const summary = await runPreset(NAME, events, from)
      assert.ok((summary.fates['duplicate'] ?? 0) > 50)
      assert.equal(summary.rowsRead, (summary.fates['accepted'] ?? 0) + (summary.fates['duplicate'] ?? 0))
      await assertUrlDeviceActivity(events)
    })
  }
})
