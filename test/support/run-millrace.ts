import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

/** The command as it is called. */
export const COMMAND: string = pathOf('bin/millrace.js')

/** What it runs: under `npm test`, what has just been bundled from the sources, as it is published, which starts in half the time. */
export const PROGRAM: string = process.env['MILLRACE_TEST_BUNDLE'] ? pathOf('dist/bundle/cli/main.js') : COMMAND

/** How a run of the command ended. */
export interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** What a run is given. */
export interface RunOptions {
  readonly cwd: string
  readonly input?: string | Uint8Array
  /** Kills the process with this signal once its stderr or stdout matches. */
  readonly killWhen?: { readonly text: RegExp; readonly signal: NodeJS.Signals; readonly afterMs?: number }
  readonly env?: Readonly<Record<string, string>>
  /** The Node that is called, by default this one. */
  readonly node?: string
  /** The file that it is called with, by default that of the checkout, or what was bundled from it. */
  readonly command?: string
}

/** A run that goes on. */
export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Run>
  /** Resolves to the match once stderr or stdout has it; rejects when the process ends without. */
  says(text: RegExp): Promise<RegExpExecArray>
}

/** Runs `millrace` as a user would, in a process of its own, to its end. */
export async function runMillrace(args: readonly string[], options: RunOptions): Promise<Run> {
  const running = start(args, options)
  const { killWhen } = options
  if (killWhen) {
    const { text, signal, afterMs = 0 } = killWhen
    running.says(text).then(
      () => setTimeout(() => running.child.kill(signal), afterMs),
      () => {}, // It has ended by itself: the test sees how.
    )
  }
  return running.ended
}

/** Starts `millrace` as a user would; what still runs when the test ends is killed. */
export function startMillrace(t: TestContext, args: readonly string[], options: RunOptions): Running {
  const running = start(args, options)
  t.after(() => running.child.kill('SIGKILL'))
  return running
}

function start(args: readonly string[], options: RunOptions): Running {
  const { node = process.execPath, command = node === process.execPath ? PROGRAM : COMMAND } = options
  const child = spawn(node, [command, ...args], {
    cwd: options.cwd,
    env: { ...process.env, MILLRACE_HOME: join(options.cwd, 'home'), ...options.env },
  })
  let stdout = ''
  let stderr = ''
  const watchers = new Set<() => void>()
  const look = (): void => {
    for (const watcher of watchers) watcher()
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    look()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    look()
  })
  const ended = new Promise<Run>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
  child.stdin.on('error', () => {}) // It may end before it has read everything.
  child.stdin.end(options.input ?? '')
  const says = (text: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const watcher = (): void => {
        const match = text.exec(stdout) ?? text.exec(stderr)
        if (!match) return
        watchers.delete(watcher)
        resolve(match)
      }
      watchers.add(watcher)
      watcher()
      ended.then(({ code }) => reject(new Error(`ended with ${code} before it said ${text}: ${stderr}`)), reject)
    })
  return { child, ended, says }
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(`../../${name}`, import.meta.url))
}

/** A folder of the test's own. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-test-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  return path
}
