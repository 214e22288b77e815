import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshTopic, openTestLog, testKafka } from '../../../test/support/kafka.ts'
import { requirement } from '../../../test/support/requirement.ts'
import { runMillrace, temporaryFolder } from '../../../test/support/run-millrace.ts'
import { LoadTally } from '../load-target.ts'
import { assertion } from '../options.ts'

test('a share of latencies is not exceeded by more than a sixteenth of it', () => {
  const tallies = [new LoadTally(), new LoadTally()]
  for (let ms = 1; ms <= 1_000; ms++) tallies[ms % 2].add(3, 100, ms)
  assert.equal(tallies[0].rows + tallies[1].rows, 3_000)
  const found = LoadTally.latencies(tallies, [0.001, 0.5, 0.99, 1])
  for (const [index, exact] of [1, 500, 990, 1_000].entries()) {
    assert.ok(found[index] >= exact && found[index] < exact * 1.07, `${found[index]} for ${exact}`)
  }
  assert.deepEqual(LoadTally.latencies([new LoadTally()], [0.5]), [0])
  // What one thread writes, another reads.
  assert.equal(new LoadTally(tallies[0].memory).rows, tallies[0].rows)
})

test('conditions compare a number of the report; others are refused', () => {
  const report = { rate: 10, mbps: 0, p50: 1, p90: 2, p99: 3, max: 4, errors: 0 }
  const verdicts = ['rate>=10', 'rate > 1e1', 'p99<3.5', 'errors<=0'].map((text) => assertion(text).holds(report))
  assert.deepEqual(verdicts, [true, false, true, true])
  for (const text of ['rate=1', 'speed>1', 'rate>=', 'rate>=fast', ''])
    assert.throws(() => assertion(text), /Write one of/)
})

test('a load test fills the embedded log up to its target, and fails when a condition does not hold', async (t) => {
  const folder = await temporaryFolder(t)
  const env = {
    ...{ TARGET_BYTES: '1MB', TASKS_PER_WORKER: '3', MAX_ACTIVE_SESSIONS: '300', NEW_SESSION_PROBABILITY: '10%' },
    ...{ BASE_PURCHASE_PROBABILITY: '0', PURCHASE_SCALING: '0' },
  }
  const run = await runMillrace(['loadtest', '--topic', 'load', '--json', '--assert', 'rate<1'], { cwd: folder, env })
  assert.equal(run.code, 1, run.stderr)
  assert.match(run.stderr, /FAILED {2}rate<1: it is \d+/)
  const report = JSON.parse(run.stdout) as { events: number; bytes: number; errors: number }
  assert.ok(report.bytes >= 1e6 && report.bytes < 1.1e6, `${report.bytes} bytes`)
  assert.equal(report.errors, 0)
  const topics = await runMillrace(['topics', 'describe', 'load', '--json'], { cwd: folder })
  const { offsets } = JSON.parse(topics.stdout) as { offsets: { end: number }[] }
  assert.equal(
    offsets.reduce((sum, { end }) => sum + end, 0),
    report.events,
  )
  const peek = await runMillrace(['topics', 'peek', 'load', '-n', '1000000'], { cwd: folder })
  const count = (text: string): number => peek.stdout.split(text).length - 1
  assert.equal(count('"session_id":'), report.events)
  assert.ok(Math.abs(count('"session_start"') / report.events - 0.1) < 0.02, `${count('"session_start"')} sessions`)
  assert.equal(count('"purchase"'), 0)
})

test('a load test fills a topic of Kafka from several threads', requirement('kafka'), async (t) => {
  const folder = await temporaryFolder(t)
  const { bootstrap } = await testKafka()
  const topic = freshTopic('load')
  const args = ['loadtest', '--topic', topic, '--bootstrap-servers', bootstrap, '--json', '--bytes', '3MB']
  const run = await runMillrace([...args, '--workers', '2', '--tasks-per-worker', '2'], { cwd: folder })
  assert.equal(run.code, 0, run.stderr)
  const { events } = JSON.parse(run.stdout) as { events: number }
  const log = await openTestLog(bootstrap)
  t.after(() => log.close())
  assert.equal(
    (await log.topicOffsets(topic)).reduce((sum, { end }) => sum + end, 0),
    events,
  )
})
