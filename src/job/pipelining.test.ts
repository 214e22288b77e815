import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { FaultyFiles } from '../../test/support/faulty-files.ts'
import { draftOf } from '../../test/support/log-records.ts'
import { openMemoryJob } from '../../test/support/memory-job.ts'
import { VirtualClock } from '../base/clock.ts'
import { watchFailpoints } from '../base/failpoint.ts'
import {
  col,
  defineSchema,
  eq,
  eventWithin,
  logisticRegression,
  logSource,
  pipeline,
  type Query,
  stream,
  text,
  timestamp,
} from '../index.ts'
import { MemoryLog } from '../log/memory-log.ts'
import { type MemorySink, MemoryStore, memorySink } from '../sinks/memory-sink.ts'
import { CommandFolder } from './command-folder.ts'
import type { Job } from './job.ts'
import { type JournalRecord, readJournals } from './journal.ts'

const START_MS = Date.UTC(2026, 0, 1)
const TICK_MS = 1_000
/** More turns of the event loop than an epoch of one row takes. */
const MANY_TURNS = 200
/** A job that waits for something that never comes fails its test, and not the whole run. */
const LIMIT = { timeout: 30_000 }

const events = stream(
  logSource('visits'),
  defineSchema({ at: timestamp({ format: 'epoch-ms', required: true }), user: text(), what: text() }),
).withWatermark('at', '10s', { maxClockSkew: null, idleTimeout: '300d' })

test('an epoch is computed while the one before is prepared, and no further', LIMIT, async () => {
  const world = await World.of(['a', 'b', 'c', 'd'])
  await (await world.open(events.select(), slowSink(world.store))).run()
  const records = await world.journal()
  const early = plans(records).filter(({ at, previous }) => at < preparedAt(records, previous))
  assert.ok(early.length > 0, 'some plan is written while the epoch before is prepared')
  for (const [index, { at }] of plans(records).entries()) {
    const before = plans(records)[index - 2]
    if (before) assert.ok(at > preparedAt(records, before.epoch), 'of three plans the first one is certain')
  }
  assert.deepEqual(world.rows(), ['a', 'b', 'c', 'd'])
})

test(
  'of two epochs that a crash leaves open neither is lost or doubled, and their numbers are not used again',
  LIMIT,
  async () => {
    const world = await World.of(['a', 'b', 'c', 'd'])
    let computed = 0
    watchFailpoints((name) => {
      if (name !== 'job:after-compute' || ++computed < 2) return
      world.files.faults.callsUntilDeath = 0
      throw new Error('the process dies')
    })
    try {
      const job = await world.open(events.select(), slowSink(world.store))
      await assert.rejects(job.run(), /the process dies/)
    } finally {
      watchFailpoints(undefined)
    }
    world.files.restart()
    const open = plans(await world.journal()).map(({ epoch }) => epoch)
    assert.deepEqual([open, preparedEpochs(await world.journal())], [[1, 2], []])
    const job = await world.open(events.select(), slowSink(world.store))
    await job.run()
    assert.deepEqual(world.rows(), ['a', 'b', 'c', 'd'])
    assert.deepEqual(preparedEpochs(await world.journal()), [3, 4, 5, 6])
    assert.equal(job.status().rowsRead, 4)
  },
)

test('where an epoch that is being prepared ends is shown and kept only when it is certain', LIMIT, async () => {
  const world = await World.of(['a', 'b', 'c', 'd'])
  const sink = slowSink(world.store)
  const job = await world.open(events.select(), sink)
  const seen: [number, number][] = []
  job.subscribe(() => {
    const { rowsRead, partitions } = job.status()
    seen.push([rowsRead, partitions[0]?.position ?? 0])
  })
  await job.run()
  assert.ok(seen.some(([rowsRead]) => rowsRead > 0 && rowsRead < 4))
  for (const [rowsRead, position] of seen) assert.equal(position, rowsRead)
})

