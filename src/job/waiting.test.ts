import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { draftOf } from '../../test/support/log-records.ts'
import { openMemoryJob } from '../../test/support/memory-job.ts'
import { temporaryFolder } from '../../test/support/run-millrace.ts'
import { VirtualClock } from '../base/clock.ts'
import {
  col,
  count,
  defineSchema,
  elapsed,
  eq,
  logSource,
  pipeline,
  type Query,
  stream,
  text,
  timestamp,
  tumbling,
} from '../index.ts'
import { MemoryLog } from '../log/memory-log.ts'
import type { Job } from './job.ts'
import type { JobSettings } from './job-parts.ts'

const START_MS = Date.UTC(2026, 0, 1)
const HOUR_MS = 3_600_000

const events = stream(
  logSource('visits'),
  defineSchema({ at: timestamp({ format: 'epoch-ms', required: true }), user: text(), what: text() }),
).withWatermark('at', '10s', { idleTimeout: '30s' })
const steps = { view: eq(col('what'), 'view'), buy: eq(col('what'), 'buy') }

test('when no more events come, time goes on until attempts for a funnel are over', async (t) => {
  const funnel = events.funnel({ by: 'user', steps, within: '20 minutes' })
  assert.equal(await rowsOfQuietRun(t, funnel.conversions(tumbling('10 minutes'))), 2)
  assert.equal(await rowsOfQuietRun(t, funnel.select()), 2)
})

test('when no more events come, time goes on until rows that wait for it have come out', async (t) => {
  const features = { seconds: elapsed(), clicks: count() }
  const query = events.withSessionFeatures({ by: 'user', window: tumbling('10 minutes'), features }).select()
  assert.equal(await rowsOfQuietRun(t, query), 2)
})

test('a budget of rows that is used up is no reason to wait for the trigger', async (t) => {
  const clock = new PatientClock(START_MS)
  const log = await logOf(clock, Array(2_000).fill('view'))
  const budget = { triggerMs: HOUR_MS, prefetchBytesMax: 4 << 10, once: true }
  const job = await jobOver(t, log, clock, events.select(), budget)
  clock.sleptThrough = () => job.stop()
  await job.run()
  assert.equal(job.status().queries[0]?.rowsEmitted, 2_000)
})

test('latency counts from the arrival of an event in the log until its epoch is committed', async (t) => {
  const clock = new VirtualClock(START_MS)
  const log = await logOf(clock, ['view', 'buy'])
  clock.advance(5_000)
  const job = await jobOver(t, log, clock, events.select(), { once: true })
  assert.equal(job.status().latency, null)
  const { latency } = await job.run()
  assert.equal(latency?.sinceStart.rows, 2)
  assert.equal(latency.sinceStart.sumMs, 7_000 + 6_000)
  assert.equal(latency.maxMs, 7_000)
})

/** Rows of a live run over two events, an hour after them at the latest. */
async function rowsOfQuietRun(t: TestContext, query: Query): Promise<number> {
  const clock = new WatchedClock(START_MS)
  const job = await jobOver(t, await logOf(clock, ['view', 'buy']), clock, query, {})
  const rows = (): number => job.status().queries[0]?.rowsEmitted ?? 0
  clock.watch = () => {
    if (rows() >= 2 || clock.now() > START_MS + HOUR_MS) job.stop()
  }
  await job.run()
  return rows()
}

/** One event a second. */
async function logOf(clock: VirtualClock, what: readonly string[]): Promise<MemoryLog> {
  const log = new MemoryLog('visits', clock)
  await log.createTopic('visits', { partitions: 1 })
  for (const one of what) {
    await log.append('visits', 0, draftOf(JSON.stringify({ at: clock.now(), user: 'u', what: one })))
    clock.advance(1_000)
  }
  return log
}

async function jobOver(
  t: TestContext,
  log: MemoryLog,
  clock: VirtualClock,
  query: Query,
  settings: Partial<JobSettings>,
): Promise<Job> {
  return openMemoryJob({
    plan: pipeline('waiting').query('q', query),
    log,
    clock,
    disk: await temporaryFolder(t),
    settings: { triggerMs: 100, snapshotIntervalMs: HOUR_MS, once: false, ...settings },
    live: true,
  })
}

/** Sleeping takes no time but the clock's; whoever watches is called each time. */
class WatchedClock extends VirtualClock {
  watch: () => void = () => {}

  override async sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    this.watch()
    await super.sleep(durationMs, signal)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Who sleeps is expected to be woken: whoever watches is called when nobody has done that for a time that is long in any case. */
class PatientClock extends VirtualClock {
  sleptThrough: () => void = () => {}

  override async sleep(_durationMs: number, signal?: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.sleptThrough()
        resolve()
      }, 10_000)
      signal?.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}
