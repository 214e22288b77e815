import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { generatePreset, runPreset } from '../support/preset-run.ts'
import { assertPageGeoSessions } from './outputs/page-geo-sessions.ts'

const NAME = 'page-geo-sessions'

describe('page-geo-sessions', () => {
  for (const from of ['files', 'log'] as const) {
    test(`gives what SQL gives over the same events, from the ${from}, as Parquet and as CSV`, async (t) => {
      const events = await generatePreset(
        t,
        NAME,
        ...['--num-events', '6000', '--rate', '20', '--users', '300', '--max-active-sessions', '40'],
        ...['--out-of-order', '10%', '--out-of-order-max', '4s'],
      )
      const summary = await runPreset(NAME, events, from)
      assert.equal(summary.rowsRead, 6000)
      assert.equal(summary.fates['accepted'], 6000)
      await assertPageGeoSessions(events)
    })
  }
})
