/**
 * The embedded log under crashes: one seed decides what is appended, which call the machine dies in, and which sectors survive.
 * `MILLRACE_SIM_SEED=n` runs one seed, `MILLRACE_SIM_SEEDS=n` the first n.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../../src/base/random.ts'
import { type EmbeddedLog, type FsyncPolicy, openEmbeddedLog } from '../../src/log/embedded-log.ts'
import { FaultyFiles } from '../support/faulty-files.ts'
import { draftOf, noLock, readValues, StandingClock } from '../support/log-records.ts'

const SEEDS = process.env['MILLRACE_SIM_SEED']
  ? [Number(process.env['MILLRACE_SIM_SEED'])]
  : range(Number(process.env['MILLRACE_SIM_SEEDS'] ?? 25))
const CRASHES_PER_SEED = 8
const PARTITIONS = 2

/** The published end is smaller, and relies on being written whole. */
const SECTOR_BYTES = 64

for (const fsync of ['always', 'interval', 'never'] as const) {
  for (const crash of ['power cut', 'kill'] as const) {
    test(`fsync ${fsync}: a ${crash} at any call loses nothing that ${whatIsPromised(fsync, crash)}`, async () => {
      for (const seed of SEEDS) {
        try {
          await simulate(seed, fsync, crash)
        } catch (error) {
          throw new Error(`again with MILLRACE_SIM_SEED=${seed}`, { cause: error })
        }
      }
    })
  }
}

test('a seed runs the same way twice', async () => {
  for (const seed of [1, 2, 3]) {
    assert.deepEqual(await simulate(seed, 'interval', 'power cut'), await simulate(seed, 'interval', 'power cut'))
  }
})

/** What one partition owes, whatever happens. */
interface Truth {
  /** Values by offset that were acknowledged, or that a reader has seen. */
  readonly promised: Map<number, string>
}

async function simulate(seed: number, fsync: FsyncPolicy, crash: 'power cut' | 'kill'): Promise<string[]> {
  const random = new Random(seed)
  const files = new FaultyFiles()
  const clock = new StandingClock(1_000)
  const truths = range(PARTITIONS).map((): Truth => ({ promised: new Map() }))
  const trace: string[] = []
  const settings = { partitions: PARTITIONS, segmentBytesMax: 200 + random.below(2_000), ...retention(random) }
  for (let life = 0; life < CRASHES_PER_SEED; life++) {
    files.faults.writeBytesMax = SECTOR_BYTES + random.below(400)
    files.faults.callsUntilDeath = 1 + random.below(life === 0 ? 300 : 600)
    const log = await openEmbeddedLog('/log', { mode: 'write', fsync, clock, fileSystem: files, lock: noLock }).catch(
      dead,
    )
    await log?.createTopic('events', settings).catch(dead)
    if (log) await work(log, life, random, truths, clock)
    if (crash === 'power cut') files.powerCut(random.chance(0.3) ? undefined : random)
    else files.restart()
    const recovered = await openEmbeddedLog('/log', { mode: 'write', fsync, clock, fileSystem: files, lock: noLock })
    await recovered.createTopic('events', settings)
    const forgetful = fsync === 'never' && crash === 'power cut'
    for (const [partition, truth] of truths.entries()) {
      trace.push(await checkPartition(recovered, partition, truth, forgetful))
    }
    await recovered.close()
  }
  return trace
}

/** Appends, and reads what others can see, until the machine dies. */
async function work(
  log: EmbeddedLog,
  life: number,
  random: Random,
  truths: Truth[],
  clock: StandingClock,
): Promise<void> {
  const appends: Promise<unknown>[] = []
  for (let step = 0; step < 40; step++) {
    const partition = random.below(PARTITIONS)
    const values = range(1 + random.below(4)).map((index) => `${life}.${step}.${index}.${'x'.repeat(random.below(60))}`)
    const truth = truths[partition]
    const append = log.append('events', partition, draftOf(...values)).then(({ baseOffset }) => {
      for (const [index, value] of values.entries()) keepPromise(truth, baseOffset + index, value)
    }, dead)
    appends.push(append)
    if (random.chance(0.4)) await append
    if (random.chance(0.2)) clock.advance(random.below(300))
    if (random.chance(0.2)) {
      const seen = await readValues(log, 'events', partition).catch(dead)
      for (const [offset, value] of seen ?? []) keepPromise(truth, offset, value)
    }
  }
  await Promise.all(appends)
}

/** An offset never stands for another value than it once did. */
function keepPromise(truth: Truth, offset: number, value: string): void {
  assert.equal(truth.promised.get(offset) ?? value, value, `offset ${offset} was given out twice`)
  truth.promised.set(offset, value)
}

async function checkPartition(log: EmbeddedLog, partition: number, truth: Truth, forgetful: boolean): Promise<string> {
  const { start, end } = await log.offsets('events', partition)
  const found = await readValues(log, 'events', partition)
  assert.equal(found.size, end - start)
  if (forgetful) truth.promised.clear()
  for (const [offset, value] of truth.promised) {
    if (offset >= start) assert.equal(found.get(offset), value, `offset ${offset} of partition ${partition} was lost`)
  }
  // Whoever reads from now on sees these, so they must stay too.
  for (const [offset, value] of found) keepPromise(truth, offset, value)
  return `${partition}: ${start}-${end} ${[...found.values()].join(',')}`
}

function retention(random: Random): { retentionBytesMax?: number; retentionMs?: number } {
  return {
    ...(random.chance(0.3) && { retentionBytesMax: 2_000 + random.below(4_000) }),
    ...(random.chance(0.3) && { retentionMs: 500 + random.below(2_000) }),
  }
}

function whatIsPromised(fsync: FsyncPolicy, crash: string): string {
  return fsync === 'never' && crash === 'power cut' ? 'was recovered before' : 'was acknowledged or seen'
}

function dead(): undefined {
  return undefined
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}
