import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MetricFamily, MetricsRegistry, SERIES_MAX } from './registry.ts'

const gauge: MetricFamily = { name: 'lag', help: 'Lag.', type: 'gauge', labelNames: ['partition'], samples: [] }

test('values are copied at the moment of each scrape', () => {
  const registry = new MetricsRegistry()
  let lag = 3
  registry.add(() => [{ ...gauge, samples: [{ labels: ['p0'], value: lag }] }])
  assert.equal(registry.collect()[0]?.samples[0]?.value, 3)
  lag = 5
  assert.equal(registry.collect()[0]?.samples[0]?.value, 5)
})

test('a family with too many series is cut, and the cut is a metric itself', () => {
  const registry = new MetricsRegistry()
  const samples = Array.from({ length: SERIES_MAX + 7 }, (_, index) => ({ labels: [`p${index}`], value: index }))
  registry.add(() => [{ ...gauge, samples }])
  const [cut, dropped] = registry.collect()
  assert.equal(cut?.samples.length, SERIES_MAX)
  assert.deepEqual(dropped?.samples, [{ labels: ['lag'], value: 7 }])
})

test('a value that is not a number leaves a gap', () => {
  const registry = new MetricsRegistry()
  const samples = [Number.NaN, Number.NEGATIVE_INFINITY, 1].map((value, index) => ({ labels: [`p${index}`], value }))
  registry.add(() => [{ ...gauge, samples }])
  assert.deepEqual(registry.collect()[0]?.samples, [{ labels: ['p2'], value: 1 }])
})

for (const [what, families, message] of [
  ['a name given twice', [gauge, gauge], /lag is given twice/],
  ['a name that is none', [{ ...gauge, name: 'no name' }], /"no name" is not a metric name/],
  ['a counter without _total', [{ ...gauge, type: 'counter' }], /lag: a counter/],
  ['a gauge with _total', [{ ...gauge, name: 'lag_total' }], /lag_total: a counter/],
  [
    'a part of a histogram in a gauge',
    [{ ...gauge, samples: [{ suffix: '_sum', labels: [], value: 1 }] }],
    /lag: samples of a histogram/,
  ],
  ['a label too few', [{ ...gauge, samples: [{ labels: [], value: 1 }] }], /lag has 1 labels, a sample has 0/],
] as const) {
  test(`${what} is a bug`, () => {
    const registry = new MetricsRegistry()
    registry.add(() => families)
    assert.throws(() => registry.collect(), { name: 'AssertionError', message })
  })
}
