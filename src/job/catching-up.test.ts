import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FaultyFiles } from '../../test/support/faulty-files.ts'
import { draftOf } from '../../test/support/log-records.ts'
import { openMemoryJob } from '../../test/support/memory-job.ts'
import { VirtualClock } from '../base/clock.ts'
import { watchFailpoints } from '../base/failpoint.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import type { OffsetRange } from '../engine/epoch.ts'
import { defineSchema, int32, logSource, pipeline, stream, timestamp } from '../index.ts'
import { MemoryLog } from '../log/memory-log.ts'
import { MemoryStore, memorySink } from '../sinks/memory-sink.ts'
import { CatchUp } from './catch-up.ts'
import type { Job } from './job.ts'
import type { JobSettings } from './job-parts.ts'
import { readJournals } from './journal.ts'

const START_MS = Date.UTC(2026, 0, 1)
const PARTITIONS = 2
const ROWS_PER_PIECE = 7
const PIECES = 40
const ROWS = PARTITIONS * PIECES * ROWS_PER_PIECE
/** What two pieces take. */
const HELD_BYTES_MAX = 500
const ROWS_PER_EPOCH = 100
/** A job that waits for something that never comes fails its test, and not the whole run. */
const LIMIT = { timeout: 30_000 }

for (const parallelism of [1, 2]) {
  test(
    `far behind, an epoch has more rows than can be held, and each is in one epoch: ${parallelism} of ${PARTITIONS} threads`,
    LIMIT,
    async () => {
      const world = await World.filled()
      await (await world.open(parallelism)).run()
      assert.deepEqual(world.rows(), allRows())
      const ranges = await world.plannedRanges()
      const sizes = ranges.map((epoch) => epoch.reduce((sum, { from, to }) => sum + to - from, 0))
      assert.equal(Math.max(...sizes), ROWS_PER_EPOCH)
      assert.ok(sizes.length < PIECES / 2, `${sizes.length} epochs`)
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const own = ranges.flat().filter((range) => range.partition === partition)
        for (const [index, { from }] of own.entries()) assert.equal(from, own[index - 1]?.to ?? 0)
        assert.ok(
          own.some(({ to }) => to % ROWS_PER_PIECE !== 0),
          'some epoch ends within a piece',
        )
      }
    },
  )
}

test('partitions move side by side', LIMIT, async () => {
  const world = await World.filled()
  await (await world.open()).run()
  for (const epoch of await world.plannedRanges()) {
    const ends = epoch.map(({ to }) => to)
    assert.ok(Math.max(...ends) - Math.min(...ends) <= 2 * ROWS_PER_PIECE, `partitions end at ${ends}`)
  }
})

test('a crash in such an epoch loses and doubles nothing', LIMIT, async () => {
  const world = await World.filled()
  await world.crashInLargeEpoch()
  await (await world.open()).run()
  assert.deepEqual(world.rows(), allRows())
})

test('a recovery that took longer than snapshots are apart is kept with the first epoch behind it', LIMIT, async () => {
  const world = await World.filled()
  await world.crashInLargeEpoch()
  world.log.readMs = 1_000
  const steps: string[] = []
  watchFailpoints((name) => {
    steps.push(name)
    if (name === 'job:recovered') world.log.readMs = 0
  })
  try {
    await (await world.open(1, { snapshotIntervalMs: 3_000 })).run()
  } finally {
    watchFailpoints(undefined)
  }
  const before = steps.slice(steps.indexOf('job:recovered'), steps.indexOf('job:after-snapshot'))
  assert.equal(before.filter((name) => name === 'job:after-plan').length, 1)
})

test('a job that is stopped while it reads an open epoch again loses none of it', LIMIT, async () => {
  const world = await World.filled()
  await world.crashInLargeEpoch()
  const stopped = await world.open()
  stopped.stop()
  assert.equal((await stopped.run()).state, 'stopped')
  await (await world.open()).run()
  assert.deepEqual(world.rows(), allRows())
})

test('a job that is stopped does not wait for rows that do not come, and loses none', LIMIT, async () => {
  const world = await World.filled()
  world.log.holdBackFrom = (PIECES / 2) * ROWS_PER_PIECE
  const job = await world.open()
  const running = job.run()
  await world.log.asked
  job.stop()
  assert.equal((await running).state, 'stopped')
  assert.ok(world.rows().length < ROWS)
  world.log.holdBackFrom = Number.POSITIVE_INFINITY
  await (await world.open()).run()
  assert.deepEqual(world.rows(), allRows())
})

test('what stops the reading of a partition in the middle of an epoch stops the job', LIMIT, async () => {
  const world = await World.filled()
  world.log.failFrom = (PIECES / 2) * ROWS_PER_PIECE
  await assert.rejects((await world.open()).run(), /the disk is broken/)
  world.log.failFrom = Number.POSITIVE_INFINITY
  await (await world.open()).run()
  assert.deepEqual(world.rows(), allRows())
})

