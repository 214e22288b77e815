import { createHash, randomBytes } from 'node:crypto'
import { link, readFile, unlink, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { hostname } from 'node:os'
import { dirname, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { MillraceError, systemErrorCode } from './error.ts'
import { fileError } from './file-io.ts'

/** A lock that this process holds. */
export interface LockFile {
  /** False when another process has taken it over. */
  held(): Promise<boolean>
  release(): Promise<void>
}

/** What becomes of a holder that lives: it keeps the lock, loses it and goes on, or is killed first. */
export type LockTakeOver = 'never' | 'leave' | 'end'

/**
 * Takes the lock, or throws `unavailable` that names its holder. The lock of a dead process is taken over at once, whatever it died of;
 * that of a process on another machine never is, because nobody here can tell whether it lives.
 * Two processes that find the same dead lock at the same moment are kept apart by a socket that only one of them can bind.
 * Taking over is for a holder that hangs; whoever does it must shut the holder out by other means, for it may wake up.
 */
export async function acquireLock(path: string, who: string, takeOver: LockTakeOver = 'never'): Promise<LockFile> {
  const gate = await enterGate(path)
  try {
    const owner = await readOwner(path)
    if (owner && takeOver !== 'leave' && (await alive(owner))) {
      if (takeOver === 'never' || owner.host !== hostname()) throw held(path, owner)
      await end(owner, path)
    }
    const mine = JSON.stringify(await describeSelf(who))
    await writeOwner(path, mine)
    return {
      held: async () => (await readFile(path, 'utf8').catch(() => '')) === mine,
      release: () => release(path, mine),
    }
  } catch (error) {
    throw fileError(error, 'lock', path)
  } finally {
    gate?.close()
  }
}

/** Who holds a lock. */
export type LockHolder = Pick<LockOwner, 'who' | 'pid' | 'since' | 'host'>

/** The process that holds a lock and lives, or may live because it is on another machine; undefined when there is none. */
export async function lockHolder(path: string): Promise<LockHolder | undefined> {
  const owner = await readOwner(path)
  return owner && (await alive(owner)) ? owner : undefined
}

/** What the lock file says. Start of machine and process are there because the system gives process ids to others again. */
interface LockOwner {
  readonly who: string
  readonly pid: number
  readonly host: string
  readonly since: string
  readonly bootId: string
  readonly processStart: string
}

/** Puts the whole file in place at once, instead of a dead owner's. */
async function writeOwner(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await writeFile(draft, text, { flag: 'wx' })
    await unlinkIfThere(path)
    await link(draft, path)
  } finally {
    await unlinkIfThere(draft)
  }
}

/** Leaves the lock alone when somebody has taken it away from us. */
async function release(path: string, mine: string): Promise<void> {
  const gate = await enterGate(path)
  try {
    if ((await readFile(path, 'utf8').catch(() => '')) === mine) await unlinkIfThere(path)
  } finally {
    gate?.close()
  }
}

const GATE_ATTEMPTS_MAX = 500
const GATE_PAUSE_MS = 10
const END_ATTEMPTS_MAX = 500

/** One process of this machine at a time. Linux forgets such a socket with its process; on other systems there is no gate. */
async function enterGate(path: string): Promise<Server | undefined> {
  if (process.platform !== 'linux') return undefined
  const name = createHash('sha256').update(resolve(path)).digest('hex').slice(0, 40)
  for (let attempt = 0; attempt < GATE_ATTEMPTS_MAX; attempt++) {
    const server = await listen(`\0millrace-lock-${name}`)
    if (server) return server
    await setTimeout(GATE_PAUSE_MS)
  }
  throw new MillraceError('unavailable', `${path} is being taken by another process that does not get done`, {
    hint: 'try again, or end the other process',
  })
}

function listen(address: string): Promise<Server | undefined> {
  return new Promise((done, fail) => {
    const server = createServer()
    server.once('error', (error) => (systemErrorCode(error) === 'EADDRINUSE' ? done(undefined) : fail(error)))
    server.listen(address, () => done(server))
  })
}

async function describeSelf(who: string): Promise<LockOwner> {
  return {
    who,
    pid: process.pid,
    host: hostname(),
    since: new Date().toISOString(),
    bootId: await bootId(),
    processStart: (await processStart(process.pid)) ?? '',
  }
}

/** Undefined when there is no lock, or none that one of us wrote. */
async function readOwner(path: string): Promise<LockOwner | undefined> {
  try {
    const owner: unknown = JSON.parse(await readFile(path, 'utf8'))
    return isOwner(owner) ? owner : undefined
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}

function isOwner(value: unknown): value is LockOwner {
  if (typeof value !== 'object' || value === null || !('pid' in value) || typeof value.pid !== 'number') return false
  const fields: Record<string, unknown> = { ...value }
  return ['who', 'host', 'since', 'bootId', 'processStart'].every((name) => typeof fields[name] === 'string')
}

async function alive(owner: LockOwner): Promise<boolean> {
  if (owner.host !== hostname()) return true
  if (owner.bootId !== (await bootId())) return false
  return (await processStart(owner.pid)) === owner.processStart
}

/** A stopped process dies of this signal too. */
async function end(owner: LockOwner, path: string): Promise<void> {
  process.kill(owner.pid, 'SIGKILL')
  for (let attempt = 0; attempt < END_ATTEMPTS_MAX; attempt++) {
    if (!(await alive(owner))) return
    await setTimeout(GATE_PAUSE_MS)
  }
  throw held(path, owner)
}

async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim()
}

/** Start time of a running process as text, empty where the system does not tell it; undefined when no such process runs. */
async function processStart(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return runs(pid) ? '' : undefined
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  if (stat === undefined) return undefined
  // The second field is the program's name in parentheses and may hold anything; state is field 3, start time field 22 (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const dead = fields[0] === 'Z' || fields[0] === 'X'
  return dead ? undefined : fields[19]
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemErrorCode(error) === 'EPERM'
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error
  }
}

function held(path: string, owner: LockOwner): MillraceError {
  const where = owner.host === hostname() ? '' : ` on ${owner.host}`
  return new MillraceError(
    'unavailable',
    `${dirname(path)} is in use by ${owner.who} (process ${owner.pid}${where}, since ${owner.since})`,
    {
      hint:
        where === ''
          ? 'end that process first (`millrace stop`), or use another folder'
          : `stop that process first, or use another folder; when it cannot run any more, remove ${path}`,
    },
  )
}
