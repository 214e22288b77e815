import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecentLatencies } from './latency.ts'

test('latencies count rows, not pieces of them', () => {
  const latencies = new RecentLatencies(10)
  assert.equal(latencies.view(), null)
  latencies.add(
    [
      { rows: 98, atMs: 990 },
      { rows: 1, atMs: 500 },
      { rows: 1, atMs: 0 },
    ],
    1_000,
  )
  assert.deepEqual(latencies.view(), { p50Ms: 10, p99Ms: 500, maxMs: 1_000 })
})

test('only the last epochs with rows count, and a clock that is set back makes no row come from the future', () => {
  const latencies = new RecentLatencies(2)
  latencies.add([{ rows: 5, atMs: 0 }], 9_000)
  latencies.add([{ rows: 5, atMs: 100 }], 90)
  latencies.add([{ rows: 1, atMs: 0 }], 20)
  latencies.add([], 50_000)
  assert.deepEqual(latencies.view(), { p50Ms: 0, p99Ms: 20, maxMs: 20 })
})
