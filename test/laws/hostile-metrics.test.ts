/** Input that nobody wishes for, seen from outside: what a job's metrics say while it comes. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { VirtualClock } from '../../src/base/clock.ts'
import {
  count,
  defineSchema,
  logSource,
  pipeline,
  type Query,
  session,
  stream,
  text,
  timestamp,
  tumbling,
} from '../../src/index.ts'
import type { Job } from '../../src/job/job.ts'
import { MemoryLog } from '../../src/log/memory-log.ts'
import { jobMetrics } from '../../src/server/job-metrics.ts'
import { draftOf } from '../support/log-records.ts'
import { openMemoryJob } from '../support/memory-job.ts'
import { temporaryFolder } from '../support/run-millrace.ts'

const START_MS = Date.UTC(2026, 0, 1)
const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const YEAR = 365 * 24 * HOUR
/** A live run ends then, whatever it has or has not seen: many times what it takes until a partition is idle. */
const STEPS_MAX = 5_000

const visits = stream(
  logSource('visits'),
  defineSchema({ at: timestamp({ format: 'epoch-ms', required: true }), user: text({ cardinality: 'high' }) }),
).withWatermark('at', '10s', { idleTimeout: '30s' })

const perMinute = visits.groupBy('user').window(tumbling('1 minute')).aggregate({ visits: count() })
const sessions = visits.groupBy('user').window(session('30 minutes')).aggregate({ visits: count() })

type Visit = readonly [atMs: number, user: string]

test('one user with 99 % of the events is one row of the state', async (t) => {
  const own = Array.from({ length: 1_000 }, (_, index): Visit => [index, index % 100 === 0 ? `u${index}` : 'hot'])
  const metrics = await metricsOf(t, perMinute, [own])
  assert.equal(metrics.get('millrace_events_total{accepted}'), 1_000)
  assert.equal(metrics.get('millrace_state_rows{q}'), 11)
})

test('users that never come again are rows of the state until their window closes', async (t) => {
  const minutes = (count: number): Visit[] =>
    Array.from({ length: count * 60 }, (_, second): Visit => [second * SECOND, `u${second}`])
  const metrics = await metricsOf(t, perMinute, [minutes(10)])
  assert.equal(metrics.get('millrace_state_rows{q}'), 60)
  assert.equal(metrics.get('millrace_open_windows{q}'), 1)
  assert.equal(metrics.get('millrace_query_rows_total{q}'), 540)
})

test('a session that never ends gives a row for each day, and its state stays small', async (t) => {
  const own = Array.from({ length: 3 * 24 * 6 }, (_, index): Visit => [index * 10 * MINUTE, 'bot'])
  const metrics = await metricsOf(t, sessions, [own], { rowsPerEpochMax: 1 })
  assert.equal(metrics.get('millrace_query_rows_total{q}'), 2)
  assert.ok((metrics.get('millrace_state_rows{q}') as number) <= 2)
  assert.equal(metrics.get('millrace_events_total{late}'), 0)
})

test('a clock that is a year ahead is counted as future, and time stays', async (t) => {
  const own = Array.from({ length: 60 }, (_, second): Visit => [second * SECOND, 'u'])
  const metrics = await metricsOf(t, perMinute, [[...own, [YEAR, 'ahead']]])
  assert.equal(metrics.get('millrace_events_total{future}'), 1)
  assert.equal(metrics.get('millrace_events_total{accepted}'), 60)
  assert.equal(metrics.get('millrace_watermark_seconds{q/watermark}'), (START_MS + 49 * SECOND) / 1_000)
})

test('a partition that falls silent holds time back, and the state grows, until it is idle', async (t) => {
  const going = Array.from({ length: 120 }, (_, second): Visit => [second * SECOND, `u${second}`])
  const silent: Visit[] = [[0, 'silent']]
  const seen: ReadonlyMap<string, number>[] = []
  await metricsOf(t, perMinute, [going, silent], { once: false, seen })
  const watermark = 'millrace_watermark_seconds{q/watermark}'
  const idle = 'millrace_partition_idle{visits-1}'
  const waiting = seen.find((one) => one.get('millrace_events_total{accepted}') === 121)
  assert.deepEqual([waiting?.get(idle), waiting?.get(watermark)], [0, (START_MS - 10 * SECOND) / 1_000])
  assert.equal(waiting?.get('millrace_state_rows{q}'), 121)
  const last = seen.at(-1)
  assert.equal(last?.get(idle), 1)
  assert.ok((last?.get(watermark) as number) > START_MS / 1_000)
  assert.ok((last?.get('millrace_state_rows{q}') as number) < 121)
})

interface RunOptions {
  readonly once?: boolean
  readonly rowsPerEpochMax?: number
  /** Takes up the metrics after each step of a live run, which ends when a partition is idle. */
  readonly seen?: ReadonlyMap<string, number>[]
}

/** Runs a job over a topic, one list of visits a partition; what its metrics say at the end, by name and first label. */
async function metricsOf(
  t: TestContext,
  query: Query,
  visitsByPartition: readonly (readonly Visit[])[],
  { once = true, rowsPerEpochMax = 10_000, seen = [] }: RunOptions = {},
): Promise<ReadonlyMap<string, number>> {
  const clock = new WatchedClock(START_MS + MINUTE)
  const log = new MemoryLog('hostile', clock)
  await log.createTopic('visits', { partitions: visitsByPartition.length })
  for (const [partition, own] of visitsByPartition.entries()) {
    clock.setAtLeast(START_MS + Math.max(...own.map(([at]) => at).filter((at) => at < YEAR)))
    for (const [at, user] of own) await log.append('visits', partition, draftOf(visitText(at, user)))
  }
  const job = await openMemoryJob({
    plan: pipeline('hostile').query('q', query),
    log,
    clock,
    disk: await temporaryFolder(t),
    settings: { triggerMs: 100, rowsPerEpochMax, once },
  })
  let stepsAfterIdle = 0
  clock.watch = () => {
    if (once) return
    seen.push(samples(job))
    const idle = job.status().partitions.some(({ idleSinceMs }) => idleSinceMs !== null)
    if ((idle && ++stepsAfterIdle > 3) || seen.length > STEPS_MAX) job.stop()
  }
  await job.run()
  return samples(job)
}

function visitText(at: number, user: string): string {
  return JSON.stringify({ at: START_MS + at, user })
}

function samples(job: Job): ReadonlyMap<string, number> {
  return new Map(
    jobMetrics(job.status()).flatMap(({ name, samples: own }) =>
      own.map(({ labels, value }) => [labels.length > 0 ? `${name}{${labels[0]}}` : name, value] as const),
    ),
  )
}

/** Sleeping takes no time but the clock's; whoever watches is called each time. */
class WatchedClock extends VirtualClock {
  watch: () => void = () => {}

  setAtLeast(nowMs: number): void {
    this.advance(Math.max(0, nowMs - this.now()))
  }

  override async sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    this.watch()
    await super.sleep(durationMs, signal)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
