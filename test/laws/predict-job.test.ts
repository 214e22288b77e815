import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { VirtualClock } from '../../src/base/clock.ts'
import { adam, logisticRegression, logSource, pageHinkley, pipeline, purchaseWithin } from '../../src/index.ts'
import { openJob } from '../../src/job/open-job.ts'
import { readSnapshot, SNAPSHOT_NAME } from '../../src/job/snapshot-file.ts'
import { MemoryLog } from '../../src/log/memory-log.ts'
import { MemoryStore, memorySink } from '../../src/sinks/memory-sink.ts'
import { createSource } from '../../src/sources/index.ts'
import { FaultyFiles } from '../support/faulty-files.ts'
import { lawRuns } from '../support/law-runs.ts'
import { draftOf, noLock } from '../support/log-records.ts'
import { type HistoryEvent, history, historyEvents, historyRows } from '../support/shop-history.ts'

const START_MS = Date.UTC(2026, 0, 1)
const PARTITIONS = 2

const predicted = historyEvents.predict({
  label: purchaseWithin('20s'),
  features: ['price', 'device'],
  model: logisticRegression({
    optimizer: adam(),
    guardOutcomes: 10,
    keepNegatives: 0.5,
    drift: pageHinkley(0.3),
    scoreDrift: pageHinkley(0.2),
  }),
  challengers: { fast: logisticRegression({ optimizer: adam(0.5), calibration: 0.1 }) },
  promoteAfter: 10,
})
const plan = pipeline('laws')
  .query('predictions', predicted.select())
  .query('weights', predicted.modelWeights().select())

/** How a job gets its rows. */
interface Way {
  readonly parallelism: number
  readonly rowsPerEpochMax: number
  readonly prefetchBytesMax: number
  /** Rows of a record batch. */
  readonly batchRows: number
  /** Processes that follow each other, each with a part of the rows. */
  readonly processes: number
}

const STRAIGHT: Way = {
  parallelism: 1,
  rowsPerEpochMax: 1_000,
  prefetchBytesMax: 1 << 20,
  batchRows: 1_000,
  processes: 1,
}
const way: fc.Arbitrary<Way> = fc.record({
  parallelism: fc.constantFrom(1, 2),
  rowsPerEpochMax: fc.constantFrom(1, 7, 30),
  prefetchBytesMax: fc.constantFrom(1, 500, 1 << 20),
  batchRows: fc.constantFrom(1, 3, 10),
  processes: fc.constantFrom(1, 2, 3),
})

test('a job with a model has the same predictions, last weights and bytes of state with one worker or two, for any batches, epochs and restarts', async () => {
  await fc.assert(
    fc.asyncProperty(history, way, async (steps, how) => {
      const rows = historyRows(steps)
      assert.deepEqual(await learned(rows, how), await learned(rows, STRAIGHT))
    }),
    { numRuns: lawRuns('modelJobs') },
  )
})

/** All that a job has learned and said. */
async function learned(rows: readonly HistoryEvent[], how: Way): Promise<unknown> {
  const log = new MemoryLog('laws', new VirtualClock(START_MS))
  await log.createTopic('t', { partitions: PARTITIONS })
  const files = new FaultyFiles()
  const [predictions, weights] = [new MemoryStore(), new MemoryStore()]
  const share = Math.ceil(rows.length / how.processes)
  for (let from = 0; from < rows.length; from += share) {
    await append(log, rows.slice(from, from + share), how.batchRows)
    await runOnce(log, files, how, { predictions, weights })
  }
  const newest = (await files.readdir('/checkpoint'))
    .filter((name) => SNAPSHOT_NAME.test(name))
    .sort()
    .at(-1)
  const { engineState } = await readSnapshot(`/checkpoint/${newest}`, files)
  return {
    predictions: predictions.rows.map((row) => [...row]),
    weights: lastWeights(weights),
    state: Buffer.from(engineState).toString('base64'),
  }
}

async function append(log: MemoryLog, rows: readonly HistoryEvent[], batchRows: number): Promise<void> {
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const lines = rows.filter((row) => row.partition === partition).map(({ event }) => JSON.stringify(event))
    for (let from = 0; from < lines.length; from += batchRows) {
      await log.append('t', partition, draftOf(...lines.slice(from, from + batchRows)))
    }
  }
}

async function runOnce(
  log: MemoryLog,
  files: FaultyFiles,
  { parallelism, rowsPerEpochMax, prefetchBytesMax }: Way,
  stores: Readonly<Record<string, MemoryStore>>,
): Promise<void> {
  const source = await createSource(logSource('t'), {
    workingFolder: '/',
    stdin: process.stdin,
    openLog: async () => log,
  })
  const job = await openJob({
    plan,
    source,
    checkpointFolder: '/checkpoint',
    deadLetterFolder: '/dead',
    workingFolder: '/',
    settings: {
      triggerMs: 1,
      snapshotIntervalMs: 1_000_000,
      rowsPerEpochMax,
      prefetchBytesMax,
      once: true,
      flushAtEnd: false,
    },
    live: false,
    parallelism,
    plainDecoder: true,
    clock: new VirtualClock(START_MS),
    print: () => {},
    hashKey: [1, 2],
    views: Object.entries(stores).map(([query, store]) => ({ query, sink: memorySink({ name: query }, store) })),
    fileSystem: files,
    lock: noLock,
  })
  await job.run()
}

/** Of each part of the model, without texts that nothing was learned of: a report has them or not, as epochs were cut. */
function lastWeights({ rows }: MemoryStore): string[] {
  const last = new Map(rows.map((row) => [`${row.get('model')} ${row.get('feature')}`, row]))
  const learned = [...last.values()].filter((row) => row.get('weight') !== 0)
  return learned.map((row) => JSON.stringify({ ...Object.fromEntries(row), as_of: 'of the epoch' })).sort()
}
