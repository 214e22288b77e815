import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPrometheusText, writeFamilies } from './prometheus.ts'

test('labels are escaped, so that a name cannot end its line', async () => {
  const text = await writeFamilies([
    {
      name: 'rows_total',
      help: 'Rows.',
      type: 'counter',
      labelNames: ['sink', 'kind'],
      samples: [{ labels: ['a"b\\c\nd', 'csv'], value: 12 }],
    },
  ])
  assert.equal(
    text,
    '# HELP rows_total Rows.\n# TYPE rows_total counter\nrows_total{sink="a\\"b\\\\c\\nd",kind="csv"} 12\n',
  )
})

test('a second scrape shows the second value, not the sum', async () => {
  const family = { name: 'rows_total', help: 'Rows.', type: 'counter', labelNames: [] } as const
  const prometheus = createPrometheusText()
  assert.match(await prometheus.write([{ ...family, samples: [{ labels: [], value: 5 }] }]), /^rows_total 5$/m)
  const second = await prometheus.write([{ ...family, samples: [{ labels: [], value: 7 }] }])
  assert.match(second, /^rows_total 7$/m)
  assert.match(second, /^process_resident_memory_bytes \d+$/m)
  assert.match(second, /^nodejs_eventloop_lag_seconds /m)
})
