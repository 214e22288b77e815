import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type LockHolder, lockHolder } from '../base/lock-file.ts'
import type { Home } from './home.ts'

/** A process that works in a home folder. */
export interface Holder extends LockHolder {
  /** What it holds: the log, or checkpoints. */
  readonly folders: readonly string[]
}

/** The processes that write the log or have a checkpoint of a home folder, each once; readers are none of them. */
export async function holdersOf(home: Home, checkpoints: readonly string[] = []): Promise<Holder[]> {
  const root = dirname(home.checkpoint('any'))
  const names = await readdir(root).catch(() => [])
  const folders = [home.log, ...names.map((name) => join(root, name)), ...checkpoints]
  const holders = new Map<string, Holder>()
  for (const folder of folders) {
    const holder = await lockHolder(join(folder, 'lock'))
    if (!holder) continue
    const key = `${holder.host} ${holder.pid}`
    holders.set(key, { ...holder, folders: [...(holders.get(key)?.folders ?? []), folder] })
  }
  return [...holders.values()]
}
