import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { VirtualClock } from '../../src/base/clock.ts'
import { adam, logisticRegression, type Pipeline, pageHinkley, pipeline, purchaseWithin, sgd } from '../../src/index.ts'
import { readSnapshot, SNAPSHOT_NAME } from '../../src/job/snapshot-file.ts'
import { MemoryLog } from '../../src/log/memory-log.ts'
import { type MemoryRow, MemoryStore, memorySink } from '../../src/sinks/memory-sink.ts'
import { FaultyFiles } from '../support/faulty-files.ts'
import { lawRuns } from '../support/law-runs.ts'
import { draftOf } from '../support/log-records.ts'
import { openMemoryJob } from '../support/memory-job.ts'
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
const plan = planOf(predicted)

/** The champion learns nothing to speak of, so it is replaced after fifty outcomes. */
const contested = planOf(
  historyEvents.predict({
    label: purchaseWithin('20s'),
    features: ['device'],
    model: logisticRegression({ optimizer: sgd(1e-6), drift: null }),
    challengers: { eager: logisticRegression({ optimizer: adam(0.5), drift: null }) },
    promoteAfter: 50,
  }),
)

function planOf(stream: typeof predicted): Pipeline {
  return pipeline('laws')
    .query('predictions', stream.select())
    .query('weights', stream.modelWeights().select())
    .query('events', stream.modelEvents().select())
}

/** How a job gets its rows. */
interface Way {
  readonly parallelism: number
  readonly rowsPerEpochMax: number
  readonly prefetchBytesMax: number
  /** Rows of a record batch. */
  readonly batchRows: number
  /** Processes that follow each other, each with a part of the rows. */
  readonly processes: number
  /** Before each of them there is one that dies after so many calls of the file system, if it comes to that; null: none does. */
  readonly callsUntilDeath: number | null
}

const STRAIGHT: Way = {
  parallelism: 1,
  rowsPerEpochMax: 1_000,
  prefetchBytesMax: 1 << 20,
  batchRows: 1_000,
  processes: 1,
  callsUntilDeath: null,
}
const way: fc.Arbitrary<Way> = fc.record({
  parallelism: fc.constantFrom(1, 2),
  rowsPerEpochMax: fc.constantFrom(1, 7, 30),
  prefetchBytesMax: fc.constantFrom(1, 500, 1 << 20),
  batchRows: fc.constantFrom(1, 3, 10),
  processes: fc.constantFrom(1, 2, 3),
  callsUntilDeath: fc.option(fc.integer({ min: 1, max: 200 })),
})

test('a job with a model has the same predictions, events, last weights and bytes of state with one worker or two, for any batches, epochs, restarts and deaths', async () => {
  await fc.assert(
    fc.asyncProperty(history, way, async (steps, how) => {
      const rows = historyRows(steps)
      assert.deepEqual(await learned(plan, rows, how), await learned(plan, rows, STRAIGHT))
    }),
    { numRuns: lawRuns('modelJobs') },
  )
  assert.ok(deaths > 0, 'nobody died')
})

test('a challenger that was promoted stays the champion for every process that goes on, whatever died', async () => {
  const rows = visits(200)
  const straight = await learned(contested, rows, STRAIGHT)
  assert.deepEqual(
    straight.events.map((event) => [event['model'], event['event'], event['outcome']]),
    [['model/eager', 'promotion', 50]],
  )
  assert.deepEqual([...new Set(straight.weights.map((row) => `${row['model']} ${row['role']}`))].sort(), [
    'model challenger',
    'model/eager champion',
  ])
  await fc.assert(
    fc.asyncProperty(way, async (how) => {
      assert.deepEqual(await learned(contested, rows, how), straight)
    }),
    { numRuns: lawRuns('modelJobs') },
  )
})

/** Who comes with one device buys five seconds later, who comes with the other does not; partitions take turns. */
function visits(count: number): HistoryEvent[] {
  const offsets = [0, 0]
  return Array.from({ length: count }, (_, visit) => {
    const partition = visit % PARTITIONS
    const buys = visit % 3 === 0
    const at = (event_type: string, afterMs: number): HistoryEvent => {
      const offset = offsets[partition] as number
      offsets[partition] = offset + 1
      const ts = START_MS + 10_000 * visit + afterMs
      return {
        partition,
        offset,
        event: { ts, session_id: `s${visit}`, event_type, device: buys ? 'd1' : 'd2', price: 1 },
      }
    }
    return buys ? [at('click', 0), at('purchase', 5_000)] : [at('click', 0)]
  }).flat()
}

let deaths = 0

/** All that a job has learned and said. */
async function learned(what: Pipeline, rows: readonly HistoryEvent[], how: Way) {
  const log = new MemoryLog('laws', new VirtualClock(START_MS))
  await log.createTopic('t', { partitions: PARTITIONS })
  const files = new FaultyFiles()
  const stores = { predictions: new MemoryStore(), weights: new MemoryStore(), events: new MemoryStore() }
  const share = Math.ceil(rows.length / how.processes)
  for (let from = 0; from < rows.length; from += share) {
    await append(log, rows.slice(from, from + share), how.batchRows)
    if (how.callsUntilDeath !== null) {
      files.faults.callsUntilDeath = how.callsUntilDeath
      await runOnce(what, log, files, how, stores).catch(() => deaths++)
      files.powerCut()
    }
    await runOnce(what, log, files, how, stores)
  }
  const newest = (await files.readdir('/checkpoint'))
    .filter((name) => SNAPSHOT_NAME.test(name))
    .sort()
    .at(-1)
  const { engineState } = await readSnapshot(`/checkpoint/${newest}`, files)
  return {
    predictions: stores.predictions.rows.map((row) => [...row]),
    weights: lastWeights(stores.weights),
    events: stores.events.rows.map(withoutCut),
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
  plan: Pipeline,
  log: MemoryLog,
  files: FaultyFiles,
  { parallelism, rowsPerEpochMax, prefetchBytesMax }: Way,
  stores: Readonly<Record<string, MemoryStore>>,
): Promise<void> {
  const job = await openMemoryJob({
    plan,
    log,
    clock: new VirtualClock(START_MS),
    disk: files,
    settings: { rowsPerEpochMax, prefetchBytesMax },
    views: Object.entries(stores).map(([query, store]) => ({ query, sink: memorySink({ name: query }, store) })),
    parallelism,
  })
  await job.run()
}

/** Of each part of the model, without texts that nothing was learned of: a report has them or not, as epochs were cut. */
function lastWeights({ rows }: MemoryStore): Cells[] {
  const last = new Map(rows.map((row) => [`${row.get('model')} ${row.get('feature')}`, row]))
  const learned = [...last.values()].filter((row) => row.get('weight') !== 0).map(withoutCut)
  return learned.sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1))
}

type Cells = Readonly<Record<string, unknown>>

/** When the epoch ended is not the same for another cut. */
function withoutCut(row: MemoryRow): Cells {
  const { as_of: _asOf, ...cells } = Object.fromEntries(row)
  return cells
}
