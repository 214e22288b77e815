import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { acquireLock } from '../src/base/lock-file.ts'

/** How long a server that nobody wants any more is kept for the next one. */
const IDLE_MS = 8_000

/** Ends the server of a folder when the processes that have left their ids in its `leases` are gone, also when they were killed. */
export async function guard(folder: string, end: () => Promise<void>): Promise<void> {
  const leases = join(folder, 'leases')
  let wantedAtMs = Date.now()
  for (;;) {
    await sleep(500)
    const wanted = readdirSync(leases).filter((pid) => existsSync(`/proc/${pid}`))
    if (wanted.length > 0) wantedAtMs = Date.now()
    if (Date.now() - wantedAtMs < IDLE_MS) continue
    // Whoever wants it now waits for the lock, and starts it again.
    const lock = await acquireLock(join(folder, 'lock'), 'guard').catch(() => undefined)
    if (!lock) continue
    await end()
    rmSync(leases, { recursive: true, force: true })
    await lock.release()
    return
  }
}
