import assert from 'node:assert/strict'
import { watchFailpoints } from '../../src/base/failpoint.ts'
import { Random } from '../../src/base/random.ts'
import { JobWorld } from '../support/job-world.ts'

/** Processes that may die before the one that is left in peace. */
const LIVES_MAX = 8

/**
 * A whole job under crashes: one seed decides what is written, how it is cut into epochs, at which step the process dies and what the disk
 * keeps of it. Throws when a row is lost, doubled or wrong, at whatever moment. Resolves to all that happened, the same for the same seed;
 * failpoints that were reached are added to `reached`.
 */
export async function simulate(seed: number, reached: Set<string>): Promise<string[]> {
  const random = new Random(seed)
  const world = new JobWorld(random)
  const trace: string[] = []
  const planned = new Map<number, string>()
  await world.createTopic()
  for (let life = 1; life <= LIVES_MAX; life++) {
    await world.write()
    trace.push(`life ${life}: ${await liveDangerously({ world, random, reached, flush: false })}`)
    await assertNothingWrong(world, planned)
  }
  // The input has ended: whoever survives closes every window.
  for (let life = 1; ; life++) {
    const end = await liveDangerously({ world, random, reached, flush: true, peaceful: life > LIVES_MAX })
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

interface Life {
  readonly world: JobWorld
  readonly random: Random
  readonly reached: Set<string>
  readonly flush: boolean
  readonly peaceful?: boolean
}

/** One process, which mostly dies: at a failpoint, or in a call of the file system. Tells how it ended. */
async function liveDangerously({ world, random, reached, flush, peaceful = false }: Life): Promise<string> {
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
