import { join } from 'node:path'
import { finish, keepFeeding, type Scene, withScene } from './scene.ts'
import type { ChaosOptions, Rounds } from './suite.ts'
import { Watcher } from './watcher.ts'

/** What a storm has done to what it raged in, all scenes together. */
export interface Damage {
  readonly events: number
  /** How often readers have looked. */
  readonly looks: number
  readonly lost: number
  readonly duplicated: number
  /** Times that a reader saw what must never be seen. */
  readonly torn: number
  readonly hangs: number
}

/** Of the counts of a storm, those that have to be 0. */
export const NO_DAMAGE: readonly string[] = ['lost', 'duplicated', 'torn', 'hangs']

/** As many as there are processors to be kept busy: a process that starts waits for its disk and its servers, too. */
const SCENES = 2

/**
 * Plays rounds in scenes of their own, side by side, while events come and readers look on; then all that was written is compared with the
 * oracle. What is wrong is in `rounds.problems`, which ends every scene.
 */
export async function storm(
  { count, seed }: ChaosOptions,
  kind: { durable: boolean; store?: boolean },
  rounds: Rounds,
  play: (scene: Scene) => Promise<void>,
): Promise<Damage> {
  const seeds = Array.from({ length: Math.min(count, SCENES) }, (_, index) => SCENES * seed + index)
  const damages = await Promise.all(
    seeds.map((own) =>
      withScene(own, kind, (scene) => weather(scene, rounds, play)).catch((error: unknown) => {
        rounds.problems.push(error instanceof Error ? `${error.stack}` : String(error))
        return CALM
      }),
    ),
  )
  return damages.reduce(sum, CALM)
}

const CALM: Damage = { events: 0, looks: 0, lost: 0, duplicated: 0, torn: 0, hangs: 0 }

async function weather(scene: Scene, rounds: Rounds, play: (scene: Scene) => Promise<void>): Promise<Damage> {
  const stopFeeding = keepFeeding(scene)
  const watcher = new Watcher(scene.server.url, join(scene.folder, 'out'))
  watcher.start()
  scene.endings.push(() => watcher.stop())
  await play(scene)
  await stopFeeding()
  const { lost, duplicated, hangs, problems } = await finish(scene)
  await watcher.stop()
  rounds.problems.push(...problems, ...watcher.problems.slice(0, 20))
  return { events: scene.feed.sent, looks: watcher.looks, lost, duplicated, torn: watcher.problems.length, hangs }
}

function sum(one: Damage, other: Damage): Damage {
  return {
    events: one.events + other.events,
    looks: one.looks + other.looks,
    lost: one.lost + other.lost,
    duplicated: one.duplicated + other.duplicated,
    torn: one.torn + other.torn,
    hangs: one.hangs + other.hangs,
  }
}
