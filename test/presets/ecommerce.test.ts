import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { generatePreset, runPreset } from '../support/preset-run.ts'
import { assertEcommerce } from './outputs/ecommerce.ts'

const NAME = 'ecommerce'

describe('ecommerce', () => {
  for (const from of ['files', 'log'] as const) {
    test(`gives what SQL gives over the same events, each counted once, from the ${from}`, async (t) => {
      const events = await generatePreset(
        t,
        NAME,
        ...['--num-events', '6000', '--rate', '5', '--users', '200', '--max-active-sessions', '60'],
        ...['--purchase-scaling', '0.01', '--out-of-order', '10%', '--out-of-order-max', '4m', '--duplicates', '1%'],
      )
      const summary = await runPreset(NAME, events, from)
      assert.ok((summary.fates['duplicate'] ?? 0) > 20)
      assert.equal(summary.rowsRead, (summary.fates['accepted'] ?? 0) + (summary.fates['duplicate'] ?? 0))
      await assertEcommerce(events)
    })
  }
})
