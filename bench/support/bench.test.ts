import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { measure, resultOf } from './measure.ts'
import { formatJson, formatTable } from './report.ts'

test('contenders run in turns, each equally often, warm-ups untimed', async () => {
  const order: string[] = []
  const contender = (name: string) => ({ name, run: () => order.push(name) && 10 })
  const measured = await measure([contender('a'), contender('b')], { warmUps: 1, runs: 3 })
  assert.equal(order.join(''), 'abbaabba')
  assert.deepEqual(
    measured.map(({ name, events, nsPerEvent }) => [name, events, nsPerEvent.runs]),
    [
      ['a', 10, 3],
      ['b', 10, 3],
    ],
  )
})

test('a contender that does different work from run to run is refused', async () => {
  let events = 0
  await assert.rejects(measure([{ name: 'growing', run: () => ++events }]), /growing did different work/)
  await assert.rejects(measure([{ name: 'idle', run: () => 0 }]), /idle processed no events/)
})

test('a ratio says how many times as fast as the peer the subject is', () => {
  const took = (name: string, median: number) => ({
    name,
    events: 1000,
    nsPerEvent: { median, min: median / 2, max: median * 2, runs: 5 },
  })
  const result = resultOf({ name: 'decode', data: 'small' }, took('ours', 250), [took('theirs', 2500)])
  assert.deepEqual(JSON.parse(formatJson(result)), {
    name: 'decode',
    data: 'small',
    events: 1000,
    nsPerEvent: 250,
    eventsPerSecond: 4_000_000,
    ratio: { theirs: 10 },
  })
  assert.deepEqual(formatTable([result]).split('\n').at(-1)?.split(/ {2,}/), [
    ...['decode', 'small', '1,000', '250', '125', '500', '5', '4,000,000', 'theirs 10.0'],
  ])
})

test('a name that is no benchmark, or none, lists those that are', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(import.meta.dirname, '..', 'run.ts'), ...args], { encoding: 'utf8' })
  for (const [args, problem] of [
    [['decoed'], 'no benchmark is called decoed'],
    [['constructor'], 'no benchmark is called constructor'],
    [[], 'no benchmark named'],
    [['engine', '--fast'], "Unknown option '--fast'"],
  ] as const) {
    const { status, stderr, stdout } = run(...args)
    assert.equal(status, 2)
    assert.ok(stderr.includes(problem), stderr)
    assert.match(stderr, /decode \| .*engine \| .*generate/)
    assert.equal(stdout, '')
  }
})
