import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { draftOf } from '../../test/support/log-records.ts'
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
import { createSource } from '../sources/index.ts'
import { openJob } from './open-job.ts'

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

/** Rows of a live run over two events, an hour after them at the latest. */
async function rowsOfQuietRun(t: TestContext, query: Query): Promise<number> {
  const folder = await temporaryFolder(t)
  const clock = new WatchedClock(START_MS)
  const log = new MemoryLog('quiet', clock)
  await log.createTopic('visits', { partitions: 1 })
  for (const what of ['view', 'buy']) {
    await log.append('visits', 0, draftOf(JSON.stringify({ at: clock.now(), user: 'u', what })))
    clock.advance(1_000)
  }
  const context = { workingFolder: folder, stdin: process.stdin, openLog: async () => log }
  const job = await openJob({
    plan: pipeline('quiet').query('q', query),
    source: await createSource(logSource('visits'), context),
    checkpointFolder: undefined,
    deadLetterFolder: folder,
    workingFolder: folder,
    settings: {
      triggerMs: 100,
      snapshotIntervalMs: HOUR_MS,
      rowsPerEpochMax: 1_000,
      prefetchBytesMax: 1 << 20,
      once: false,
      flushAtEnd: false,
    },
    live: true,
    parallelism: 1,
    clock,
    print: () => {},
    hashKey: [1, 2],
    views: [],
  })
  const rows = (): number => job.status().queries[0]?.rowsEmitted ?? 0
  clock.watch = () => {
    if (rows() >= 2 || clock.now() > START_MS + HOUR_MS) job.stop()
  }
  await job.run()
  return rows()
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
