import { spawn } from 'node:child_process'
import { mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { acquireLock } from '../../src/base/lock-file.ts'

/** A server that test files share. */
export interface SharedServer<S> {
  /** What it is kept in, the tests' own. */
  readonly folder: string
  /** Of `scripts`; `guard --folder` ends the server when nobody wants it any more. */
  readonly script: string
  /** The server, if it runs. */
  find(): S | undefined
  start(): Promise<S>
}

/** The server: the first process to come starts it, and it ends a few seconds after the last that wanted it. */
export async function sharedServer<S>({ folder, script, find, start }: SharedServer<S>): Promise<S> {
  const leases = join(folder, 'leases')
  for (;;) {
    mkdirSync(leases, { recursive: true })
    writeFileSync(join(leases, String(process.pid)), '')
    const lock = await acquireLock(join(folder, 'lock'), 'millrace tests').catch(() => undefined)
    if (!lock) {
      await sleep(100)
      continue
    }
    try {
      return find() ?? (await startGuarded(folder, script, start))
    } finally {
      await lock.release()
    }
  }
}

async function startGuarded<S>(folder: string, script: string, start: () => Promise<S>): Promise<S> {
  const server = await start()
  const log = openSync(join(folder, 'guard.log'), 'w')
  const path = join(import.meta.dirname, '..', '..', 'scripts', script)
  spawn(process.execPath, [path, 'guard', '--folder', folder], { detached: true, stdio: ['ignore', log, log] }).unref()
  return server
}