test('an epoch takes in more than is held only when rows come faster than they are computed', () => {
  const catchUp = new CatchUp()
  catchUp.computed(1_000, 100)
  assert.equal(catchUp.rows(true, true), 0)
  assert.equal(catchUp.rows(false, true), 0)
  assert.equal(catchUp.rows(true, true), 0)
  const rows = catchUp.rows(true, true)
  assert.ok(rows > 1_000)
  catchUp.computed(1_000, 1_000)
  assert.equal(catchUp.rows(false, true), rows / 10)
  assert.equal(catchUp.rows(true, false), 0)
  assert.equal(catchUp.rows(true, true), rows / 10)
})

function allRows(): string[] {
  return Array.from({ length: PARTITIONS }, (_, partition) =>
    Array.from({ length: PIECES * ROWS_PER_PIECE }, (_, row) => `${partition}/${row}`),
  ).flat()
}

/** A log whose records can come late, or not at all. */
class UnreliableLog extends MemoryLog {
  holdBackFrom = Number.POSITIVE_INFINITY
  failFrom = Number.POSITIVE_INFINITY
  readMs = 0
  readonly #clock: VirtualClock
  /** Resolves when records were asked for that are held back. */
  readonly asked: Promise<void>
  #tell: () => void = () => {}

  constructor(clock: VirtualClock) {
    super('events', clock)
    this.#clock = clock
    this.asked = new Promise((resolve) => {
      this.#tell = resolve
    })
  }

  /** A piece at a time. */
  override async read(topic: string, partition: number, fromOffset: number): Promise<readonly EncodedRecords[]> {
    this.#clock.advance(this.readMs)
    if (fromOffset >= this.failFrom) throw new Error('the disk is broken')
    return fromOffset >= this.holdBackFrom ? [] : super.read(topic, partition, fromOffset, 1)
  }

  override async waitForRecords(
    _topic: string,
    _partition: number,
    _offset: number,
    signal: AbortSignal,
  ): Promise<void> {
    this.#tell()
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  }
}

/** One topic and one disk for several processes. */
class World {
  readonly clock: VirtualClock = new VirtualClock(START_MS)
  readonly log: UnreliableLog = new UnreliableLog(this.clock)
  readonly #files = new FaultyFiles()
  readonly #store = new MemoryStore()

  static async filled(): Promise<World> {
    const world = new World()
    await world.log.createTopic('events', { partitions: PARTITIONS })
    for (let row = 0; row < PIECES * ROWS_PER_PIECE; row += ROWS_PER_PIECE) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const lines = Array.from({ length: ROWS_PER_PIECE }, (_, index) =>
          JSON.stringify({ at: START_MS + row, partition, row: row + index }),
        )
        await world.log.append('events', partition, draftOf(...lines))
      }
    }
    return world
  }

  open(parallelism = 1, settings: Partial<JobSettings> = {}): Promise<Job> {
    const fields = { at: timestamp({ format: 'epoch-ms', required: true }), partition: int32(), row: int32() }
    return openMemoryJob({
      plan: pipeline('catching-up').query('q', stream(logSource('events'), defineSchema(fields)).select()),
      log: this.log,
      clock: this.clock,
      disk: this.#files,
      parallelism,
      settings: { rowsPerEpochMax: ROWS_PER_EPOCH, prefetchBytesMax: HELD_BYTES_MAX, ...settings },
      views: [{ query: 'q', sink: memorySink({ name: 'store' }, this.#store) }],
    })
  }

  /** Processes that die one after the other, the last one in an epoch with more rows than are held. */
  async crashInLargeEpoch(): Promise<void> {
    let open: readonly OffsetRange[] = []
    while (!open.some(({ from, to }) => to - from > 2 * ROWS_PER_PIECE)) {
      await this.#crash()
      open = (await this.plannedRanges()).at(-1) ?? []
    }
  }

  async #crash(): Promise<void> {
    let epochs = 0
    watchFailpoints((name) => {
      if (name !== 'job:after-compute' || ++epochs < 4) return
      this.#files.faults.callsUntilDeath = 0
      throw new Error('the process dies')
    })
    try {
      await assert.rejects((await this.open()).run(), /the process dies/)
    } finally {
      watchFailpoints(undefined)
    }
    this.#files.restart()
  }

  /** Of every plan that was written down, oldest first. */
  async plannedRanges(): Promise<(readonly OffsetRange[])[]> {
    const { records } = await readJournals('/checkpoint', this.#files)
    return records.flatMap((record) =>
      record.type === 'plan' && record.plan.ranges.length > 0 ? [record.plan.ranges] : [],
    )
  }

  /** By partition, as they came. */
  rows(): string[] {
    const rows = this.#store.rows.map((row) => ({ partition: Number(row.get('partition')), row: row.get('row') }))
    return rows
      .sort((left, right) => left.partition - right.partition)
      .map(({ partition, row }) => `${partition}/${row}`)
  }
}
