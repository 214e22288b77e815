import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { nodeFileSystem } from '../../src/base/file-system.ts'
import { logEpochs, readLogEntry } from '../../src/sinks/output-log.ts'
import { PATIENCE_MS, type Scene } from './scene.ts'

/** Until the newest process, with a fence behind the one given, has made an epoch visible. */
export async function untilCommitted(scene: Scene, fence = 0): Promise<void> {
  const startMs = performance.now()
  for (;;) {
    const now = await newestFence(scene)
    if (now > fence && (await fenceSeen(scene)) === now) return
    if (performance.now() - startMs > PATIENCE_MS) throw new Error(`process ${now} commits nothing`)
    await sleep(20)
  }
}

/** Until two more epochs have become visible: the first one may be what was held up. */
export async function untilItGoesOn(scene: Scene): Promise<void> {
  const startMs = performance.now()
  const wanted = (await newestEpoch(scene)) + 2
  while ((await newestEpoch(scene)) < wanted) {
    if (performance.now() - startMs > PATIENCE_MS) throw new Error(`epoch ${wanted} does not come`)
    await sleep(20)
  }
}

/** Of the process that has begun its journal last; 0 when there is none. */
export async function newestFence({ folder }: Pick<Scene, 'folder'>): Promise<number> {
  const names = await readdir(join(folder, 'checkpoint')).catch(() => [])
  return Math.max(0, ...names.filter((name) => name.startsWith('journal-')).map((name) => Number(name.split('-')[1])))
}

/** Which process has written the newest entry of the output's log. */
async function fenceSeen(scene: Scene): Promise<number | undefined> {
  const epoch = await newestEpoch(scene)
  return epoch === 0 ? undefined : (await readLogEntry(outputOf(scene), epoch, nodeFileSystem))?.fence
}

/** The newest entry of the output's log; 0 when it has none. */
async function newestEpoch(scene: Scene): Promise<number> {
  return (await logEpochs(outputOf(scene), nodeFileSystem)).at(-1) ?? 0
}

function outputOf({ folder }: Scene): string {
  return join(folder, 'out', 'closed')
}
