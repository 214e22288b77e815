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

/** Of the process that has begun its journal last; 0 when there is none. */
export async function newestFence({ folder }: Scene): Promise<number> {
  const names = await readdir(join(folder, 'checkpoint')).catch(() => [])
  return Math.max(0, ...names.filter((name) => name.startsWith('journal-')).map((name) => Number(name.split('-')[1])))
}

/** Which process has written the newest entry of the output's log. */
async function fenceSeen({ folder }: Scene): Promise<number | undefined> {
  const output = join(folder, 'out', 'closed')
  const epoch = (await logEpochs(output, nodeFileSystem)).at(-1)
  return epoch === undefined ? undefined : (await readLogEntry(output, epoch, nodeFileSystem))?.fence
}
