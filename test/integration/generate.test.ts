// The generator as a user runs it: options, environment, going on, and a truth that counting the log's bytes confirms.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Truth } from '../../src/generator/truth.ts'
import { openEmbeddedLog } from '../../src/log/embedded-log.ts'
import { readValues, recount } from '../support/generated-topic.ts'
import { runMillrace, temporaryFolder } from '../support/run-millrace.ts'

test('traffic by options and environment is what the truth file says, and goes on where it stopped', async (t) => {
  const cwd = await temporaryFolder(t)
  const env = { MAX_ACTIVE_SESSIONS: '300', NEW_SESSION_PROBABILITY: '0.1', PURCHASE_SCALING: '0.01' }
  const options = '--partitions 2 --users 5000 --malformed 1% --invalid 1% --late-data --duplicates 2% --day-curve 1'
  const args = ['generate', '--topic', 'clicks', '--json', ...options.split(' ')]
  const first = await runMillrace([...args, '--num-events', '3000'], { cwd, env })
  assert.equal(first.code, 0, first.stderr)
  assert.deepEqual(pick(JSON.parse(first.stdout)), { topic: 'clicks', rows: 3000, endedBy: 'rows' })
  assert.match(first.stderr, /^[\d,]+ events\/s {2}[\d.]+ MB\/s {2}3,000 events {2}1\.0 MB$/m)

  const second = await runMillrace([...args, '--truth', 'truth.json'], { cwd, env: { ...env, TARGET_BYTES: '1MB' } })
  assert.equal(second.code, 0, second.stderr)
  const { rows, bytes, endedBy } = JSON.parse(second.stdout) as { rows: number; bytes: number; endedBy: string }
  assert.equal(endedBy, 'bytes')
  assert.ok(bytes >= 1e6 && bytes < 1.01e6)

  const made = await madeWith(cwd, 'clicks')
  const log = await openEmbeddedLog(join(cwd, 'home/log'), { mode: 'read' })
  const values = (await readValues(log, 'clicks')).flat()
  await log.close()
  assert.deepEqual(
    [
      made['activeSessionsMax'],
      made['newSessionProbability'],
      made['purchaseProbabilityScaling'],
      made['lateFraction'],
    ],
    [300, 0.1, 0.01, 0.02],
  )
  const told = JSON.parse(await readFile(join(cwd, 'truth.json'), 'utf8')) as Truth
  const counted = recount(values, 60_000)
  assert.equal(values.length, 3000 + rows)
  assert.equal(told.rows, values.length)
  assert.deepEqual([told.rowsByPlant.malformed, told.rowsByPlant.invalid], [counted.malformed, counted.invalid])
  assert.ok(told.rowsByPlant.late > 50 && told.rowsByPlant.duplicate > 50 && counted.malformed > 20)

  const other = await runMillrace([...args, '--num-events', '1', '--users', '6000'], { cwd, env })
  assert.equal(other.code, 4)
  assert.match(other.stderr, /topic "clicks" was generated with users 5000, not 6000/)
})

test('an interval is a rate, zero events are as many as there is time for, and the two ways exclude each other', async (t) => {
  const cwd = await temporaryFolder(t)
  const args = [
    'generate',
    '--num-events',
    '0',
    '--interval',
    '0.002',
    '--no-late-data',
    '--duration',
    '300ms',
    '--json',
  ]
  const run = await runMillrace(args, { cwd })
  assert.equal(run.code, 0, run.stderr)
  const { rows, endedBy } = JSON.parse(run.stdout) as { rows: number; endedBy: string }
  assert.equal(endedBy, 'duration')
  assert.ok(rows > 0)
  assert.equal((await madeWith(cwd, 'events'))['eventsPerSecond'], 500)
  const both = await runMillrace([...args, '--rate', '5'], { cwd })
  assert.equal(both.code, 2)
  assert.match(both.stderr, /--interval/)
})

test('event times that run ahead of the clock are told of, because most readers refuse them', async (t) => {
  const cwd = await temporaryFolder(t)
  const run = (...args: string[]) =>
    runMillrace(['generate', '--home', 'home', '--num-events', '2000', '--rate', '1', '--flat-out', ...args], { cwd })
  const ahead = await run('--topic', 'now')
  assert.equal(ahead.code, 0, ahead.stderr)
  assert.match(ahead.stderr, /notice: event times run 33m .* ahead of the clock.* --start\n/)
  const past = await run('--topic', 'past', '--start', '2026-01-01T00:00:00Z')
  assert.doesNotMatch(past.stderr, /notice/)
})

function pick({ topic, rows, endedBy }: { topic: string; rows: number; endedBy: string }): object {
  return { topic, rows, endedBy }
}

/** The settings that a topic's labels tell. */
async function madeWith(cwd: string, topic: string): Promise<Readonly<Record<string, number>>> {
  const log = await openEmbeddedLog(join(cwd, 'home/log'), { mode: 'read' })
  const description = await log.describeTopic(topic)
  await log.close()
  return JSON.parse(description?.settings.labels?.['generator-settings'] ?? '{}')
}