test('a sink that fails ends the job although no row comes any more', LIMIT, async (t) => {
  const world = await World.of(['a'])
  const sink: MemorySink = {
    ...slowSink(world.store),
    prepare: async () => {
      await turns(MANY_TURNS)
      throw new Error('no room')
    },
  }
  const job = await world.open(events.select(), sink, { once: false })
  t.after(() => job.stop())
  await assert.rejects(job.run(), /no room/)
})

test('a command is taken into a plan that no crash can have forgotten', LIMIT, async () => {
  const world = await World.of(['view', 'buy', 'view', 'view', 'buy', 'view'])
  const predicted = events.predict({
    name: 'buys',
    label: eventWithin(eq(col('what'), 'buy'), '10s'),
    by: 'user',
    features: ['what'],
    model: logisticRegression(),
  })
  const commands = new CommandFolder('/checkpoint', world.files)
  const sink = slowSink(world.store, async (epoch) => {
    if (epoch === 1) await commands.put({ action: 'rollback', model: 'buys', version: null }, world.clock.now())
    // The job looks for commands with each tick.
    world.clock.advance(TICK_MS)
  })
  await (await world.open(predicted.select(), sink)).run()
  const records = await world.journal()
  const taken = plans(records).find((plan) => plan.commands > 0)
  assert.ok(taken, 'some plan took the command in')
  assert.ok(taken.at > preparedAt(records, taken.previous), 'the epoch before it was certain')
})

interface Planned {
  /** Place in the journal. */
  readonly at: number
  readonly epoch: number
  readonly previous: number
  readonly commands: number
}

function plans(records: readonly JournalRecord[]): Planned[] {
  return records.flatMap((record, at) => {
    if (record.type !== 'plan') return []
    const { epoch, previous, commands } = record.plan
    return [{ at, epoch, previous, commands: commands?.length ?? 0 }]
  })
}

function preparedAt(records: readonly JournalRecord[], epoch: number): number {
  return epoch === 0 ? -1 : records.findIndex((record) => record.type === 'prepared' && record.epoch === epoch)
}

function preparedEpochs(records: readonly JournalRecord[]): number[] {
  return records.flatMap((record) => (record.type === 'prepared' ? [record.epoch] : []))
}

/** A sink that takes longer to prepare an epoch than the job to compute one. */
function slowSink(store: MemoryStore, also: (epoch: number) => Promise<void> = async () => {}): MemorySink {
  const sink = memorySink({ name: 'slow' }, store)
  return {
    ...sink,
    prepare: async (epoch, rows) => {
      await also(epoch.epoch)
      await turns(MANY_TURNS)
      return sink.prepare(epoch, rows)
    },
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn()
}

/** Who sleeps lets others work. */
class TurningClock extends VirtualClock {
  override async sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    await super.sleep(durationMs, signal)
    await nextTurn()
  }
}

/** One topic and one disk for several processes; each event is an epoch of its own. */
class World {
  readonly files: FaultyFiles = new FaultyFiles()
  readonly store: MemoryStore = new MemoryStore()
  readonly clock: VirtualClock = new TurningClock(START_MS)
  readonly #log = new MemoryLog('visits', this.clock)

  static async of(what: readonly string[]): Promise<World> {
    const world = new World()
    await world.#log.createTopic('visits', { partitions: 1 })
    for (const [index, one] of what.entries())
      await world.#log.append('visits', 0, draftOf(JSON.stringify({ at: START_MS + index, user: 'u', what: one })))
    return world
  }

  async open(query: Query, sink: MemorySink, { once = true } = {}): Promise<Job> {
    return openMemoryJob({
      plan: pipeline('pipelining').query('q', query),
      log: this.#log,
      clock: this.clock,
      disk: this.files,
      settings: { rowsPerEpochMax: 1, once },
      views: [{ query: 'q', sink }],
    })
  }

  /** What all processes have written down, oldest first. */
  async journal(): Promise<readonly JournalRecord[]> {
    return (await readJournals('/checkpoint', this.files)).records
  }

  rows(): unknown[] {
    return this.store.rows.map((row) => row.get('what'))
  }
}
