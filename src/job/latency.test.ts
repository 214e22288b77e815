import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import { arrivalMs, Latencies } from './latency.ts'

test('latencies count rows, not pieces of them', () => {
  const latencies = new Latencies(10)
  assert.equal(latencies.view(), null)
  latencies.add(
    [
      { rows: 98, atMs: 990 },
      { rows: 1, atMs: 500 },
      { rows: 1, atMs: 0 },
    ],
    1_000,
  )
  const { sinceStart, ...recent } = latencies.view() ?? assert.fail()
  assert.deepEqual(recent, { p50Ms: 10, p99Ms: 500, maxMs: 1_000 })
  assert.equal(sinceStart.rows, 100)
  assert.equal(sinceStart.sumMs, 98 * 10 + 500 + 1_000)
})

test('quantiles are of the last epochs with rows, the histogram is of all', () => {
  const latencies = new Latencies(2)
  latencies.add([{ rows: 5, atMs: 0 }], 9_000)
  latencies.add([{ rows: 5, atMs: 100 }], 90)
  latencies.add([{ rows: 1, atMs: 0 }], 20)
  latencies.add([], 50_000)
  const { sinceStart, ...recent } = latencies.view() ?? assert.fail()
  assert.deepEqual(
    recent,
    { p50Ms: 0, p99Ms: 20, maxMs: 20 },
    'a clock that is set back makes no row come from the future',
  )
  assert.equal(sinceStart.rows, 11)
  assert.equal(sinceStart.sumMs, 5 * 9_000 + 20)
})

test('buckets are cumulative, a bound belongs to its bucket, and what takes longer than the last one is only in the total', () => {
  const latencies = new Latencies(2)
  const nowMs = 86_400_000
  const taken = [5, 6, 10, 9 * 3_600_000]
  latencies.add(
    taken.map((latencyMs, index) => ({ rows: 2 ** index, atMs: nowMs - latencyMs })),
    nowMs,
  )
  const { buckets, rows } = latencies.view()?.sinceStart ?? assert.fail()
  assert.deepEqual(buckets.slice(0, 3), [
    { leMs: 5, rows: 1 },
    { leMs: 10, rows: 7 },
    { leMs: 25, rows: 7 },
  ])
  assert.deepEqual(buckets.at(-1), { leMs: 1_800_000, rows: 7 })
  assert.equal(rows, 15)
})

test('records came when the log stamped them, else when their producer did, and lines when they were read', () => {
  const records: EncodedRecords = {
    framing: 'records',
    bytes: new Uint8Array(0),
    baseOffset: 0,
    endOffset: 1,
    recordCount: 1,
    baseTimestamp: 100,
  }
  assert.equal(arrivalMs({ ...records, appendTimestamp: 200 }, 300), 200)
  assert.equal(arrivalMs(records, 300), 100)
  assert.equal(arrivalMs({ ...records, framing: 'newline', baseTimestamp: Number.NaN }, 300), 300)
})
