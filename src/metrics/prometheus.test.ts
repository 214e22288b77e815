import assert from 'node:assert/strict'
import { test } from 'node:test'
import { histogram } from './family.ts'
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

test('a histogram has its buckets, its sum and its count', async () => {
  const buckets = [
    [0.5, 3],
    [1, 4],
  ] as const
  const text = await writeFamilies([
    histogram('latency_seconds', 'Latency.', { buckets, sum: 6.5, count: 5 }),
    histogram('nothing_seconds', 'Nothing yet.', null),
  ])
  assert.equal(
    text,
    '# HELP latency_seconds Latency.\n# TYPE latency_seconds histogram\n' +
      'latency_seconds_bucket{le="0.5"} 3\nlatency_seconds_bucket{le="1"} 4\nlatency_seconds_bucket{le="+Inf"} 5\n' +
      'latency_seconds_sum 6.5\nlatency_seconds_count 5\n\n' +
      '# HELP nothing_seconds Nothing yet.\n# TYPE nothing_seconds histogram\n',
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
