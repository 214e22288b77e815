import assert from 'node:assert/strict'
import { test } from 'node:test'
import { histogram } from '../metrics/family.ts'
import type { AlertRule } from './alert-rule.ts'
import { AlertWatch } from './alert-watch.ts'
import { MetricSamples } from './metric-samples.ts'

const RULE: AlertRule = {
  name: 'lag',
  of: { kind: 'metric', metric: 'lag', labels: {} },
  above: 10,
  clear: 5,
  forMs: 2_000,
  notify: [],
}

/** Values at each second, of one series; the states that they lead to, as `second state`. */
function statesOf(rule: AlertRule, ...values: readonly number[]): string[] {
  const watch = new AlertWatch(rule)
  return values.flatMap((value, second) =>
    watch.observe(second * 1_000, [{ series: '', value }]).map(({ state, atMs }) => `${atMs / 1_000} ${state}`),
  )
}

test('an alert begins when the number has been beyond the limit for long enough, and ends at the other limit', () => {
  assert.deepEqual(statesOf(RULE, 11, 11, 11, 9, 6, 11, 5, 11), ['2 firing', '6 resolved'])
  assert.deepEqual(statesOf(RULE, 11, 11, 10, 11, 11, 10, 11), [], 'it begins anew each time')
  assert.deepEqual(statesOf({ ...RULE, forMs: 0 }, 10, 11, 4), ['1 firing', '2 resolved'])
})

test('without a second limit the first one ends it; below is the mirror of above', () => {
  const { clear, above, ...rest } = RULE
  assert.deepEqual(statesOf({ ...rest, above: 10, forMs: 0 }, 11, 10), ['0 firing', '1 resolved'])
  assert.deepEqual(statesOf({ ...rest, below: 3, clear: 6, forMs: 0 }, 3, 2, 5, 6), ['1 firing', '3 resolved'])
})

test('each series has its own state, which stays as it is while there is no number', () => {
  const watch = new AlertWatch({ ...RULE, forMs: 0 }, ['old'])
  const change = watch.observe(0, [
    { series: 'a', value: 11 },
    { series: 'b', value: 1 },
  ])
  assert.deepEqual(
    change.map(({ series, state }) => `${series} ${state}`),
    ['a firing'],
  )
  assert.deepEqual(watch.observe(1, []), [])
  assert.deepEqual([...watch.firing], ['old', 'a'])
})

test('growth is that of the time looked back over, as a share when another metric is named', () => {
  const samples = new MetricSamples({
    kind: 'metric',
    metric: 'bad',
    labels: { why: 'x' },
    overMs: 2_000,
    shareOf: 'all',
  })
  const at = (second: number, bad: number, all: number): number[] =>
    samples
      .read(second * 1_000, [
        {
          name: 'bad',
          help: '',
          type: 'counter',
          labelNames: ['why'],
          samples: [
            { labels: ['x'], value: bad },
            { labels: ['y'], value: 999 },
          ],
        },
        { name: 'all', help: '', type: 'counter', labelNames: [], samples: [{ labels: [], value: all }] },
      ])
      .map(({ value }) => value)
  assert.deepEqual(at(0, 0, 100), [], 'nothing is known of the time before')
  assert.deepEqual(at(1, 10, 200), [])
  assert.deepEqual(at(2, 10, 300), [0.05])
  assert.deepEqual(at(3, 110, 400), [0.5])
  assert.deepEqual(at(4, 110, 300), [], 'nothing came in')
})

test('a share that looks back over no time is one of all', () => {
  const samples = new MetricSamples({ kind: 'metric', metric: 'bad', labels: {}, shareOf: 'all' })
  const shares = (bad: number, all: number): number[] => {
    const families = Object.entries({ bad, all }).map(([name, value]) => {
      return { name, help: '', type: 'counter' as const, labelNames: [], samples: [{ labels: [], value }] }
    })
    return samples.read(0, families).map(({ value }) => value)
  }
  assert.deepEqual([shares(0, 0), shares(5, 100), shares(6, 400)], [[], [0.05], [0.015]])
})

test('parts of a histogram go by the names that they have in its text', () => {
  const samples = new MetricSamples({
    kind: 'metric',
    metric: 'latency_seconds_bucket',
    labels: { le: '1' },
    overMs: 1_000,
    shareOf: 'latency_seconds_count',
  })
  const at = (second: number, inTime: number, all: number): unknown =>
    samples.read(second * 1_000, [
      histogram('latency_seconds', 'Latency.', {
        buckets: [
          [0.5, 0],
          [1, inTime],
        ],
        sum: 70,
        count: all,
      }),
    ])
  assert.deepEqual(at(0, 5, 10), [])
  assert.deepEqual(at(1, 14, 20), [{ series: 'le=1', value: 0.9 }])
})
