import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { Random } from '../../src/base/random.ts'
import type { EngineOptions } from '../../src/engine/engine.ts'
import type { EpochPlan } from '../../src/engine/epoch.ts'
import { createEngine } from '../../src/engine/pipeline.ts'
import {
  approxCountDistinct,
  avg,
  clickEvent,
  col,
  count,
  countDistinct,
  eq,
  fileSource,
  max,
  type Pipeline,
  pipeline,
  rowProperty,
  session,
  sliding,
  stream,
  sum,
  tumbling,
} from '../../src/index.ts'
import { createDecoder } from '../../src/job/create-decoder.ts'
import { DataWorkerThread } from '../../src/job/data-worker-thread.ts'
import { loadDecoderModule } from '../../src/job/decoder-module.ts'
import type { EpochRunner } from '../../src/job/epoch-runner.ts'
import { LocalRunner } from '../../src/job/local-runner.ts'
import { ParallelRunner } from '../../src/job/parallel-runner.ts'
import { rowsOf } from '../../src/sinks/memory-sink.ts'
import { encoded } from '../support/events.ts'

const SEED = Number(process.env['MILLRACE_LAW_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const START_MS = Date.UTC(2026, 0, 1)
const PARTITIONS = 4

const events = stream(fileSource('x'), clickEvent, { keyed: true }).withWatermark('event_time', '30s', {
  maxClockSkew: null,
})
const plan: Pipeline = pipeline('parallel')
  .query(
    'tumbling',
    events
      .groupBy('page_url', 'device')
      .window(tumbling('1 minute'))
      .aggregate({
        rows: count(),
        clicks: count().where(eq(col('event_type'), 'click')),
        total: sum('amount'),
        mean: avg('amount'),
        users: countDistinct('user_id'),
        about: approxCountDistinct('user_id'),
        last: max('user_id'),
      }),
  )
  .query('sliding', events.window(sliding('5 minutes', '1 minute')).aggregate({ users: countDistinct('user_id') }))
  .query(
    'sessions',
    events
      .groupBy('user_id')
      .window(session('45s'))
      .aggregate({ rows: count(), total: sum('amount') }),
  )
  .query(
    'closed_early',
    events
      .groupBy('user_id')
      .window(session('45s', { maxEvents: 8, maxDuration: '2 minutes', endWhen: eq(col('event_type'), 'logout') }))
      .aggregate({ rows: count(), total: sum('amount') }),
  )
  .query(
    'once',
    events
      .dedupe('event_id', { within: '1 minute', scope: 'partition' })
      .groupBy('user_id')
      .window(tumbling('1 minute'))
      .aggregate({ rows: count() }),
  )
  .query('raw', events.select({ user_id: col('user_id'), at: col('event_time'), late: rowProperty('late') }))

const options: EngineOptions = {
  hashKey: [5, 6],
  advanceWhenIdle: false,
  extraModes: ['append', 'update'],
  groupsMax: 1e6,
}
const module = loadDecoderModule((problem) => assert.fail(problem))
const decoder = { module, knownMembers: [], hashSeed: 3, dictionaryEntriesMax: 1 << 16 }

test(`several workers give the rows, the fates and the state bytes of one (MILLRACE_LAW_SEED=${SEED})`, async () => {
  const runners = [
    local(),
    // Room for a byte: whoever sends waits for everything before, several at a time.
    new ParallelRunner(plan, options, decoder, 2, (start) => new DataWorkerThread(start, 1)),
    new ParallelRunner(plan, options, decoder, 3),
  ]
  try {
    const random = new Random(SEED)
    const positions = new Array<number>(PARTITIONS).fill(0)
    for (const runner of runners) runner.addPartitions(Array.from({ length: PARTITIONS }, (_, index) => `p${index}`))
    for (let epoch = 1; epoch <= 8; epoch++) {
      const rows = randomRows(random, epoch)
      const { epochPlan, records } = planOf(epoch, rows, positions, epoch === 8)
      const seen = await Promise.all(runners.map(async (runner) => summary(runner, epochPlan, records)))
      assert.deepEqual(seen[1], seen[0], 'two workers')
      assert.deepEqual(seen[2], seen[0], 'three workers')
    }
  } finally {
    for (const runner of runners) await runner.close()
  }
})

test('state goes from one worker to several and back', async () => {
  const random = new Random(SEED)
  const rows = randomRows(random, 1)
  const { epochPlan, records } = planOf(1, rows, new Array<number>(PARTITIONS).fill(0), false)
  const first = local()
  first.addPartitions(Array.from({ length: PARTITIONS }, (_, index) => `p${index}`))
  await first.compute(epochPlan, records)
  const state = await first.snapshot()
  const second = new ParallelRunner(plan, options, decoder, 2)
  try {
    await second.restore(state)
    assert.deepEqual(second.status().queries, first.status().queries)
    assert.deepEqual(await second.snapshot(), state)
    const third = local()
    await third.restore(await second.snapshot())
    const end = planOf(2, rows, [...Array<number>(PARTITIONS).fill(1_000)], true)
    assert.deepEqual(
      await summary(third, end.epochPlan, end.records),
      await summary(second, end.epochPlan, end.records),
    )
  } finally {
    await second.close()
  }
})

test('an error in a worker is the error of the epoch, with its hint', async () => {
  const small = new ParallelRunner(plan, { ...options, groupsMax: 3 }, decoder, 2)
  try {
    small.addPartitions(['p0', 'p1', 'p2', 'p3'])
    const { epochPlan, records } = planOf(1, randomRows(new Random(SEED), 1), [0, 0, 0, 0], false)
    await assert.rejects(small.compute(epochPlan, records), { name: 'MillraceError', code: 'unsupported', hint: /./ })
  } finally {
    await small.close()
  }
})

function local(): EpochRunner {
  const engine = createEngine(plan, options)
  const decoderOptions = { ...decoder, fields: engine.fields, knownMembers: new Set<string>() }
  return new LocalRunner(engine, createDecoder(decoderOptions, module))
}

async function summary(runner: EpochRunner, epochPlan: EpochPlan, records: Parameters<EpochRunner['compute']>[1]) {
  const results = await runner.compute(epochPlan, records)
  return {
    ...results,
    queries: results.queries.map(({ append, update, lateRows }) => ({
      append: append && rowsOf(append).map((row) => [...row]),
      update: update && rowsOf(update).map((row) => [...row]),
      changes: update?.changes && [...update.changes],
      lateRows,
    })),
    state: createHash('sha256')
      .update(await runner.snapshot())
      .digest('hex'),
    status: runner.status(),
  }
}

function planOf(epoch: number, rows: Record<string, unknown>[][], positions: number[], flush: boolean) {
  const ranges = rows.map((list, partition) => {
    const from = positions[partition] as number
    positions[partition] = from + list.length
    return { partition, from, to: from + list.length }
  })
  const records = rows.map((list, partition) => [encoded(list, ranges[partition]?.from as number)])
  const epochPlan: EpochPlan = { epoch, previous: epoch - 1, clockMs: START_MS, ranges, idle: [], ended: [], flush }
  return { epochPlan, records }
}

function randomRows(random: Random, epoch: number): Record<string, unknown>[][] {
  return Array.from({ length: PARTITIONS }, () =>
    Array.from({ length: 50 + random.below(150) }, () => ({
      event_time: new Date(START_MS + epoch * 60_000 + random.below(150_000) - (random.chance(0.1) ? 200_000 : 0)),
      event_id: random.chance(0.1) ? null : `e${random.below(300)}`,
      event_type: random.chance(0.1) ? 'logout' : random.chance(0.5) ? 'click' : 'page_view',
      user_id: `u${random.below(40)}`,
      page_url: random.chance(0.1) ? null : `/p${random.below(8)}`,
      device: random.chance(0.5) ? 'mobile' : 'desktop',
      amount: random.chance(0.5) ? random.below(10_000) / 100 : null,
    })),
  )
}
