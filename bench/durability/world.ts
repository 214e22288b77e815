import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/cli/embedded-postgres.ts'
import { openEmbeddedLog } from '../../src/log/embedded-log.ts'
import type { Log } from '../../src/log/log.ts'

/** What the processes that are measured work on: a folder, with the log in its home. */
export interface World {
  readonly folder: string
  readonly log: Log
}

/** A world that is gone afterwards. */
export async function inWorld<T>(use: (world: World) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-durability-'))
  // A server may run as another user, who has to get through.
  chmodSync(folder, 0o711)
  mkdirSync(join(folder, 'home'))
  const log = await openEmbeddedLog(join(folder, 'home', 'log'), { mode: 'write' })
  try {
    return await use({ folder, log })
  } finally {
    await log.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A server on this machine, as it is after installation: its transactions wait for the disk. */
export async function withPostgres<T>({ folder }: World, use: (server: EmbeddedPostgres) => Promise<T>): Promise<T> {
  const server = await startEmbeddedPostgres(join(folder, 'postgres'), { durable: true })
  try {
    return await use(server)
  } finally {
    await server.stop('immediate')
  }
}

/** The command that runs one of the pipelines of this folder. */
export function runCommand({ folder }: World, pipeline: string, ...args: readonly string[]): string[] {
  const millrace = join(import.meta.dirname, '../../bin/millrace.js')
  return [
    process.execPath,
    millrace,
    'run',
    join(import.meta.dirname, `${pipeline}.ts`),
    '--home',
    join(folder, 'home'),
    ...args,
  ]
}

/** Starts a command whose errors are seen. */
export function start(
  [program = '', ...args]: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): ChildProcess {
  return spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] })
}
