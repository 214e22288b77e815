import { setTimeout as sleep } from 'node:timers/promises'
import { restartBroker, stopBroker } from '../../scripts/kafka-cluster.ts'
import type { Random } from '../../src/base/random.ts'
import { type HeldRequest, REQUEST } from '../support/kafka-relay.ts'
import { type KafkaScene, newestFence, PROGRESS_MS_MAX, untilMoreIsVisible } from './kafka-scene.ts'

/** Something that goes wrong once; afterwards the job works again. */
export type Trouble = (scene: KafkaScene, random: Random) => Promise<void>

/** Of the kills, how many come at a named step instead of a random moment, and how many while the job starts. */
const STEP_SHARE = 0.5
const EARLY_SHARE = 0.1
const EARLY_MS_MAX = 1_500
const LIFE_MS_MAX = 800
const START_MS_MAX = 30_000
const STEP_COUNT_MAX = 5
const STEPS = [
  'job:after-plan',
  'job:after-compute',
  'job:before-prepared',
  'job:after-prepared',
  'kafka-sink:after-outbox',
  'kafka-sink:before-write',
  'kafka-sink:after-write',
  'job:after-commit',
  'job:before-snapshot',
  'job:after-snapshot',
]
const FREEZE_MS_MIN = 5_000
const FREEZE_MS_MAX = 60_000
const CUTS_MAX = 8
const CUT_BYTES_MAX = 40_000
/** The broker gives a transaction up after 60 s, and looks every second. */
const TRANSACTION_MS = 64_000
/** Exit code of a process whose checkpoint somebody else has taken over. */
const STALE = 4

/** The troubles by name. */
export const TROUBLES: Readonly<Record<string, Trouble>> = {
  /** kill -9, at a named step or at any time. */
  async kills(scene, random) {
    const step = random.chance(STEP_SHARE) ? `${random.pick(STEPS)}:${1 + random.below(STEP_COUNT_MAX)}` : undefined
    const before = await newestFence(scene)
    scene.job.kill()
    await scene.job.ended
    const armed = scene.start([], step)
    if (step !== undefined) await atMost(START_MS_MAX, armed.ended)
    else if (random.chance(EARLY_SHARE)) await sleep(random.below(EARLY_MS_MAX))
    else {
      const startMs = performance.now()
      while ((await newestFence(scene)) === before && performance.now() - startMs < START_MS_MAX) await sleep(10)
      await sleep(random.below(LIFE_MS_MAX))
    }
    armed.kill()
    const { signal, code, stderr } = await armed.ended
    if (signal !== 'SIGKILL') scene.problems.push(`a run ended by itself with ${code}: ${stderr.slice(-500)}`)
    scene.job = scene.start()
  },

  /** Every connection, some of them after a few bytes of a request or an answer. */
  async cuts(scene, random) {
    for (let left = 1 + random.below(CUTS_MAX); left > 0; left--) {
      await sleep(random.below(300))
      if (random.chance(0.5)) scene.relay.cut()
      else scene.relay.cutAfter(random.below(CUT_BYTES_MAX))
    }
    await untilMoreIsVisible(scene, 'connections were cut')
  },

  /** The connection that says that the transaction is to end: nobody knows then whether it has. */
  async endings(scene, random) {
    const { relay } = scene
    const held = await nextEnd(scene)
    if (held && random.chance(0.5)) {
      held.release()
      // Long enough for the broker to do it, sometimes for the answer too.
      await sleep(random.below(5))
    }
    relay.cut()
    await untilMoreIsVisible(scene, 'the end of a transaction got lost')
  },

  /** The broker, stopped cleanly or killed, right behind the last events. */
  async restarts(scene, random) {
    await scene.quietly(async () => {
      await stopBroker(scene.broker, random.chance(0.5) ? 'SIGKILL' : 'SIGTERM')
      scene.broker = await restartBroker(scene.broker)
    })
    await untilMoreIsVisible(scene, 'the broker was restarted')
  },

  /** A broker that accepts connections and says nothing. */
  async freezes(scene, random) {
    const { pid } = scene.broker
    await scene.quietly(async () => {
      process.kill(pid, 'SIGSTOP')
      try {
        await sleep(FREEZE_MS_MIN + random.below(FREEZE_MS_MAX - FREEZE_MS_MIN))
      } finally {
        process.kill(pid, 'SIGCONT')
      }
    })
    await untilMoreIsVisible(scene, 'the broker was frozen')
  },

  /** The job sleeps with a transaction open until the broker gives it up. */
  async timeouts(scene) {
    const held = await nextEnd(scene)
    scene.job.kill('SIGSTOP')
    await sleep(TRANSACTION_MS)
    held?.release()
    scene.job.kill('SIGCONT')
    await untilMoreIsVisible(scene, 'a transaction was given up')
  },

  /** A process that sleeps with a transaction open, is replaced, wakes up and asks for the end of the transaction: in vain. */
  async stale(scene) {
    const { job } = scene
    const held = await nextEnd(scene)
    job.kill('SIGSTOP')
    scene.job = scene.start(['--take-over'])
    await untilMoreIsVisible(scene, 'the job was taken over')
    held?.release()
    job.kill('SIGCONT')
    const ended = await atMost(START_MS_MAX, job.ended)
    if (ended?.code === STALE) return
    job.kill()
    const { code, stderr } = await job.ended
    scene.problems.push(`a process that was taken over ended with ${code}: ${stderr.slice(-500)}`)
  },
}

/** Keeps the request that ends the next transaction. */
async function nextEnd({ relay, problems }: KafkaScene): Promise<HeldRequest | undefined> {
  const held = await atMost(PROGRESS_MS_MAX, relay.hold(REQUEST.endTxn))
  if (!held) problems.push('no transaction comes to its end')
  return held
}

/** What comes, or undefined when it takes longer. */
function atMost<T>(limitMs: number, coming: Promise<T>): Promise<T | undefined> {
  return Promise.race([coming, sleep(limitMs, undefined, { ref: false })])
}
