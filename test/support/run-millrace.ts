import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const COMMAND = fileURLToPath(new URL('../../bin/millrace.js', import.meta.url))

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
}

/** Runs `millrace` as a user would, in a process of its own. */
export function runMillrace(args: readonly string[], options: RunOptions): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [COMMAND, ...args], {
      cwd: options.cwd,
      env: { ...process.env, MILLRACE_HOME: join(options.cwd, 'home'), ...options.env },
    })
    let stdout = ''
    let stderr = ''
    let armed = options.killWhen
    const look = (): void => {
      if (!armed?.text.test(stdout + stderr)) return
      const { signal, afterMs = 0 } = armed
      armed = undefined
      setTimeout(() => child.kill(signal), afterMs)
    }
    child.stdout.on('data', (text: Buffer) => {
      stdout += text.toString()
      look()
    })
    child.stderr.on('data', (text: Buffer) => {
      stderr += text.toString()
      look()
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
    child.stdin.end(options.input ?? '')
  })
}

/** A folder of the test's own. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-test-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  return path
}
