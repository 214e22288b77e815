/**
 * A whole job under crashes: one seed decides what is written, how it is cut into epochs, at which step the process dies and what the disk
 * keeps of it. `MILLRACE_SIM_SEED=n` runs one seed, `MILLRACE_SIM_SEEDS=n` the first n.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { watchFailpoints } from '../../src/base/failpoint.ts'
import { Random } from '../../src/base/random.ts'
import { failpointsIn } from '../support/failpoint-names.ts'
import { JobWorld } from '../support/job-world.ts'

const SEEDS_BY_DEFAULT = process.env['MILLRACE_TEST_SCALE'] === 'full' ? 2_000 : 30
const SEEDS = process.env['MILLRACE_SIM_SEED']
  ? [Number(process.env['MILLRACE_SIM_SEED'])]
  : Array.from({ length: Number(process.env['MILLRACE_SIM_SEEDS'] ?? SEEDS_BY_DEFAULT) }, (_, seed) => seed)
const COMMAND = 'npm test -- test/sim/job.test.ts'

/** Processes that may die before the one that is left in peace. */
const LIVES_MAX = 8

const reached = new Set<string>()

test('whatever dies and whenever, each row comes out once, and fates and dead letters are those that were planted', async () => {
  for (const seed of SEEDS) {
    try {
      await simulate(seed)
    } catch (error) {
      throw new Error(`again with MILLRACE_SIM_SEED=${seed} ${COMMAND}`, { cause: error })
    }
  }
})

test('a seed runs the same way twice', async () => {
  for (const seed of SEEDS.slice(0, 3)) assert.deepEqual(await simulate(seed), await simulate(seed))
})

test('every failpoint of job and file sinks was reached', { skip: SEEDS.length < 20 && 'too few seeds' }, () => {
  assert.deepEqual(
    [...failpointsIn('job'), ...failpointsIn('sinks', 'file-sink.ts')].filter((name) => !reached.has(name)),
    [],
  )
})

async function simulate(seed: number): Promise<string[]> {
  const random = new Random(seed)
  const world = new JobWorld(random)
  const trace: string[] = []
  const planned = new Map<number, string>()
  await world.createTopic()
  for (let life = 1; life <= LIVES_MAX; life++) {
    await world.write()
    trace.push(`life ${life}: ${await liveDangerously(world, random, false)}`)
    await assertNothingWrong(world, planned)
  }
  // The input has ended: whoever survives closes every window.
  for (let life = 1; ; life++) {
    const end = await liveDangerously(world, random, true, life > LIVES_MAX)
    trace.push(`flush ${life}: ${end}`)
    if (end.startsWith('finished')) break
    await assertNothingWrong(world, planned)
  }
  const expected = world.expectedRows()
  assert.deepEqual(await world.filedRows(), expected)
  assert.deepEqual(
    world.storedRows(),
    expected.filter((row) => row.startsWith('pages')),
  )
  assert.deepEqual(await world.deadLetters(), world.expectedDeadLetters())
  return [...trace, ...expected]
}

/**
 * A window that has come out is complete for good: what readers see is part of the truth, each row once. And the number of an epoch
 * stands for one plan, for good.
 */
async function assertNothingWrong(world: JobWorld, planned: Map<number, string>): Promise<void> {
  const plans = await world.plannedEpochs()
  assert.equal(new Set(plans.map(([epoch]) => epoch)).size, plans.length, 'an epoch number was used twice')
  for (const [epoch, plan] of plans) {
    assert.equal(planned.get(epoch) ?? plan, plan, `epoch ${epoch} was planned twice`)
    planned.set(epoch, plan)
  }
  const rest = new Map<string, number>()
  for (const row of world.expectedRows()) rest.set(row, 1)
  for (const row of await world.filedRows()) {
    assert.equal(rest.get(row), 1, `"${row}" is seen twice, or is wrong`)
    rest.set(row, 0)
  }
}

/** One process, which mostly dies: at a failpoint, or in a call of the file system. Tells how it ended. */
async function liveDangerously(world: JobWorld, random: Random, flush: boolean, peaceful = false): Promise<string> {
  const { files } = world
  let visitsLeft = Number.POSITIVE_INFINITY
  let place = ''
  if (!peaceful && random.chance(0.5)) visitsLeft = 1 + random.below(150)
  else if (!peaceful && random.chance(0.8)) files.faults.callsUntilDeath = random.below(1_500)
  if (random.chance(0.3)) files.faults.writeBytesMax = 64 + random.below(200)
  watchFailpoints((name) => {
    reached.add(name)
    if (--visitsLeft > 0) return
    // From now on nothing that the process does reaches the disk.
    place ||= name
    files.faults.callsUntilDeath = 0
    throw new Error(`${DEATH} at ${name}`)
  })
  let end = 'finished'
  try {
    await world.live(flush)
  } catch (error) {
    if (flush && /has ended and closed all its windows early/.test(String(error))) end = 'finished before'
    else if (isDeath(error)) end = `died ${place}`
    else throw error
  } finally {
    watchFailpoints(undefined)
  }
  end += ` after ${files.calls} calls`
  const fall = random.below(3)
  if (fall === 0) files.powerCut()
  else if (fall === 1) files.powerCut(random)
  else files.restart()
  return end
}

const DEATH = 'the process dies'

function isDeath(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (one.message.includes(DEATH) || /the machine is down|EBADF/.test(one.message)) return true
  }
  return false
}
