import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  avg,
  defineSchema,
  float64,
  logSource,
  pipeline,
  sliding,
  stream,
  sum,
  timestamp,
  tumbling,
} from '../../src/index.ts'
import { rowsOf } from '../../src/sinks/memory-sink.ts'
import { EngineRun } from '../support/events.ts'
import { exactTotal } from '../support/exact-number.ts'
import { lawRuns } from '../support/law-runs.ts'

const START_MS = Date.UTC(2026, 0, 1)
const events = stream(
  logSource('t'),
  defineSchema({ ts: timestamp({ format: 'epoch-ms', required: true }), x: float64() }),
).withWatermark('ts', '30s', { maxClockSkew: null })
const plan = pipeline('sums')
  .query('one', events.window(tumbling('1 minute')).aggregate({ total: sum('x'), mean: avg('x') }))
  .query('slid', events.window(sliding('2 minutes', '1 minute')).aggregate({ total: sum('x') }))

const doubles = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(1e308, -1e308, Number.MAX_VALUE, -Number.MAX_VALUE, 2 ** 900, -(2 ** 899), 1, 5e-324, -5e-324, 0.1),
)

test('a sum of doubles is the exact total, rounded once, also when sums on the way are beyond all doubles', () => {
  fc.assert(
    fc.property(fc.array(doubles, { minLength: 1, maxLength: 12 }), fc.boolean(), (values, restarts) => {
      let run = new EngineRun(plan, 1)
      for (const x of values) {
        run.epoch([[{ ts: START_MS, x }]])
        if (restarts) run = run.restored()
      }
      const { queries } = run.epoch([[]], { flush: true })
      const rows = queries.flatMap(({ append }) => (append ? rowsOf(append) : []))
      const total = exactTotal(values)
      const shown = Number.isFinite(total) ? total : null
      assert.deepEqual(
        rows.map((row) => row.get('total')),
        [shown, shown, shown],
      )
      if (shown !== null) assert.equal(rows[0]?.get('mean'), shown / values.length)
    }),
    { numRuns: lawRuns('floatSums') },
  )
})
